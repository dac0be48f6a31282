"""A whole installation in virtual time: the real daemon, store and clients against the simulated cloud."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from unittest import mock

import msgspec

from krs.config.settings import Github, Koyeb, Runners, Server, Settings, State, Webhook
from krs.daemon import Daemon
from krs.secret import Secret
from krs.sim.traffic import WORKFLOWS
from krs.sim.world import GITHUB_TOKEN, KOYEB_TOKEN, SECRET, Simulation
from tests.simulation.virtual import InlineWriter, VirtualClock
from tests.simulation.wire import ToDaemons, Wire

SOLD = frozenset(
    label for workflow in WORKFLOWS for _, labels in workflow.jobs for label in labels if "gigantic" not in label
) - {"ubuntu-latest", "self-hosted"}
"""The labels that the simulated traffic and our own work ask for and that can be had."""


class Installation:
    """The simulated services, and a daemon that can be stopped, killed and started on the same file."""

    def __init__(
        self, folder: Path, *, seed: int = 1, runners: Runners | None = None, jit_secrets: bool = False
    ) -> None:
        self.truth = VirtualClock()
        self.clock = VirtualClock()
        self.daemons = ToDaemons()
        self.simulation = Simulation(seed=seed, clock=self.truth, deliver_by=self.daemons)
        koyeb, github = self.simulation.applications()
        self.wire = Wire({"koyeb.test": koyeb, "github.test": github})
        self.simulation.deliveries.point_at("http://daemon.test/")
        self.path = folder / "state.db"
        self.runners = runners or Runners()
        self.jit_secrets = jit_secrets
        self.adjust: Callable[[Settings], Settings] = lambda settings: settings
        self.daemon: Daemon

    def settings(self) -> Settings:
        """The daemon's settings."""
        return Settings(
            server=Server(host="127.0.0.1", port=0),
            webhook=Webhook(secret=Secret(SECRET)),
            github=Github(token=Secret(GITHUB_TOKEN), api_url="http://github.test"),
            koyeb=Koyeb(token=Secret(KOYEB_TOKEN), api_url="http://koyeb.test", jit_secrets=self.jit_secrets),
            runners=self.runners,
            state=State(path=self.path),
        )

    async def up(self) -> None:
        """Start the daemon."""
        self.daemon = Daemon(self.adjust(self.settings()), clock=self.clock, transport=self.wire)
        await self.daemon.start()
        self.daemons.living.append(self.daemon)

    async def down(self) -> None:
        """Stop the daemon as SIGTERM does."""
        self.daemons.living.remove(self.daemon)
        await self.daemon.stop()

    async def kill(self) -> None:
        """End the daemon as SIGKILL does: nothing more is called, written or waited for."""
        self.daemons.living.remove(self.daemon)
        self.daemon._server.stop()
        for task in self.daemon._tasks:
            task.cancel()
        await self.daemon._executor.close(0.0)
        await asyncio.gather(*self.daemon._tasks, return_exceptions=True)
        await self.daemon._close()

    async def work(self, jobs: int, hours: float) -> None:
        """Queue jobs, evenly spread over the hours, four repositories and three instance types."""
        for number in range(jobs):
            label = f"koyeb-fra-{('small', 'medium', 'large')[number % 3]}"
            self.simulation.queue(f"acme/{'abcd'[number % 4]}", (label,), seconds=30.0 + number * 37 % 600)
            await asyncio.sleep(hours * 3600 / jobs)

    async def until(self, done: Callable[[], bool], hours: float = 24.0) -> None:
        """Wait until something holds; fails when it does not within some hours."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + hours * 3600
        while not done():
            assert loop.time() < deadline, f"it never came: {self.simulation.stats()}"
            await asyncio.sleep(30.0)

    def quiet(self) -> bool:
        """Whether nothing runs, waits for what can be had, or is left anywhere."""
        forge, cloud = self.simulation.forge, self.simulation.cloud
        waiting = any(label in SOLD for job in forge.queued.values() for label in job.labels)
        return not (waiting or forge.running or forge.runners or cloud.alive())

    async def digest(self) -> str:
        """A fingerprint of all that happened: every event with its instant, and the counts of the services."""
        page = await self.daemon.scheduler.events(0, frozenset(), 1_000_000, None)
        content = msgspec.json.encode([page.events, self.simulation.stats()], order="deterministic")
        return hashlib.sha256(content).hexdigest()


@asynccontextmanager
async def installed(
    folder: Path, *, seed: int = 1, runners: Runners | None = None, jit_secrets: bool = False
) -> AsyncIterator[Installation]:
    """An installation whose daemon is up; at the end everything is closed."""
    with mock.patch("krs.store.store.Writer", InlineWriter):
        built = Installation(folder, seed=seed, runners=runners, jit_secrets=jit_secrets)
        await built.up()
        try:
            yield built
        finally:
            if built.daemons.living:
                await built.down()
            with suppress(asyncio.CancelledError):
                await built.simulation.stop()
