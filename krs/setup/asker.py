"""Who answers the questions: a person on a terminal, or nobody."""

from typing import Protocol


class Asker(Protocol):
    """Puts questions. Raises `KeyboardInterrupt` when the person has had enough."""

    @property
    def interactive(self) -> bool:
        """Whether a wrong answer can be given anew."""

    def text(self, question: str, *, default: str) -> str:
        """A line; empty when there is no default and nothing was typed."""

    def secret(self, question: str) -> str:
        """A line that is not shown while it is typed."""

    def choice(self, question: str, choices: tuple[str, ...], *, default: str) -> str:
        """One of these."""

    def confirm(self, question: str) -> bool:
        """Yes or no."""


class Nobody:
    """Takes every default and says yes: `--yes`."""

    interactive = False

    def text(self, question: str, *, default: str) -> str:
        """The default."""
        return default

    def secret(self, question: str) -> str:
        """There is no default for a secret: what is missing was said before."""
        raise AssertionError(question)

    def choice(self, question: str, choices: tuple[str, ...], *, default: str) -> str:
        """The default."""
        return default

    def confirm(self, question: str) -> bool:
        """Yes."""
        return True
