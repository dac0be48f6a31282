"""Which scheduler to talk to: a known profile, or an address."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option


class ConnectScreen(ModalScreen[str | None]):
    """Answers with the name of a profile or a URL."""

    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, profiles: tuple[str, ...]) -> None:
        super().__init__()
        self._profiles = profiles

    def compose(self) -> ComposeResult:
        """The profiles and an input."""
        with Vertical(id="dialog") as frame:
            frame.border_title = "Connect"
            frame.border_subtitle = "tab move  enter connect  esc cancel"
            yield Static("Where does the scheduler run?", markup=False)
            if self._profiles:
                yield OptionList(*(Option(name, id=name) for name in self._profiles), compact=True)
            yield Static("another address (its token comes from KRS_TOKEN or the profile):", markup=False)
            yield Input(id="typed", compact=True, placeholder="https://krs.example.org", max_length=300)
            yield Static(id="missing", markup=False)

    def on_mount(self) -> None:
        """Without profiles the address is all there is."""
        if not self._profiles:
            self.query_one(Input).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A profile."""
        self.dismiss(event.option.id)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """An address."""
        event.stop()
        url = event.value.strip()
        if url.startswith(("http://", "https://")):
            self.dismiss(url)
        else:
            self.query_one("#missing", Static).update("an address starts with http:// or https://")

    def action_cancel(self) -> None:
        """Stay where one is."""
        self.dismiss(None)
