"""The scheduler of this very process: the same immutable objects, no copy and no network.

It is paced: however fast the scheduler turns, the console is handed a few snapshots a second.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from krs.core.views import DrainBody, ExtendBody, KillBody, StartBody
from krs.http.ports import ActionRefused, Scheduler
from krs.store import StoreError
from tui.backend.protocol import Change, Connection, Failed, Link, Refused, Role, Stale, Target
from tui.backend.types import Diagnosis, Done, Event, Instant, LogLine, Name, PoolId

BACKLOG = 500
"""Journal rows from before the console opened, for the event stream."""
PAGE = 500
PACE = 0.25
"""Seconds between two snapshots at least."""
REFRESH = 2.0
"""Seconds between two snapshots at most: costs and waits grow without any event."""

log = logging.getLogger("krs.console")


class EmbeddedBackend:
    """Talks to a scheduler by calling it. `by` is who the journal says acted; `now` is the scheduler's clock."""

    where = "embedded"
    embedded = True
    role = Role.ADMIN
    clock_offset = 0.0

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        now: Callable[[], Instant],
        by: str,
        profile: str = "embedded",
    ) -> None:
        self.profile = profile
        self._scheduler = scheduler
        self._now = now
        self._by = by
        self._closed = asyncio.Event()

    def now(self) -> Instant:
        """The scheduler's own clock."""
        return self._now()

    async def changes(self) -> AsyncIterator[Change]:
        """Live at once, then snapshots and events at a bounded pace."""
        yield Connection(link=Link.LIVE, since=self.now())
        snapshot = self._scheduler.snapshot()
        cursor = max(0, snapshot.seq - BACKLOG)
        yield snapshot
        while not self._closed.is_set():
            try:
                while events := await self._after(cursor):
                    cursor = events[-1].seq
                    yield events
            except StoreError as problem:
                log.warning("events passed over: %s", problem)
                cursor = self._scheduler.feed.last_seq
            if (newer := self._scheduler.snapshot()) is not snapshot:
                snapshot = newer
                yield snapshot
            await self._scheduler.feed.wait(cursor, REFRESH)
            await self._pause()

    async def _after(self, cursor: int) -> tuple[Event, ...]:
        recent = self._scheduler.feed.since(cursor)
        if recent is not None:
            return recent
        return (await self._scheduler.events(cursor, frozenset(), PAGE, None)).events

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._closed.wait(), PACE)
        except TimeoutError:
            return

    def reconnect(self) -> None:
        """There is nothing to reconnect."""

    async def start(self, label: str, scope: str, *, reason: str = "") -> Done:
        """Start a runner."""
        return await self._do(self._scheduler.start(StartBody(label=label, scope=scope, reason=reason), by=self._by))

    async def extend(
        self, target: Target, *, minutes: float | None = None, until: float | None = None, reason: str = ""
    ) -> Done:
        """Hold a runner."""
        body = ExtendBody(minutes=minutes, until=until, version=target.version, reason=reason)
        return await self._do(self._scheduler.extend(target.name, body, by=self._by))

    async def drain(self, target: Target, *, cancel: bool = False, reason: str = "") -> Done:
        """Let a runner end after its job."""
        body = DrainBody(cancel=cancel, version=target.version, reason=reason)
        return await self._do(self._scheduler.drain(target.name, body, by=self._by))

    async def kill(self, target: Target, *, force: bool = False, reason: str = "") -> Done:
        """Delete a runner now."""
        body = KillBody(force=force, version=target.version, reason=reason)
        return await self._do(self._scheduler.kill(target.name, body, by=self._by))

    async def pause(self, pool: PoolId | None, *, reason: str = "") -> Done:
        """Start no more runners."""
        return await self._do(self._scheduler.pause(pool, by=self._by, reason=reason))

    async def resume(self, pool: PoolId | None, *, reason: str = "") -> Done:
        """Take a pause back."""
        return await self._do(self._scheduler.resume(pool, by=self._by, reason=reason))

    async def history(self, name: Name) -> tuple[Event, ...]:
        """The journal of one runner."""
        try:
            return (await self._scheduler.events(0, frozenset(), PAGE, name)).events
        except StoreError as problem:
            raise Failed(str(problem)) from None

    async def doctor(self) -> Diagnosis:
        """What is wrong, why, and what to do."""
        return await self._scheduler.doctor()

    async def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """A runner's log."""
        try:
            async for line in self._scheduler.logs(name, follow=follow):
                yield line
        except ActionRefused as refused:
            raise _sorted(refused) from None

    async def aclose(self) -> None:
        """End `changes`; the scheduler goes on."""
        self._closed.set()

    async def _do(self, call: Awaitable[Done]) -> Done:
        try:
            return await call
        except ActionRefused as refused:
            raise _sorted(refused) from None
        except StoreError as problem:
            raise Failed(str(problem)) from None


def _sorted(refused: ActionRefused) -> Refused | Stale:
    detail = refused.detail
    message = f"{detail.message}; {detail.hint}" if detail.hint else detail.message
    return Stale(message, detail.runner) if detail.code in {"stale", "gone"} else Refused(message)
