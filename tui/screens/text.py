"""A page of text to read, copy or save."""

from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.screens.base import ConsoleScreen
from tui.view import View
from tui.widgets.drawn import Spans
from tui.widgets.tones import Tone


def to_json(value: object) -> str:
    """A view as indented JSON, with the API's field names."""
    return msgspec.json.format(msgspec.json.encode(value)).decode()


class TextScreen(ConsoleScreen):
    """Text that does not change while it is read."""

    OFFERS: ClassVar[tuple[str, ...]] = ("copy", "save", "command", "help", "close")
    AUTO_FOCUS = "#page"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", show=False),
        Binding("j", "scroll_page(1)", show=False),
        Binding("k", "scroll_page(-1)", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.page_title = title
        self.page_text = text

    def body(self) -> ComposeResult:
        """The text."""
        with VerticalScroll(id="page") as page:
            page.border_title = self.page_title
            yield Static(self.page_text, markup=False)

    def describe(self, view: View, width: int) -> Spans:
        """What it is."""
        return ((f" {self.page_title}", Tone.MUTED),)

    def export(self) -> tuple[str, list[dict[str, object]] | str]:
        """The text."""
        return self.page_title, self.page_text

    def focus_body(self) -> None:
        """Give the focus to the text."""
        self.query_one("#page").focus()

    def action_copy(self) -> None:
        """Copy all of it."""
        self.app.copy_to_clipboard(self.page_text)
        self.console.say(f"copied: {self.page_title}")

    def action_scroll_page(self, lines: int) -> None:
        """Scroll."""
        self.query_one("#page").scroll_relative(y=lines, animate=False)
