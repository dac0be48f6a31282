"""The admin API over a scheduler that is a plain object in memory."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import tornado.httpserver
import tornado.netutil

from krs.core.commands import CreateRunner
from krs.core.model import Event, Instant, Name, PoolId
from krs.core.snapshot import snapshot
from krs.core.views import (
    Check,
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
from krs.core.vocabulary import CheckName, EventKind, Finding
from krs.feed import Feed
from krs.http.api import routes
from krs.http.app import build
from krs.http.metrics import Metrics
from krs.http.ports import ActionRefused, Answer
from krs.secret import Secret
from tests.core.build import POLICY, at, created, job, swept, turn

ADMIN, READER = "admin-token-0123456789", "reader-token-0123456789"


class Double:
    """A scheduler that keeps what it was asked for. `journal` is its whole past, of which `kept` rows remain."""

    def __init__(self) -> None:
        world, commands = turn(swept(), job(1))
        (name,) = (command.name for command in commands if isinstance(command, CreateRunner))
        self.world, _ = turn(world, created(name))
        self.name = name
        self.feed = Feed(size=8)
        self.journal: list[Event] = []
        self.kept = 10_000
        self.noted: list[Event] = []
        self.asked: list[tuple[str, Any, str]] = []
        self.refusal: ActionRefused | None = None

    def happen(self, count: int, kind: EventKind = EventKind.WARNING) -> None:
        """Events come to pass."""
        first = self.feed.last_seq + 1
        new = [Event(kind=kind, at=at(0), message=f"event {n}", seq=n) for n in range(first, first + count)]
        self.journal += new
        self.feed.publish(new)

    def snapshot(self) -> Snapshot:
        """One runner that boots for one job."""
        return snapshot(self.world, at(0), POLICY, seq=self.feed.last_seq, version="test", counters={})

    async def doctor(self) -> Diagnosis:
        """One check."""
        return Diagnosis(at=at(0), checks=(Check(name=CheckName.CLOCK, finding=Finding.OK, message="as it should be"),))

    def _do(self, what: str, body: Any, by: str) -> Done:
        self.asked.append((what, body, by))
        if self.refusal is not None:
            raise self.refusal
        return Done(message=f"{what} {len(self.asked)}", seq=self.feed.last_seq, runner=self.snapshot().runners[0])

    async def start(self, body: StartBody, *, by: str) -> Done:
        """Note it."""
        return self._do("start", body, by)

    async def extend(self, name: Name, body: ExtendBody, *, by: str) -> Done:
        """Note it; an unknown runner is refused."""
        if name != self.name:
            raise ActionRefused(404, ErrorDetail(code="unknown_runner", message="unknown"))
        if body.minutes is not None and not 0 < body.minutes < 1e5:
            raise ActionRefused(422, ErrorDetail(code="bad_value", message="minutes"))
        return self._do("extend", body, by)

    async def drain(self, name: Name, body: DrainBody, *, by: str) -> Done:
        """Note it."""
        return self._do("drain", body, by)

    async def kill(self, name: Name, body: KillBody, *, by: str) -> Done:
        """Note it."""
        return self._do("kill", body, by)

    async def pause(self, pool: PoolId | None, *, by: str, reason: str) -> Done:
        """Note it."""
        return self._do("pause", pool, by)

    async def resume(self, pool: PoolId | None, *, by: str, reason: str) -> Done:
        """Note it."""
        return self._do("resume", pool, by)

    async def events(self, after: int, kinds: frozenset[EventKind], limit: int, runner: Name | None) -> Page:
        """What is kept of the journal."""
        kept = self.journal[-self.kept :] if self.kept else []
        rows = [e for e in kept if e.seq > after and (not kinds or e.kind in kinds)]
        oldest = kept[0].seq if kept else 0
        return Page(events=tuple(rows[:limit]), next=self.feed.last_seq, more=len(rows) > limit, oldest=oldest)

    async def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """Two lines, and nothing more."""
        if name != self.name:
            raise ActionRefused(404, ErrorDetail(code="unknown_runner", message="unknown"))
        for number in range(2):
            yield LogLine(at=at(number), stream="stdout", text=f"line {number}")

    def note(self, event: Event) -> None:
        """Note it."""
        self.noted.append(event)

    def ready(self) -> tuple[bool, str]:
        """Always."""
        return True, "ready"


class Site:
    """A running server, and clients with each role."""

    def __init__(self, double: Double, url: str, application: Any) -> None:
        self.double = double
        self.url = url
        self.application = application
        self.streams = next(
            rule.target_kwargs["admin"].streams
            for rule in application.wildcard_router.rules
            if "admin" in rule.target_kwargs
        )

    def http(self, token: str | None = ADMIN, **headers: str) -> httpx.AsyncClient:
        """A client with a token."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        return httpx.AsyncClient(base_url=self.url, headers=sent, trust_env=False)


async def intake(headers: Any, body: bytes) -> Answer:
    """A webhook that takes everything."""
    return Answer(202, "accepted", "taken")


def application(double: Double, *, admin: str = ADMIN, reader: str = READER) -> Any:
    """All routes."""
    metrics = Metrics("test")
    now = [0.0]
    more = routes(double, metrics, Secret(admin), Secret(reader), lambda: Instant(now[0]))
    return build(intake=intake, health=double, metrics=metrics, max_body=1000, more=more)


async def serve(built: Any) -> tuple[tornado.httpserver.HTTPServer, str]:
    """Listen on a free port."""
    server = tornado.httpserver.HTTPServer(built, max_body_size=1 << 40)
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    return server, f"http://127.0.0.1:{sockets[0].getsockname()[1]}"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A running API."""
    double = Double()
    built = application(double)
    server, url = await serve(built)
    running = Site(double, url, built)
    running.streams.keep_alive = 0.05
    yield running
    server.stop()
    await server.close_all_connections()
    await asyncio.sleep(0)
