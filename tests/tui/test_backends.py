"""One contract for every backend: what the console may rely on, wherever the scheduler runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import msgspec
import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from krs import errors
from krs.client import ApiClient
from krs.core.views import Diagnosis, Done, DrainBody, ErrorDetail, ExtendBody, KillBody, Page, PauseBody, StartBody
from krs.feed import Feed
from krs.http.api import routes
from krs.http.metrics import Metrics
from krs.http.ports import ActionRefused
from krs.secret import Secret
from tests.tui import fleet
from tui.backend import (
    Backend,
    Connection,
    Denied,
    Event,
    EventKind,
    Instant,
    Level,
    Link,
    LogLine,
    Name,
    PoolId,
    Refused,
    Role,
    RunnerView,
    Snapshot,
    Stale,
    Target,
)
from tui.backend.embedded import EmbeddedBackend
from tui.backend.remote import RemoteBackend
from tui.backend.scripted import ScriptedBackend

TOKEN = "a-token-of-some-length"
IDLE = Name("runner-fra-small-9d11")
BUSY = Name("runner-fra-medium-7f3a")


class World:
    """A scheduler in miniature: the scripted one, with what it knows open to the fakes of the other two."""

    def __init__(self) -> None:
        self.scripted = ScriptedBackend(
            fleet.snapshot(), events=fleet.events(), logs=fleet.log_lines(), checks=fleet.checks()
        )
        self.feed = Feed()
        self.feed.publish(fleet.events())
        self.down: errors.CallError | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The present snapshot."""
        return self.scripted.snapshot

    def happen(self, seq: int, message: str) -> None:
        """An event, and a snapshot that includes it."""
        event = fleet.event(seq, EventKind.JOB_STARTED, Level.INFO, IDLE, message, fleet.NOW)
        self.scripted.push(msgspec.structs.replace(self.snapshot, seq=seq, at=Instant(self.snapshot.at + 1)))
        self.scripted.emit(event)
        self.feed.publish([event])

    def since(self, after: int) -> tuple[Event, ...]:
        """The events after one."""
        return self.feed.since(after) or ()

    def target(self, name: Name, version: int | None) -> Target:
        """A target as the API's bodies name it."""
        return Target(name=name, version=version or 0)


class FakeScheduler:
    """`krs.http.ports.Scheduler` over the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.feed = world.feed

    def snapshot(self) -> Snapshot:
        """The snapshot."""
        return self.world.snapshot

    async def doctor(self) -> Diagnosis:
        """What the scripted one says."""
        return await self.world.scripted.doctor()

    async def start(self, body: StartBody, *, by: str) -> Done:
        """Start."""
        return await self._do(self.world.scripted.start(body.label, body.scope))

    async def extend(self, name: Name, body: ExtendBody, *, by: str) -> Done:
        """Extend."""
        target = self.world.target(name, body.version)
        return await self._do(self.world.scripted.extend(target, minutes=body.minutes, until=body.until))

    async def drain(self, name: Name, body: DrainBody, *, by: str) -> Done:
        """Drain."""
        return await self._do(self.world.scripted.drain(self.world.target(name, body.version), cancel=body.cancel))

    async def kill(self, name: Name, body: KillBody, *, by: str) -> Done:
        """Kill."""
        return await self._do(self.world.scripted.kill(self.world.target(name, body.version), force=body.force))

    async def pause(self, pool: PoolId | None, *, by: str, reason: str) -> Done:
        """Pause."""
        return await self._do(self.world.scripted.pause(pool))

    async def resume(self, pool: PoolId | None, *, by: str, reason: str) -> Done:
        """Resume."""
        return await self._do(self.world.scripted.resume(pool))

    async def events(self, after: int, kinds: frozenset[EventKind], limit: int, runner: Name | None) -> Page:
        """A slice of the journal."""
        found = tuple(one for one in self.world.since(after) if runner in {None, one.runner})
        return Page(events=found[:limit], next=0, more=False, oldest=1)

    def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """The log."""
        return fake_logs(name, follow)

    def note(self, event: Event) -> None:
        """Nothing."""

    async def _do(self, call: Awaitable[Done]) -> Done:
        try:
            return await call
        except Stale as problem:
            detail = ErrorDetail(code="stale", message=problem.message, runner=problem.present)
            raise ActionRefused(409, detail) from None
        except Refused as problem:
            raise ActionRefused(409, ErrorDetail(code="busy", message=problem.message)) from None


class FakeRefusal(errors.Refused):
    """A refusal that carries the runner as it is now."""

    def __init__(self, message: str, status: int, code: str, runner: RunnerView | None) -> None:
        super().__init__(message, status=status, code=code)
        self.runner = runner


class FakeClient:
    """The API's client over the world, with a switch for the network."""

    role = "admin"

    def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """A log source."""
        return fake_logs(name, follow)

    def __init__(self, world: World) -> None:
        self.world = world
        self._scheduler = FakeScheduler(world)

    async def state(self) -> Snapshot:
        """The snapshot."""
        self._check()
        return self.world.snapshot

    async def events(self, after: int, *, limit: int, runner: Name | None = None) -> Page:
        """A slice of the journal."""
        self._check()
        return await self._scheduler.events(after, frozenset(), limit, runner)

    async def follow(self, after: int) -> AsyncIterator[Event]:
        """Events for ever."""
        while True:
            self._check()
            for event in self.world.since(after):
                after = event.seq
                yield event
            await self.world.feed.wait(after, 0.02)

    async def doctor(self) -> Diagnosis:
        """The diagnosis."""
        self._check()
        return await self._scheduler.doctor()

    async def start(self, body: StartBody) -> Done:
        """Start."""
        return await self._do(self._scheduler.start(body, by=""))

    async def extend(self, name: Name, body: ExtendBody) -> Done:
        """Extend."""
        return await self._do(self._scheduler.extend(name, body, by=""))

    async def drain(self, name: Name, body: DrainBody) -> Done:
        """Drain."""
        return await self._do(self._scheduler.drain(name, body, by=""))

    async def kill(self, name: Name, body: KillBody) -> Done:
        """Kill."""
        return await self._do(self._scheduler.kill(name, body, by=""))

    async def pause(self, pool: PoolId | None, body: PauseBody) -> Done:
        """Pause."""
        return await self._do(self._scheduler.pause(pool, by="", reason=body.reason))

    async def resume(self, pool: PoolId | None, body: PauseBody) -> Done:
        """Resume."""
        return await self._do(self._scheduler.resume(pool, by="", reason=body.reason))

    async def aclose(self) -> None:
        """Nothing."""

    def _check(self) -> None:
        if self.world.down is not None:
            raise self.world.down

    async def _do(self, call: Awaitable[Done]) -> Done:
        try:
            return await call
        except ActionRefused as problem:
            detail = problem.detail
            raise FakeRefusal(detail.message, problem.status, detail.code, detail.runner) from None


async def fake_logs(_name: Name, _follow: bool) -> AsyncIterator[LogLine]:
    """A log source."""
    for line in fleet.log_lines():
        yield line


class Make(Protocol):
    """Makes a backend over a world."""

    def __call__(self, world: World) -> Backend:
        """Make one."""


def scripted(world: World) -> Backend:
    """The scripted backend."""
    return world.scripted


def embedded(world: World) -> Backend:
    """The embedded backend over a fake scheduler."""
    return EmbeddedBackend(FakeScheduler(world), now=lambda: world.snapshot.at, by="ana")


def remote(world: World) -> Backend:
    """The remote backend over a fake client."""
    return RemoteBackend(FakeClient(world), where="http://test", profile="test", clock=lambda: fleet.NOW - 3600)


class Served(RemoteBackend):
    """The remote backend with the real client, over the real API of a real server."""

    def __init__(self, world: World) -> None:
        scheduler = FakeScheduler(world)
        metrics = Metrics("test")
        api = routes(scheduler, metrics, Secret(TOKEN), Secret(""), lambda: world.snapshot.at)
        self._server = HTTPServer(Application(api))
        sockets = bind_sockets(0, "127.0.0.1")
        self._server.add_sockets(sockets)
        url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        client = ApiClient(url, Secret(TOKEN))
        super().__init__(client, where=url, profile="test", clock=lambda: fleet.NOW - 3600)

    async def aclose(self) -> None:
        """Close the client, then the server."""
        await super().aclose()
        self._server.stop()
        await self._server.close_all_connections()


def served(world: World) -> Backend:
    """The remote backend over the network."""
    return Served(world)


@pytest.fixture(params=[scripted, embedded, remote, served], ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest) -> Make:
    """Every backend in turn."""
    made: Make = request.param
    return made


class Reader:
    """Reads changes until something is seen."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.links: list[Link] = []
        self.order: list[str] = []
        self.snapshot: Snapshot | None = None
        self.events: list[Event] = []
        self._changes = backend.changes()

    async def until(self, seen: Callable[["Reader"], object]) -> None:
        """Read on, for five seconds at most."""
        async with asyncio.timeout(5):
            while not seen(self):
                change = await anext(self._changes)
                self.order.append(type(change).__name__)
                match change:
                    case Connection():
                        self.links.append(change.link)
                    case Snapshot():
                        self.snapshot = change
                    case _:
                        self.events += change


async def test_first_comes_a_snapshot(make: Make) -> None:
    """Before any event there is a snapshot; then the events of the recent past, in order."""
    backend = make(World())
    reader = Reader(backend)
    await reader.until(lambda one: len(one.events) >= 8)
    assert next(kind for kind in reader.order if kind != "Connection") == "Snapshot"
    assert reader.links[-1] is Link.LIVE
    assert [event.seq for event in reader.events] == list(range(1, 9))
    await backend.aclose()


async def test_changes_arrive_once_and_in_order(make: Make) -> None:
    """New events come once each, by seq, and the snapshot follows."""
    world = World()
    backend = make(world)
    reader = Reader(backend)
    await reader.until(lambda one: len(one.events) >= 8)
    for seq in range(9, 30):
        world.happen(seq, f"event {seq}")
    await reader.until(lambda one: one.events[-1].seq == 29 and one.snapshot is not None and one.snapshot.seq == 29)
    assert [event.seq for event in reader.events] == list(range(1, 30))
    await backend.aclose()


async def test_actions_answer_with_the_runner(make: Make) -> None:
    """An action returns what it changed."""
    backend = make(World())
    done = await backend.drain(Target(name=BUSY, version=3))
    assert done.runner is not None
    assert done.runner.draining
    back = await backend.drain(Target(name=BUSY, version=done.runner.version), cancel=True)
    assert back.runner is not None
    assert not back.runner.draining
    extended = await backend.extend(Target(name=IDLE, version=3), minutes=15)
    assert extended.runner is not None
    assert extended.runner.hold_until == fleet.NOW + 110 + 900
    await backend.pause(PoolId("acme.api~koyeb-fra-medium"))
    await backend.resume(None)
    await backend.start("koyeb-fra-small", "acme/api")
    await backend.aclose()


async def test_stale_targets_are_refused_with_the_present_runner(make: Make) -> None:
    """An action on an older version is refused, and says what the runner is now."""
    backend = make(World())
    with pytest.raises(Stale) as caught:
        await backend.kill(Target(name=IDLE, version=1))
    assert caught.value.present is not None
    assert caught.value.present.version == 3
    assert "\n" not in caught.value.message
    await backend.aclose()


async def test_refusals_are_told_apart(make: Make) -> None:
    """A busy runner without force, and an unknown one, are refused in one line."""
    backend = make(World())
    with pytest.raises(Refused, match="busy"):
        await backend.kill(Target(name=BUSY, version=3))
    with pytest.raises(Refused, match="no runner"):
        await backend.kill(Target(name=Name("nobody"), version=3))
    await backend.aclose()


async def test_history_is_of_one_runner(make: Make) -> None:
    """The history holds only the events of that runner."""
    backend = make(World())
    past = await backend.history(BUSY)
    assert past
    assert {event.runner for event in past} == {BUSY}
    await backend.aclose()


async def test_the_doctor_answers(make: Make) -> None:
    """The same checks wherever the scheduler runs."""
    backend = make(World())
    assert (await backend.doctor()).checks == fleet.checks()
    await backend.aclose()


async def test_logs(make: Make) -> None:
    """A log is read line by line."""
    backend = make(World())
    lines = [line async for line in backend.logs(BUSY, follow=False)]
    assert lines == list(fleet.log_lines())
    await backend.aclose()


async def test_clock(make: Make) -> None:
    """`now` is the scheduler's clock, even when the local one is an hour off."""
    backend = make(World())
    reader = Reader(backend)
    await reader.until(lambda one: one.snapshot is not None)
    assert abs(backend.now() - fleet.NOW) < 2
    await backend.aclose()


async def test_remote_read_token_may_only_look() -> None:
    """A token of the other role is refused as DENIED by the API, and the console knows from then on."""
    world = World()
    backend = remote(world)
    refusal = errors.Refused("this token may only look", status=403, code="read_only")

    async def refuse(_name: Name, _body: KillBody) -> Done:
        raise refusal

    assert isinstance(backend, RemoteBackend)
    backend._client.kill = refuse  # type: ignore[method-assign,assignment]  # the network's answer
    with pytest.raises(Denied, match="only look"):
        await backend.kill(Target(name=IDLE, version=3))
    assert backend.role is Role.READ_ONLY
    await backend.aclose()


async def test_remote_is_lost_and_comes_back() -> None:
    """A scheduler that goes away is LOST, tried again, and LIVE without a missing or repeated event."""
    world = World()
    backend = remote(world)
    reader = Reader(backend)
    await reader.until(lambda one: len(one.events) == 8)
    world.down = errors.Unreached("http://test: connection refused")
    await reader.until(lambda one: one.links[-1] is Link.LOST)
    world.happen(9, "meanwhile")
    world.down = None
    backend.reconnect()
    await reader.until(lambda one: one.links[-1] is Link.LIVE and one.events[-1].seq == 9)
    assert [event.seq for event in reader.events] == list(range(1, 10))
    await backend.aclose()


async def test_remote_denied_is_not_retried() -> None:
    """A refused token is DENIED and waits for a person; ctrl+r tries again."""
    world = World()
    world.down = errors.Refused("http://test: 401 bad token", status=401)
    backend = remote(world)
    reader = Reader(backend)
    await reader.until(lambda one: one.links[-1:] == [Link.DENIED])
    world.down = None
    backend.reconnect()
    await reader.until(lambda one: one.snapshot is not None)
    assert reader.links[-1] is Link.LIVE
    await backend.aclose()
