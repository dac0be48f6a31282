"""`krs demo`: the real daemon, unchanged, against the simulated cloud."""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from krs.config.settings import Github, Koyeb, Runners, Server, Settings, State, Webhook
from krs.daemon import Daemon
from krs.daemon.clock import Clock
from krs.daemon.desk import Desk
from krs.secret import Secret
from krs.sim.world import GITHUB_TOKEN, KOYEB_TOKEN, SECRET, Simulation

SETTLE = 20.0
"""Seconds of wall time at most for the last runners to go after the traffic has stopped."""
POLL = 0.1
TRAFFIC_SHARE = 0.4
"""Part of a demo's time in which new work comes in; the rest shows it being served and cleaned up."""


class Outcome(msgspec.Struct, frozen=True):
    """What a demo came to."""

    served: int
    killed: int
    started: int
    deleted: int
    usd: float

    def line(self) -> str:
        """The summary."""
        return (
            f"jobs served {self.served}, killed {self.killed}; "
            f"runners started {self.started}, deleted {self.deleted}; {self.usd:.2f} USD simulated"
        )


def settings(simulation: Simulation, folder: Path) -> Settings:
    """A daemon's settings for the simulation: short times-to-live, so that a demo shows an end."""
    return Settings(
        server=Server(host="127.0.0.1", port=0),
        webhook=Webhook(secret=Secret(SECRET)),
        github=Github(token=Secret(GITHUB_TOKEN), api_url=simulation.github_url),
        koyeb=Koyeb(token=Secret(KOYEB_TOKEN), api_url=simulation.koyeb_url),
        runners=Runners(ttl=120.0, surplus_ttl=60.0),
        state=State(path=folder / "demo.db"),
    )


Watch = Callable[[Desk, Clock], Awaitable[None]]


async def run(
    *,
    seconds: float | None,
    speed: float,
    seed: int,
    per_minute: float,
    stopped: asyncio.Event,
    watch: Watch | None = None,
) -> Outcome:
    """Run for some seconds of wall time, or until `stopped`; then let the last runners go.

    With `watch`, which shows a console, the demo ends when that returns, whatever still runs.
    """
    with tempfile.TemporaryDirectory(prefix="krs-demo-") as folder:
        simulation = Simulation(seed=seed, speed=speed)
        await simulation.start()
        daemon = Daemon(settings(simulation, Path(folder)), clock=simulation.agenda.clock)
        try:
            await daemon.start()
            simulation.deliveries.point_at(f"http://127.0.0.1:{daemon.port}/")
            if watch is not None:
                await _show(simulation, daemon, per_minute, watch)
            else:
                await _play(simulation, seconds, per_minute, stopped)
                await _settle(simulation, daemon)
            return _outcome(simulation)
        finally:
            await daemon.stop()
            await simulation.stop()


async def _show(simulation: Simulation, daemon: Daemon, per_minute: float, watch: Watch) -> None:
    simulation.traffic.start(per_minute)
    await watch(daemon.scheduler, simulation.agenda.clock)


async def _play(simulation: Simulation, seconds: float | None, per_minute: float, stopped: asyncio.Event) -> None:
    simulation.traffic.start(per_minute)
    busy = seconds * TRAFFIC_SHARE if seconds is not None else None
    for wait in (busy, seconds - busy if seconds is not None and busy is not None else 0.0):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), wait)
        simulation.traffic.stop()


async def _settle(simulation: Simulation, daemon: Daemon) -> None:
    """Wait until nothing runs any more, within bounds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLE
    while loop.time() < deadline and (simulation.cloud.alive() or daemon.scheduler.snapshot().totals.queued):
        seen = daemon.scheduler.feed.last_seq
        await daemon.scheduler.feed.wait(seen, POLL)


def _outcome(simulation: Simulation) -> Outcome:
    stats = simulation.stats()
    return Outcome(
        served=stats["served"],
        killed=stats["killed"],
        started=stats["services_created"],
        deleted=stats["services_deleted"],
        usd=stats["usd"],
    )
