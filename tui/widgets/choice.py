"""One of a few lines is chosen; the mark is a character, so that it is seen without colours."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui.widgets.tones import Tone, Toned


class Choice(Toned, can_focus=True):
    """`(*)` before the chosen line, `( )` before the others; up and down choose."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", show=False),
        Binding("down,j,space", "choose(1)", show=False),
    ]
    DEFAULT_CSS = "Choice { height: auto; width: 1fr; }"

    class Changed(Message):
        """Another line was chosen."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, options: Sequence[str], *, chosen: int, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.options = tuple(options)
        self.index = chosen

    def choose(self, index: int) -> None:
        """Choose a line."""
        if index != self.index:
            self.index = index
            self.refresh()
            self.post_message(self.Changed(index))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line each."""
        return len(self.options)

    def render_line(self, y: int) -> Strip:
        """The option at a height."""
        if y >= len(self.options):
            return Strip([])
        chosen = y == self.index
        tone = Tone.CURSOR if chosen and self.has_focus else Tone.PLAIN
        text = f"({'*' if chosen else ' '}) {self.options[y]}"
        return Strip([Segment(text, self.tone(tone))]).crop_extend(0, self.size.width, self.rich_style)

    def on_focus(self) -> None:
        """Show where the focus is."""
        self.refresh()

    def on_blur(self) -> None:
        """Show that the focus is elsewhere."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Choose the line that was clicked."""
        if 0 <= event.y < len(self.options):
            self.choose(event.y)

    def action_choose(self, step: int) -> None:
        """Choose the next or the previous line."""
        self.choose((self.index + step) % len(self.options))
