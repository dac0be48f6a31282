"""A stream of lines that follows, or holds still under the reader and counts what is new.

Textual's RichLog jumps to the end on every write and its Log slides once it is full; here the line that is read
stays where it is until the reader moves.
"""

from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from tui import format as fmt
from tui.backend import Event, LogLine
from tui.backend import Level as LevelWord
from tui.keymap import Where, bindings
from tui.widgets.ring import Line, Ring
from tui.widgets.tones import LEVEL_TONES, Tone, Toned

KEPT = 5_000
"""Lines in memory per stream."""
KIND_WIDTH = 21
SUBJECT_WIDTH = 16
WIDE = 90
"""Cells from which the kind of an event has its own column."""
MIDDLING = 70
"""Cells from which the subject has one; below, it is written before a text that does not name it."""


def event_line(event: Event) -> Line:
    """A journal row as a line."""
    subject = event.runner or event.pool or event.repo or ""
    return Line(
        seq=event.seq,
        at=event.at,
        level=event.level,
        kind=event.kind.value,
        subject=subject.removeprefix("runner-"),
        text=fmt.one_line(event.message) + (f" (by {fmt.one_line(event.by)})" if event.by else ""),
    )


def log_line(seq: int, line: LogLine) -> Line:
    """A line of a runner's log; stderr is not an error, runners write much there."""
    level = LevelWord.WARN if line.stream == "koyeb" else LevelWord.INFO
    return Line(seq=seq, at=line.at, level=level, subject=line.stream, text=fmt.one_line(line.text))


class EventStream(Toned, can_focus=True, inherit_bindings=False):
    """Lines by seq, oldest on top. `parts` chooses whether the kind and the subject have columns."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.STREAM)

    class Changed(Message):
        """Following, unread or the filter changed: whatever shows them must be redrawn."""

        def can_replace(self, message: Message) -> bool:
            """Only the last one matters."""
            return isinstance(message, EventStream.Changed)

    def __init__(self, *, id: str, empty: str = "", columns: bool = True, utc_offset: float = 0.0) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.ring = Ring(KEPT)
        self.empty = empty
        self.filter_text = ""
        self._columns = columns
        self._utc_offset = utc_offset

    def extend(self, lines: Iterable[Line]) -> None:
        """Append lines."""
        page = self.page
        before = self._window(page)
        self.ring.extend(lines)
        if self._window(page) != before:
            self.refresh()
        self.post_message(self.Changed())

    def clear(self) -> None:
        """Forget all lines."""
        self.ring.clear()
        self._redraw()

    def filter(self, passes: Callable[[Line], bool] | None, text: str) -> None:
        """Show only the lines that pass; `text` is how the filter reads."""
        self.ring.filter(passes)
        self.filter_text = text
        self._redraw()

    @property
    def page(self) -> int:
        """Lines that fit."""
        return max(1, self.size.height)

    @property
    def standing(self) -> str:
        """In a few words: following, or holding still and how much is new."""
        if self.ring.following:
            return "following"
        return f"held, {self.ring.unread} new" if self.ring.unread else "held still"

    def text(self) -> str:
        """What is shown, with what is above and below, as text."""
        return "".join(f"{self._plain(line)}\n" for line in self.ring.shown)

    def render_line(self, y: int) -> Strip:
        """The line at a height."""
        width = self.size.width
        at = self.ring.top(self.page) + y
        if at >= len(self.ring.shown):
            note = self.empty if y == 0 and not self.ring.shown else ""
            return Strip([Segment(note, self.tone(Tone.MUTED))]).crop_extend(0, width, self.rich_style)
        return self._strip(self.ring.shown[at]).crop_extend(0, width, self.rich_style)

    def _window(self, page: int) -> tuple[int, int, int]:
        """The seqs of the first and last line on screen, and how many there are: equal windows look equal."""
        top = self.ring.top(page)
        shown = self.ring.shown
        if not shown:
            return (0, 0, 0)
        last = min(len(shown), top + page) - 1
        return (shown[top].seq, shown[last].seq, last - top)

    def _strip(self, line: Line) -> Strip:
        tone = self.tone(LEVEL_TONES[line.level])
        muted = self.tone(Tone.MUTED)
        mark = "*" if line.seq in self.ring.marks else " "
        time = f"{mark}{fmt.clock(line.at, utc_offset=self._utc_offset)} "
        if not self._columns:
            return Strip([Segment(time, muted), Segment(line.text, tone if line.level != LevelWord.INFO else Style())])
        parts = [Segment(time, muted), Segment(f"{line.level.value:5} ", tone)]
        if self.size.width >= WIDE:
            parts.append(Segment(fmt.cut(line.kind, KIND_WIDTH) + " ", muted))
        if self.size.width >= MIDDLING:
            parts.append(Segment(fmt.cut_middle(line.subject, SUBJECT_WIDTH) + " ", self.rich_style))
        named = self.size.width >= MIDDLING or line.subject in line.text
        parts.append(Segment(line.text if named else f"{line.subject}: {line.text}", tone))
        return Strip(parts)

    def _plain(self, line: Line) -> str:
        stamp = fmt.date(line.at, utc_offset=self._utc_offset)
        return " ".join(part for part in (stamp, line.level.value, line.kind, line.subject, line.text) if part)

    def _redraw(self) -> None:
        self.refresh()
        self.post_message(self.Changed())

    def _scroll(self, rows: int) -> None:
        self.ring.hold(self.ring.top(self.page) + rows, self.page)
        self._redraw()

    def action_older(self, rows: int) -> None:
        """Scroll towards the oldest, by rows; 0 is a page."""
        self._scroll(-(rows or self.page))

    def action_newer(self, rows: int) -> None:
        """Scroll towards the newest, by rows; 0 is a page."""
        self._scroll(rows or self.page)

    def action_oldest(self) -> None:
        """Go to the oldest line."""
        self.ring.hold(0, self.page)
        self._redraw()

    def action_follow(self) -> None:
        """Go to the newest line and follow."""
        self.ring.follow()
        self._redraw()

    def action_toggle_follow(self) -> None:
        """Follow, or hold the present lines still."""
        if self.ring.following and self.ring.shown:
            self.ring.freeze(self.ring.top(self.page))
        else:
            self.ring.follow()
        self._redraw()

    def action_mark_line(self) -> None:
        """Mark the top line, or take its mark away."""
        if self.ring.shown:
            self.ring.mark(self.ring.shown[self.ring.top(self.page)].seq)
            self._redraw()

    def action_next_mark(self) -> None:
        """Put the next marked line on top."""
        place = self.ring.next_mark(self.ring.top(self.page))
        if place is not None:
            self.ring.hold(place, self.page)
            self._redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll towards the oldest."""
        event.stop()
        self.action_older(3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll towards the newest."""
        event.stop()
        self.action_newer(3)

    def on_click(self) -> None:
        """Take the focus."""
        self.focus()

    def on_resize(self) -> None:
        """Other lines fit."""
        self.refresh()
