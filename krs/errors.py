"""How a call to Koyeb or GitHub can fail, sorted by what the caller does next.

    CallError
    +-- Refused     the server said no: a repeat would be refused again
    +-- Throttled   the server asks for patience: `after` seconds
    +-- Unreached   never sent: nothing happened, safe to repeat
    +-- Unknown     sent, no usable answer: it may have happened, ask before repeating

Messages are one line and never carry a secret.
"""

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading JSON of others raises: not JSON or not the expected, not UTF-8, nested beyond reason."""


class CallError(Exception):
    """A call failed; `message` is one line for a log or a screen."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(CallError):
    """Refused for good. `status` is the HTTP status, `code`, `fields` and `needs` what the server said about it.

    `needs` are the permissions that GitHub says the call takes.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "",
        fields: tuple[tuple[str, str], ...] = (),
        needs: str = "",
    ) -> None:
        super().__init__(message)
        self.needs = needs
        self.status = status
        self.code = code
        self.fields = fields


class Throttled(CallError):
    """Wait `after` seconds before any further call of this kind."""

    def __init__(self, message: str, *, after: float) -> None:
        super().__init__(message)
        self.after = after


class Unreached(CallError):
    """The request never left: connection refused, no route, no name, pool exhausted."""


class Unknown(CallError):
    """The request left and no usable answer came: it may have happened."""
