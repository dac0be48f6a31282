"""Who answers the questions: a person on a terminal, or nobody."""

from typing import Protocol


class NoAnswer(Exception):
    """Nobody is there to answer; `flag` is how a script would have said it."""

    def __init__(self, flag: str) -> None:
        super().__init__(flag)
        self.flag = flag


class Asker(Protocol):
    """Puts questions. Raises `KeyboardInterrupt` when the person has had enough."""

    @property
    def interactive(self) -> bool:
        """Whether a wrong answer can be given anew."""

    def text(self, question: str, *, default: str, flag: str) -> str:
        """A line; empty when there is no default and nothing was typed."""

    def secret(self, question: str, *, flag: str) -> str:
        """A line that is not shown while it is typed."""

    def choice(self, question: str, choices: tuple[str, ...], *, default: str, flag: str) -> str:
        """One of these."""

    def confirm(self, question: str) -> bool:
        """Yes or no."""


class Nobody:
    """Takes every default and says yes: `--yes`. What has no default is `NoAnswer`."""

    interactive = False

    def text(self, question: str, *, default: str, flag: str) -> str:
        """The default."""
        return default

    def secret(self, question: str, *, flag: str) -> str:
        """There is no default for a secret."""
        raise NoAnswer(flag)

    def choice(self, question: str, choices: tuple[str, ...], *, default: str, flag: str) -> str:
        """The default."""
        return default

    def confirm(self, question: str) -> bool:
        """Yes."""
        return True
