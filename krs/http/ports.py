"""What the handlers need of the rest, as protocols; the daemon implements them."""

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, Protocol

from krs.core.model import Event, Name, PoolId
from krs.core.views import (
    Diagnosis,
    Done,
    DrainBody,
    ErrorDetail,
    ExtendBody,
    KillBody,
    LogLine,
    Page,
    Snapshot,
    StartBody,
)
from krs.core.vocabulary import EventKind
from krs.feed import Feed


class Answer(NamedTuple):
    """What a delivery is answered: HTTP status, a code for machines, a sentence for people."""

    status: int
    code: str
    message: str


class Intake(Protocol):
    """The webhook behind the size limit and the method."""

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take one delivery in; a 2xx means that it is on disk or needs not be."""


class ActionRefused(Exception):
    """An action is not done. `status` is 404 (unknown), 409 (stale, busy, leaving) or 422 (bad value)."""

    def __init__(self, status: int, detail: ErrorDetail) -> None:
        super().__init__(detail.message)
        self.status = status
        self.detail = detail


class Scheduler(Protocol):
    """The daemon as its operators see it."""

    feed: Feed

    def snapshot(self) -> Snapshot:
        """Everything at this instant."""

    async def doctor(self) -> Diagnosis:
        """What is wrong, why, and what to do; never raises because of it."""

    async def start(self, body: StartBody, *, by: str) -> Done:
        """Start a runner. Raises `ActionRefused`, as all actions do."""

    async def extend(self, name: Name, body: ExtendBody, *, by: str) -> Done:
        """Hold a runner."""

    async def drain(self, name: Name, body: DrainBody, *, by: str) -> Done:
        """Let a runner end its job and go."""

    async def kill(self, name: Name, body: KillBody, *, by: str) -> Done:
        """End a runner now."""

    async def pause(self, pool: PoolId | None, *, by: str, reason: str) -> Done:
        """Start no more runners of a pool, or of any."""

    async def resume(self, pool: PoolId | None, *, by: str, reason: str) -> Done:
        """Lift a pause."""

    async def events(self, after: int, kinds: frozenset[EventKind], limit: int, runner: Name | None) -> Page:
        """A slice of the journal."""

    def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """A runner's log: its last lines, and with `follow` the next ones for ever. Raises `ActionRefused`."""

    def note(self, event: Event) -> None:
        """Journal something that is no business of the core."""


class Health(Protocol):
    """Whether the daemon can work."""

    def ready(self) -> tuple[bool, str]:
        """Whether it is ready, and if not, why."""
