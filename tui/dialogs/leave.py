"""Leaving a console that has its scheduler in the same process: what becomes of the scheduler?"""

from enum import Enum, auto
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Static

from tui.dialogs.base import Dialog, button_label


class Leaving(Enum):
    """The two ways to leave."""

    CONSOLE_ONLY = auto()
    STOP = auto()


class LeaveDialog(Dialog[Leaving]):
    """Asks whether the scheduler goes on without a console."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "only", show=False),
        Binding("s", "stop", show=False),
        Binding("n", "cancel", show=False),
    ]
    KEYS = "c console only  s stop  esc cancel"

    def __init__(self, runners: int, busy: int) -> None:
        super().__init__("Leave the console", yes="s Stop the scheduler")
        self._runners = runners
        self._busy = busy

    def body(self) -> ComposeResult:
        """What either way means."""
        yield Static(
            "The scheduler runs in this process.\n\n"
            "Console only: it goes on without a screen until it is sent SIGTERM or ctrl+c.\n"
            f"Stop: it starts and deletes nothing any more; {self._runners} runners ({self._busy} busy) "
            "stay up at Koyeb and are found again when it is started.",
            id="question",
        )
        with Horizontal(id="third"):
            yield Button(button_label("c Console only"), id="only", compact=True)

    def accept(self) -> None:
        """Stop it."""
        self.dismiss(Leaving.STOP)

    @on(Button.Pressed, "#only")
    def only_pressed(self, event: Button.Pressed) -> None:
        """Leave it running."""
        event.stop()
        event.prevent_default()
        self.action_only()

    def action_only(self) -> None:
        """Leave it running."""
        self.dismiss(Leaving.CONSOLE_ONLY)

    def action_stop(self) -> None:
        """Stop it."""
        self.accept()
