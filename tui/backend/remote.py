"""A scheduler across the network, through krs's own API client: snapshots are fetched, events are followed.

Level-triggered: events say that something changed, a snapshot says what it is now. A connection that is lost is tried
again for ever, with growing pauses; a token that is refused is not.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from krs import errors
from krs.core.views import DrainBody, ExtendBody, KillBody, Page, PauseBody, StartBody
from tui.backend.mailbox import Mailbox
from tui.backend.protocol import (
    ActionError,
    Change,
    Connection,
    Denied,
    Failed,
    Link,
    Offline,
    Refused,
    Role,
    Stale,
    Target,
)
from tui.backend.types import Diagnosis, Done, Event, Instant, LogLine, Name, PoolId, RunnerView, Snapshot

SOON = 0.5
"""Seconds between two snapshots at least, while events come."""
LATEST = 5.0
"""Seconds between two snapshots at most."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0
"""Seconds before the first and the later attempts to connect again."""
BACKLOG = 500
"""Journal rows from before the console opened, for the event stream."""


class Client(Protocol):
    """What is needed of the API's client; every call raises one of the `krs.errors`."""

    role: str
    """What the token allows, as the last answer said: `admin` or `read-only`."""

    def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """A runner's log."""

    async def state(self) -> Snapshot:
        """Everything at one instant."""

    async def events(self, after: int, *, limit: int, runner: Name | None = None) -> Page:
        """A slice of the journal."""

    async def doctor(self) -> Diagnosis:
        """What is wrong, why, and what to do."""

    def follow(self, after: int) -> AsyncIterator[Event]:
        """Events as they happen, for ever; raises when the connection is lost or silent for too long."""

    async def start(self, body: StartBody) -> Done:
        """Start a runner."""

    async def extend(self, name: Name, body: ExtendBody) -> Done:
        """Hold a runner."""

    async def drain(self, name: Name, body: DrainBody) -> Done:
        """Let a runner end after its job."""

    async def kill(self, name: Name, body: KillBody) -> Done:
        """Delete a runner."""

    async def pause(self, pool: PoolId | None, body: PauseBody) -> Done:
        """Start no more runners."""

    async def resume(self, pool: PoolId | None, body: PauseBody) -> Done:
        """Take a pause back."""

    async def aclose(self) -> None:
        """Close connections."""


class RemoteBackend:
    """Talks to a scheduler through its API. `clock` is the local wall clock, in seconds since the epoch."""

    embedded = False

    def __init__(
        self,
        client: Client,
        *,
        where: str,
        profile: str,
        clock: Callable[[], float],
        read_only: bool = False,
    ) -> None:
        self.where = where
        self.profile = profile
        self.role = Role.READ_ONLY if read_only else Role.ADMIN
        self.clock_offset = 0.0
        self._client = client
        self._clock = clock
        self._mailbox = Mailbox()
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._cursor: int | None = None
        self._lost_since: Instant | None = None
        self._attempts = 0
        self._task: asyncio.Task[None] | None = None

    def now(self) -> Instant:
        """The scheduler's clock: the local one and the offset measured with the last snapshot."""
        return Instant(self._clock() + self.clock_offset)

    def changes(self) -> AsyncIterator[Change]:
        """Connect, and keep connected."""
        self._mailbox.put(Connection(link=Link.CONNECTING))
        self._task = asyncio.create_task(self._keep(), name="console-remote")
        return self._mailbox.changes()

    def reconnect(self) -> None:
        """Try again now."""
        self._wake.set()

    async def aclose(self) -> None:
        """Stop following and close the client."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._mailbox.close()
        await self._client.aclose()

    # the connection

    async def _keep(self) -> None:
        while True:
            try:
                await self._connected()
            except errors.Refused as problem:
                if problem.status in {401, 403}:
                    await self._denied(problem)
                else:
                    await self._pause(problem)
            except errors.CallError as problem:
                await self._pause(problem)

    async def _connected(self) -> None:
        await self._fetch()
        self._lost_since, self._attempts = None, 0
        tasks = (asyncio.create_task(self._follow()), asyncio.create_task(self._refetch()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await next(iter(done))
            raise errors.Unknown("the event stream ended")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self) -> None:
        before = time.monotonic()
        snapshot = await self._client.state()
        latency = time.monotonic() - before
        if self._client.role == Role.READ_ONLY.value:
            self.role = Role.READ_ONLY
        self.clock_offset = snapshot.at + latency / 2 - self._clock()
        self._mailbox.put(Connection(link=Link.LIVE, latency=latency))
        self._mailbox.put(snapshot)
        if self._cursor is None or self._cursor > snapshot.seq:
            self._cursor = max(0, snapshot.seq - BACKLOG)

    async def _follow(self) -> None:
        async for event in self._client.follow(self._cursor or 0):
            self._cursor = max(self._cursor or 0, event.seq)
            self._mailbox.put((event,))
            self._moved.set()

    async def _refetch(self) -> None:
        while True:
            await asyncio.sleep(SOON)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), LATEST - SOON)
            self._moved.clear()
            await self._fetch()

    async def _pause(self, problem: errors.CallError) -> None:
        self._attempts += 1
        self._lost_since = self._lost_since or self.now()
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._attempts - 1, 10))
        pause *= random.uniform(0.8, 1.2)  # noqa: S311 - spreads consoles, keeps no secret
        self._mailbox.put(
            Connection(
                link=Link.LOST,
                since=self._lost_since,
                retry_at=Instant(self.now() + pause),
                attempts=self._attempts,
                message=problem.message,
            )
        )
        await self._wait(pause)

    async def _denied(self, problem: errors.Refused) -> None:
        advice = "give a token that is accepted (KRS_TOKEN or the profile), then ctrl+r"
        self._mailbox.put(Connection(link=Link.DENIED, message=f"{problem.message}: {advice}"))
        await self._wait(None)

    async def _wait(self, seconds: float | None) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    # actions

    async def start(self, label: str, scope: str, *, reason: str = "") -> Done:
        """Start a runner."""
        return await self._do(self._client.start(StartBody(label=label, scope=scope, reason=reason)))

    async def extend(
        self, target: Target, *, minutes: float | None = None, until: float | None = None, reason: str = ""
    ) -> Done:
        """Hold a runner."""
        body = ExtendBody(minutes=minutes, until=until, version=target.version, reason=reason)
        return await self._do(self._client.extend(target.name, body))

    async def drain(self, target: Target, *, cancel: bool = False, reason: str = "") -> Done:
        """Let a runner end after its job."""
        body = DrainBody(cancel=cancel, version=target.version, reason=reason)
        return await self._do(self._client.drain(target.name, body))

    async def kill(self, target: Target, *, force: bool = False, reason: str = "") -> Done:
        """Delete a runner now."""
        body = KillBody(force=force, version=target.version, reason=reason)
        return await self._do(self._client.kill(target.name, body))

    async def pause(self, pool: PoolId | None, *, reason: str = "") -> Done:
        """Start no more runners."""
        return await self._do(self._client.pause(pool, PauseBody(reason=reason)))

    async def resume(self, pool: PoolId | None, *, reason: str = "") -> Done:
        """Take a pause back."""
        return await self._do(self._client.resume(pool, PauseBody(reason=reason)))

    async def history(self, name: Name) -> tuple[Event, ...]:
        """The journal of one runner."""
        try:
            return (await self._client.events(0, limit=BACKLOG, runner=name)).events
        except errors.CallError as problem:
            raise _sorted(problem) from None

    async def doctor(self) -> Diagnosis:
        """What is wrong, why, and what to do."""
        try:
            return await self._client.doctor()
        except errors.CallError as problem:
            raise _sorted(problem) from None

    async def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """A runner's log."""
        try:
            async for line in self._client.logs(name, follow=follow):
                yield line
        except errors.CallError as problem:
            raise _sorted(problem) from None

    async def _do(self, call: Awaitable[Done]) -> Done:
        try:
            done = await call
        except errors.CallError as problem:
            failure = _sorted(problem)
            if isinstance(problem, errors.Refused) and problem.status == 403:
                self.role = Role.READ_ONLY
            raise failure from None
        self._moved.set()
        return done


def _sorted(problem: errors.CallError) -> ActionError:
    match problem:
        case errors.Refused(status=401 | 403):
            return Denied(problem.message)
        case errors.Refused(code="stale" | "gone"):
            present = getattr(problem, "runner", None)
            return Stale(problem.message, present if isinstance(present, RunnerView) else None)
        case errors.Refused() | errors.Throttled():
            return Refused(problem.message)
        case errors.Unreached():
            return Offline(problem.message)
        case _:
            return Failed(f"{problem.message}; it may have happened: look again")
