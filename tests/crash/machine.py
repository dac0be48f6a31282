"""The real daemon as a process that can be killed, and the simulated Koyeb and GitHub that outlive it."""

import asyncio
import gc
import os
import random
import signal
import socket
import sqlite3
import sys
import time
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from krs.config import load
from krs.daemon import Daemon
from krs.daemon.clock import ScaledClock
from krs.github.webhook import sign
from krs.sim import github, koyeb
from krs.sim.world import GITHUB_TOKEN, KOYEB_TOKEN, SECRET, Simulation
from tests.deliveries import delivery

ADMIN = "admin-token-0123456789"
PATIENCE = 60.0
"""Seconds of wall time that anything may take; nothing waits for it unless it fails."""
FASTER = 100.0
"""Seconds in a second for the last daemon: its longest wait, for a job nobody confirmed, is ten minutes."""
SETTINGS = {
    "KRS_RUNNERS_TTL": "2s",
    "KRS_RUNNERS_SURPLUS_TTL": "1s",
    "KRS_RUNNERS_IDLE_CONFIRM": "1s",
    "KRS_RUNNERS_CREATES_PER_HOUR": "100000",
    "KRS_RUNNERS_MAX_TOTAL": "10000",
    "KRS_SERVER_HOST": "127.0.0.1",
    "KRS_LOG_LEVEL": "warning",
    "KRS_ADMIN_TOKEN": ADMIN,
    "KOYEB_TOKEN": KOYEB_TOKEN,
    "GITHUB_TOKEN": GITHUB_TOKEN,
    "API_SECRET": SECRET,
}


class Recorder(httpx.AsyncBaseTransport):
    """The network, with a memory: the deliveries that were answered as being on disk."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self.kept: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a delivery on, and remember a promise."""
        answer = await self._inner.handle_async_request(request)
        await answer.aread()
        if answer.status_code == 202 and answer.json()["code"] == "accepted":
            self.kept.add(request.headers["x-github-delivery"])
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class Machine:
    """A cloud, a state file, and a daemon process that comes and goes."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int = 1, **environ: str) -> None:
        for module, name in ((koyeb, "PULL"), (koyeb, "STOP"), (github, "CONNECT")):
            monkeypatch.setattr(module, name, (0.05, 0.3))
        self.path = folder / "state.db"
        self.recorder = Recorder()
        self.simulation = Simulation(seed=seed, deliver_by=self.recorder)
        self.dice = random.Random(seed)
        self.load = Load(self)
        self.process: asyncio.subprocess.Process | None = None
        self._errors = folder / "daemon.log"
        self._environ = environ
        self._folder = folder
        with closing(socket.socket()) as found:
            found.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{found.getsockname()[1]}"

    async def start(self) -> None:
        """Start the cloud."""
        await self.simulation.start()
        self.simulation.deliveries.point_at(f"{self.url}/")

    async def stop(self) -> None:
        """End everything."""
        await self.load.stop()
        self.kill()
        await self.gone()
        await self.simulation.stop()
        await self.recorder.aclose()
        with warnings.catch_warnings():
            # Connections of a daemon that was killed are left half open: what becomes of them is not what is tested.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    async def up(self) -> None:
        """Start the daemon on the file; returns when the process is there, not when it listens."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("KRS_")}
        with self._errors.open("ab") as errors:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "krs", "daemon"),
                env={**clean, **self._settings(), **self._environ},
                cwd=self._folder,
                stdout=errors,
                stderr=errors,
            )

    def _settings(self) -> dict[str, str]:
        return {
            **SETTINGS,
            "KRS_STATE": str(self.path),
            "PORT": self.url.rpartition(":")[2],
            "KOYEB_API_URL": self.simulation.koyeb_url,
            "GITHUB_API_URL": self.simulation.github_url,
        }

    async def last_daemon(self) -> Daemon:
        """A daemon in this process, with the same settings on the same file, for which time passes faster."""
        agenda = self.simulation.agenda
        agenda.clock, agenda.speed = ScaledClock(FASTER), FASTER
        daemon = Daemon(load({}, self._settings()).settings, clock=agenda.clock)
        await daemon.start()
        return daemon

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)

    async def gone(self) -> None:
        """Wait for its end."""
        if self.process is not None:
            await self.process.wait()

    async def get(self, path: str) -> httpx.Response | None:
        """Ask the daemon; None when nobody answers."""
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                return await http.get(self.url + path, headers={"authorization": f"Bearer {ADMIN}"})
        except httpx.TransportError:
            return None

    async def until(self, done: Any, *, what: str = "") -> None:
        """Poll until something holds; the daemon's log is in the failure."""
        deadline = time.monotonic() + PATIENCE
        while not await done():
            state = self.simulation.stats()
            assert time.monotonic() < deadline, f"{what} never came: {state}\n{self.log()[-3000:]}"
            assert self.process is None or self.process.returncode is None, f"the daemon ended:\n{self.log()[-3000:]}"
            await asyncio.sleep(0.02)

    async def ready(self) -> bool:
        """Whether the daemon listed Koyeb and is at work."""
        answer = await self.get("/readyz")
        return answer is not None and answer.status_code == 200

    def log(self) -> str:
        """What all daemons so far wrote."""
        return self._errors.read_text(encoding="utf-8") if self._errors.exists() else ""

    def alive(self) -> set[str]:
        """Names of the services that cost money."""
        return {service.name for service in self.simulation.cloud.alive()}

    def on_disk(self) -> tuple[str, set[str], set[str]]:
        """Of the file as the dead process left it: SQLite's word on it, GUIDs of deliveries, names of runners."""
        connection = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)
        with closing(connection):
            (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
            if "delivery" not in tables:
                return sound, set(), set()
            guids = {guid for (guid,) in connection.execute("SELECT guid FROM delivery")}
            names = {name for (name,) in connection.execute("SELECT key FROM runner")}
        return sound, guids, names


class Load:
    """Deliveries by hand, four at a time: of jobs that ended before krs heard of them, so that they cost no runner."""

    LANES = 4

    def __init__(self, machine: Machine) -> None:
        self.sent = 0
        self._machine = machine
        self._tasks: list[asyncio.Task[None]] = []
        self._next = 7_000_000_000

    def start(self) -> None:
        """Begin, and go on until stopped."""
        self._tasks = [asyncio.create_task(self._lane()) for _ in range(self.LANES)]

    async def stop(self) -> None:
        """No more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _lane(self) -> None:
        async with httpx.AsyncClient(transport=self._machine.recorder, timeout=5.0) as http:
            while True:
                self._next += 1
                await self._send(http, self._next)

    async def _send(self, http: httpx.AsyncClient, job: int) -> None:
        body = delivery(action="completed", job_id=job, labels=["koyeb-fra-small"])
        headers = {
            "content-type": "application/json",
            "x-github-event": "workflow_job",
            "x-github-delivery": f"load-{job}",
            "x-hub-signature-256": sign(SECRET.encode(), body),
        }
        self.sent += 1
        try:
            await http.post(f"{self._machine.url}/webhook", content=body, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(0.05)
