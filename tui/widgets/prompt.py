"""The line a person types into: `:` for a command, `/` for a filter. Hidden until asked for."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static


class Prompt(Horizontal):
    """One prompt for both uses; `kind` is `:` or `/`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]
    DEFAULT_CSS = """
    Prompt {
        height: 1;
        & > #kind { width: 3; padding: 0 0 0 1; text-style: bold; }
        & > Input { width: 1fr; height: 1; border: none; padding: 0; background: transparent; }
        & > Input:focus { border: none; }
    }
    """

    class Submitted(Message):
        """The line was entered."""

        def __init__(self, kind: str, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    class Edited(Message):
        """The line changed while it is typed; no subclass of `Submitted`, whose handlers would be called too."""

        def __init__(self, kind: str, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    class Cancelled(Message):
        """The line was left with escape."""

        def __init__(self, kind: str) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self, *, id: str, commands: Iterable[str]) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.display = False
        self.kind = ":"
        self._suggester = SuggestFromList(commands, case_sensitive=False)

    def compose(self) -> ComposeResult:
        """A sign and an input."""
        yield Static(":", id="kind")
        yield Input(id="line", max_length=300)

    def open(self, kind: str, text: str = "") -> None:
        """Show the prompt and take the focus."""
        self.kind = kind
        self.query_one("#kind", Static).update(kind)
        line = self.query_one("#line", Input)
        line.suggester = self._suggester if kind == ":" else None
        line.value = text
        line.cursor_position = len(text)
        self.display = True
        self.screen.set_focus(line)

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return bool(self.display)

    def close(self) -> None:
        """Hide the prompt."""
        self.display = False

    def action_cancel(self) -> None:
        """Leave."""
        self.close()
        self.post_message(self.Cancelled(self.kind))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell what is being typed."""
        event.stop()
        if self.is_open:
            self.post_message(self.Edited(self.kind, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Tell what was entered."""
        event.stop()
        self.close()
        self.post_message(self.Submitted(self.kind, event.value))
