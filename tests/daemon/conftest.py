"""A whole installation in one process: the real daemon against the simulated cloud, at high speed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from krs.config.settings import Github, Koyeb, Runners, Server, Settings, State, Webhook
from krs.core.model import Event
from krs.core.vocabulary import EventKind
from krs.daemon import Daemon
from krs.github.webhook import sign
from krs.secret import Secret
from krs.sim.world import GITHUB_TOKEN, KOYEB_TOKEN, SECRET, Simulation

SPEED = 300.0
PATIENCE = 20.0
"""Seconds of wall time that anything may take; nothing waits for it unless it fails."""


class House:
    """A simulation and a daemon that can be stopped and started on the same file or on none."""

    def __init__(self, folder: Path) -> None:
        self.simulation = Simulation(speed=SPEED)
        self.path = folder / "state.db"
        self.runners = Runners(ttl=120.0, surplus_ttl=60.0)
        self.daemon: Daemon

    def settings(self) -> Settings:
        """The daemon's settings."""
        return Settings(
            server=Server(host="127.0.0.1", port=0),
            webhook=Webhook(secret=Secret(SECRET)),
            github=Github(token=Secret(GITHUB_TOKEN), api_url=self.simulation.github_url),
            koyeb=Koyeb(token=Secret(KOYEB_TOKEN), api_url=self.simulation.koyeb_url),
            runners=self.runners,
            state=State(path=self.path),
        )

    async def up(self, **runners: object) -> None:
        """Start a daemon, and deliver to it."""
        self.runners = replace(self.runners, **runners)
        self.daemon = Daemon(self.settings(), clock=self.simulation.agenda.clock)
        await self.daemon.start()
        self.simulation.deliveries.point_at(f"http://127.0.0.1:{self.daemon.port}/")

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait until something holds, event by event; fails when it takes too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while not done():
            assert loop.time() < deadline, f"it never came: {self.simulation.stats()}"
            feed = self.daemon.scheduler.feed
            await feed.wait(feed.last_seq, 0.05)

    async def post(self, body: bytes, **headers: str) -> httpx.Response:
        """Send a delivery by hand, signed."""
        sent = {
            "content-type": "application/json",
            "x-github-event": "workflow_job",
            "x-hub-signature-256": sign(SECRET.encode(), body),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        async with httpx.AsyncClient() as http:
            return await http.post(f"http://127.0.0.1:{self.daemon.port}/", content=body, headers=sent)

    async def journal(self, *kinds: EventKind) -> list[Event]:
        """All events of some kinds so far."""
        return list((await self.daemon.scheduler.events(0, frozenset(kinds), 10_000, None)).events)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Both servers; the test starts the daemon as it likes."""
    built = House(tmp_path)
    await built.simulation.start()
    yield built
    if hasattr(built, "daemon"):
        await built.daemon.stop()
    await built.simulation.stop()
