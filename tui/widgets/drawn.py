"""A widget that draws the view with a pure function, and repaints only the lines that changed."""

from collections.abc import Callable
from typing import TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from tui.view import View
from tui.widgets.tones import Tone, Toned

Span: TypeAlias = tuple[str, Tone]
Spans: TypeAlias = tuple[Span, ...]
Draw: TypeAlias = Callable[[View, int, int], list[Spans]]
"""Draws a view into a width and a height: lines of spans, not longer than the width if they are to be read."""

NO_VIEW = View()


def length(spans: Spans) -> int:
    """Cells of a line."""
    return sum(cell_len(text) for text, _ in spans)


def apart(left: Spans, right: Spans, width: int) -> Spans:
    """One part on the left and one on the right; the right one goes when both do not fit."""
    gap = width - length(left) - length(right) - 1
    return left if gap < 1 else (*left, (" " * gap, Tone.PLAIN), *right)


class Drawn(Toned):
    """Draws with one function; `absorb` gives it another view."""

    def __init__(self, draw: Draw, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._draw = draw
        self._view = NO_VIEW
        self._lines: list[Spans] = []
        self._drawn_for = Size(-1, -1)

    def absorb(self, view: View) -> None:
        """Draw another view."""
        self._view = view
        self._drawn_for = self.size
        lines = self._draw(view, self.size.width, self.size.height)
        before, self._lines = self._lines, lines
        if len(before) != len(lines):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, lines, strict=True)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """The line at a height; a border changes the size without a resize."""
        if self.size != self._drawn_for:
            self._drawn_for = self.size
            self._lines = self._draw(self._view, self.size.width, self.size.height)
        spans = self._lines[y] if y < len(self._lines) else ()
        dim = Style(dim=True) if self.has_class("-stale") else Style()
        strip = Strip([Segment(text, self.tone(tone) + dim) for text, tone in spans])
        return strip.crop_extend(0, self.size.width, self.rich_style)

    def text(self) -> str:
        """What is drawn, as text."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._lines)
