"""Questions on a terminal."""

from rich.console import Console
from rich.prompt import Confirm, Prompt
from rich.text import Text


class Prompts:
    """A person at a terminal. Markup in what is asked stays as it is written."""

    interactive = True

    def __init__(self) -> None:
        self._console = Console(highlight=False)

    def text(self, question: str, *, default: str) -> str:
        """A line, or the default."""
        return Prompt.ask(Text(question), console=self._console, default=default, show_default=bool(default)).strip()

    def secret(self, question: str) -> str:
        """A line that is not shown while it is typed."""
        return Prompt.ask(Text(question), console=self._console, password=True, default="", show_default=False).strip()

    def choice(self, question: str, choices: tuple[str, ...], *, default: str) -> str:
        """One of these."""
        return Prompt.ask(Text(question), console=self._console, choices=list(choices), default=default)

    def confirm(self, question: str) -> bool:
        """Yes, unless no is typed."""
        return Confirm.ask(Text(question), console=self._console, default=True)
