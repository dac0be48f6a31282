"""The operators' desk: the scheduler as the API and the console see it (`krs.http.ports.Scheduler`)."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from msgspec.structs import replace

import krs
from krs.core import actions
from krs.core.actions import Refusal
from krs.core.facts import Fact, PauseAsked, ResumeAsked
from krs.core.model import Event, Instant, Name, PoolId, World
from krs.core.policy import Policy
from krs.core.snapshot import snapshot
from krs.core.views import (
    Diagnosis,
    Done,
    DrainBody,
    ErrorDetail,
    ExtendBody,
    KillBody,
    LogLine,
    Page,
    RunnerView,
    Sample,
    Snapshot,
    StartBody,
)
from krs.core.vocabulary import EventKind, Level
from krs.daemon.clock import Clock
from krs.daemon.loop import TurnLoop
from krs.daemon.notices import Notices
from krs.errors import CallError
from krs.http.ports import ActionRefused
from krs.koyeb import KoyebClient
from krs.store import Store

HISTORY = 60
"""Samples kept: an hour of minutes."""
LOG_LINES = 500
FRESH = 1.0
"""Seconds that a snapshot of an unchanged world is good for."""


class Desk:
    """Answers questions from snapshots, and hands actions to the loop."""

    def __init__(
        self,
        *,
        loop: TurnLoop,
        store: Store,
        koyeb: KoyebClient,
        policy: Callable[[], Policy],
        clock: Clock,
        notices: Notices,
        examine: Callable[[Snapshot], Awaitable[Diagnosis]],
    ) -> None:
        self._koyeb = koyeb
        self._examine = examine
        self.feed = loop.feed
        self._loop = loop
        self._store = store
        self._policy = policy
        self._clock = clock
        self._notices = notices
        self._history: deque[Sample] = deque(maxlen=HISTORY)
        self._errors = 0
        self._cached: tuple[World, Snapshot] | None = None

    def snapshot(self) -> Snapshot:
        """Everything at this instant; one of the last second when nothing changed since."""
        now, world = self._clock.now(), self._loop.world
        if self._cached is not None and self._cached[0] is world and now - self._cached[1].at < FRESH:
            return self._cached[1]
        made = snapshot(
            world, now, self._policy(), seq=self.feed.last_seq, version=krs.__version__, counters=self._loop.counters
        )
        made = replace(made, history=tuple(self._history), warnings=(*self._notices.texts(), *made.warnings))
        self._cached = (world, made)
        return made

    def sample(self) -> None:
        """Add a minute to the history."""
        now = self.snapshot()
        errors = sum(
            count
            for kind, count in self._loop.counters.items()
            if kind in (EventKind.RUNNER_CREATE_FAILED, EventKind.RUNNER_DELETE_FAILED)
        )
        self._history.append(
            Sample(
                at=now.at,
                runners=now.totals.runners,
                queued=now.totals.queued,
                oldest_wait=now.totals.oldest_wait,
                errors=max(0, errors - self._errors),
                cost_hourly=now.totals.cost_hourly,
            )
        )
        self._errors = errors
        self._cached = None

    async def doctor(self) -> Diagnosis:
        """What is wrong, why, and what to do."""
        return await self._examine(self.snapshot())

    async def start(self, body: StartBody, *, by: str) -> Done:
        """Start a runner for a label."""
        return await self._act(lambda world, now, policy: actions.start(world, body, by, now, policy), "starting")

    async def extend(self, name: Name, body: ExtendBody, *, by: str) -> Done:
        """Hold a runner."""
        return await self._act(
            lambda world, now, policy: actions.extend(world, name, body, by, now, policy), "extended"
        )

    async def drain(self, name: Name, body: DrainBody, *, by: str) -> Done:
        """Let a runner end its job and go."""
        word = "no longer draining" if body.cancel else "draining"
        return await self._act(lambda world, _now, _policy: actions.drain(world, name, body, by), word)

    async def kill(self, name: Name, body: KillBody, *, by: str) -> Done:
        """End a runner now."""
        return await self._act(lambda world, _now, _policy: actions.kill(world, name, body, by), "killed")

    async def pause(self, pool: PoolId | None, *, by: str, reason: str) -> Done:
        """Start no more runners of a pool, or of any."""
        fact = PauseAsked(pool=pool, by=by, reason=reason)
        return await self._act(lambda world, _now, _policy: _known_pool(world, pool) or fact, "paused")

    async def resume(self, pool: PoolId | None, *, by: str, reason: str) -> Done:
        """Lift a pause."""
        fact = ResumeAsked(pool=pool, by=by, reason=reason)
        return await self._act(lambda world, _now, _policy: _known_pool(world, pool) or fact, "resumed")

    async def events(self, after: int, kinds: frozenset[EventKind], limit: int, runner: Name | None) -> Page:
        """A slice of the journal."""
        return await self._store.events(after, kinds, limit, runner=runner)

    async def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """A runner's log at Koyeb: its last lines, then with `follow` the next ones for ever."""
        runner = actions.find(self._loop.world, name)
        if isinstance(runner, Refusal):
            raise ActionRefused(runner.status, self._detail(runner))
        if not runner.service_id:
            detail = ErrorDetail(code="not_created", message=f"{name} is not at Koyeb yet: it has no log")
            raise ActionRefused(409, detail)
        since = runner.created_at or 0.0
        try:
            past = await self._koyeb.logs(runner.service_id, since, LOG_LINES)
            for line in past:
                yield line
            if follow:
                last = max((line.at for line in past), default=since)
                async with aclosing(self._koyeb.tail(runner.service_id, last, told=past)) as lines:
                    async for line in lines:
                        yield line
        except CallError as problem:
            raise ActionRefused(502, ErrorDetail(code="koyeb", message=problem.message)) from None

    def note(self, event: Event) -> None:
        """Journal something that is no business of the core."""
        self._loop.note(event)

    async def _act(self, check: Callable[[World, Instant, Policy], Fact | Refusal], word: str) -> Done:
        answer = await self._loop.ask(check)
        if isinstance(answer, Refusal):
            raise ActionRefused(answer.status, self._detail(answer))
        name = getattr(answer, "name", None)
        key = getattr(answer, "pool", None)
        now = self.snapshot()
        subject = name or key or "all pools"
        return Done(
            message=f"{subject} {word}",
            seq=now.seq,
            runner=_runner(now, name),
            pool=next((pool for pool in now.pools if pool.id == key), None),
        )

    def _detail(self, refusal: Refusal) -> ErrorDetail:
        runner = _runner(self.snapshot(), refusal.runner.name) if refusal.runner is not None else None
        return ErrorDetail(code=refusal.code, message=refusal.message, hint=refusal.hint, runner=runner)


def _runner(now: Snapshot, name: Name | None) -> RunnerView | None:
    return next((runner for runner in now.runners if runner.name == name), None)


def _known_pool(world: World, pool: PoolId | None) -> Refusal | None:
    if pool is None or pool in world.pools:
        return None
    return Refusal(404, "unknown_pool", f"no pool has the id {pool}", "list the pools to see their ids")


def daemon_event(kind: EventKind, message: str, at: Instant) -> Event:
    """An event about the daemon itself."""
    return Event(kind=kind, at=at, message=message, level=Level.INFO)
