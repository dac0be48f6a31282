"""What the console needs of a scheduler, wherever it runs.

Level-triggered: a snapshot is the whole truth at one instant and replaces every older one; events only add history.
Every action names the runner's version the operator saw, so that a decision taken on an old screen is refused.
"""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from tui.backend.types import Diagnosis, Done, Event, Instant, LogLine, Name, PoolId, RunnerView, Snapshot


class Role(StrEnum):
    """What this console may do; the scheduler enforces it, the console mirrors it."""

    ADMIN = "admin"
    READ_ONLY = "read-only"


class Link(StrEnum):
    """How the console stands with the scheduler."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"
    DENIED = "denied"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the link. `since` and `retry_at` are instants of the backend's clock (`Backend.now`)."""

    link: Link
    since: Instant | None = None
    retry_at: Instant | None = None
    """When the next attempt is made; None when none is planned."""
    attempts: int = 0
    message: str = ""
    """One line for a person: what failed and, when denied, what to do."""
    latency: float | None = None
    """Seconds of the last request and its answer; None in the same process."""


Change: TypeAlias = Snapshot | tuple[Event, ...] | Connection
"""What `changes` yields. A tuple holds events in the order of their `seq`, oldest first."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A runner as the operator saw it: its name, and the version the decision was taken on."""

    name: Name
    version: int


class ActionError(Exception):
    """An action was not done; `message` is one line for the screen."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(ActionError):
    """The scheduler said no (unknown runner, busy without force, bad value)."""


class Stale(ActionError):
    """The runner changed since the operator looked; `present` is what it is now, None when it is gone."""

    def __init__(self, message: str, present: RunnerView | None) -> None:
        super().__init__(message)
        self.present = present


class Denied(ActionError):
    """The token is not accepted, or may only read."""


class Offline(ActionError):
    """The scheduler was not reached: nothing is known to have happened."""


class Failed(ActionError):
    """The scheduler answered with something that cannot be understood, or broke while acting."""


class Backend(Protocol):
    """A scheduler, seen from the console.

    Every action raises one of the `ActionError` kinds, and nothing else, when it was not done.
    """

    @property
    def where(self) -> str:
        """Where the scheduler runs: `embedded` or a URL."""

    @property
    def profile(self) -> str:
        """The name under which settings are kept and the header shows this scheduler."""

    @property
    def embedded(self) -> bool:
        """Whether the scheduler ends with this process."""

    @property
    def role(self) -> Role:
        """What this console may do; may change when the scheduler answers differently."""

    def now(self) -> Instant:
        """The scheduler's clock, as well as it is known here (local clock plus the measured offset)."""

    @property
    def clock_offset(self) -> float:
        """Seconds the scheduler's clock is ahead of the local one."""

    def changes(self) -> AsyncIterator[Change]:
        """Everything that changes, for ever, for one reader.

        The first item that is not a `Connection` is a `Snapshot`. Items are coalesced while the reader is busy: a
        newer snapshot replaces an older one, events are joined. Never raises because the scheduler went away.
        """

    def reconnect(self) -> None:
        """Try again now instead of at `retry_at`; harmless when live."""

    async def start(self, label: str, scope: str, *, reason: str = "") -> Done:
        """Start a runner for a label in a scope (`owner/repo` or `owner`)."""

    async def extend(
        self, target: Target, *, minutes: float | None = None, until: float | None = None, reason: str = ""
    ) -> Done:
        """Keep a runner longer, by minutes from its present expiry or until an instant; `until=0` lifts the hold."""

    async def drain(self, target: Target, *, cancel: bool = False, reason: str = "") -> Done:
        """Let a runner end after its job; `cancel` takes that back."""

    async def kill(self, target: Target, *, force: bool = False, reason: str = "") -> Done:
        """Delete a runner now; `force` even when a job runs on it."""

    async def pause(self, pool: PoolId | None, *, reason: str = "") -> Done:
        """Start no more runners in a pool, or anywhere (None)."""

    async def resume(self, pool: PoolId | None, *, reason: str = "") -> Done:
        """Take a pause or a trip back, of a pool or of everything (None)."""

    async def history(self, name: Name) -> tuple[Event, ...]:
        """The journal of one runner, oldest first, at most a few hundred rows."""

    async def doctor(self) -> Diagnosis:
        """What is wrong, why, and what to do; takes seconds. Raises as an action does."""

    def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """A runner's log at Koyeb, oldest first; with `follow` it does not end by itself."""

    async def aclose(self) -> None:
        """Let go of connections and tasks; `changes` ends."""
