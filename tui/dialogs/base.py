"""What every dialog has: a frame in the middle, Cancel focused first, and the keys in its lower edge."""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from tui.view import View

if TYPE_CHECKING:
    from tui.app import ConsoleApp

T = TypeVar("T")


def button_label(text: str) -> Content:
    """A button looks like one without colours."""
    return Content(f"[ {text} ]")


class Dialog(ModalScreen[T | None], Generic[T]):
    """A question. Its answer is None when it was left."""

    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]
    KEYS: ClassVar[str] = "tab move  enter press  esc cancel"

    def __init__(self, title: str, *, yes: str) -> None:
        super().__init__()
        self.dialog_title = title
        self._yes = yes

    @property
    def console(self) -> "ConsoleApp":
        """The app."""
        return cast("ConsoleApp", self.app)

    def compose(self) -> ComposeResult:
        """The frame, the body and two buttons."""
        with Vertical(id="dialog") as frame:
            frame.border_title = self.dialog_title
            frame.border_subtitle = self.KEYS
            yield from self.body()
            with Horizontal(id="buttons"):
                yield Button(button_label("Cancel"), id="cancel", compact=True)
                yield Button(button_label(self._yes), id="yes", compact=True)

    @abstractmethod
    def body(self) -> ComposeResult:
        """What is asked."""

    @abstractmethod
    def accept(self) -> None:
        """The person pressed the second button: dismiss with an answer, or say what is missing."""

    def absorb(self, view: View) -> None:
        """Another view: dialogs about runners show what became of them."""

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Leave or accept."""
        event.stop()
        if event.button.id == "yes":
            self.accept()
        else:
            self.dismiss(None)

    def action_cancel(self) -> None:
        """Leave."""
        self.dismiss(None)
