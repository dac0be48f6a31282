"""Who we are at GitHub: a token today; a GitHub App joins through the same `Auth` protocol."""

from typing import Protocol

from krs.secret import Secret

__all__ = ["Auth", "Secret", "TokenAuth"]


class Auth(Protocol):
    """Gives the credential for calls about a scope."""

    async def header(self, scope: str) -> str:
        """The value of the Authorization header."""


class TokenAuth:
    """A fine-grained or classic personal access token, for every scope alike."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    async def header(self, scope: str) -> str:
        """The value of the Authorization header."""
        return f"Bearer {self._token.reveal()}"
