"""A question with two answers."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tui.dialogs.base import Dialog


class Confirm(Dialog[bool]):
    """Says what will happen; `y` or the second button agrees."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", show=False),
        Binding("n", "cancel", show=False),
    ]
    KEYS = "y yes  n/esc cancel"

    def __init__(self, title: str, lines: tuple[str, ...], *, yes: str) -> None:
        super().__init__(title, yes=yes)
        self._text = lines

    def body(self) -> ComposeResult:
        """The lines."""
        yield Static("\n".join(self._text), id="question", markup=False)

    def accept(self) -> None:
        """Agree."""
        self.dismiss(True)

    def action_yes(self) -> None:
        """Agree."""
        self.accept()
