"""Show the console on a real terminal with a scripted scheduler: `python tests/tui/show.py [lost|read-only|...]`.

The pty tests and people looking at the screens use it; it is no part of the product. When SHOW_RESULT names a file,
how it ended and the longest time the loop stood still go there.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import msgspec

import tui.app
from tests.tui import fleet
from tui import embed
from tui.app import ConsoleApp
from tui.backend import Connection, EventKind, Instant, Level, Link, Role
from tui.backend.scripted import ScriptedBackend
from tui.driver import StallSafeDriver
from tui.settings import SettingsFile

STARTED = time.monotonic()


class Ticking(ScriptedBackend):
    """A scripted backend whose clock runs."""

    def now(self) -> Instant:
        """The fleet's instant and the time since the start."""
        return Instant(fleet.NOW + time.monotonic() - STARTED)


class Pulse:
    """Measures how long the loop stood still at most, and does some work meanwhile."""

    def __init__(self, backend: ScriptedBackend, busy: bool) -> None:
        self.longest = 0.0
        self._backend = backend
        self._busy = busy
        self._seq = 100

    async def beat(self) -> None:
        """Beat for ever."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - before - 0.01)
            if self._busy:
                self._seq += 1
                message = f"event {self._seq} {'x' * 60}"
                event = fleet.event(self._seq, EventKind.WARNING, Level.INFO, None, message, self._backend.now())
                self._backend.emit(event)


def play(words: set[str], app: ConsoleApp, backend: ScriptedBackend) -> None:
    """Arrange for what the words ask."""
    loop = asyncio.get_running_loop()
    if "lost" in words:
        lost = Connection(
            link=Link.LOST, since=Instant(fleet.NOW - 42), retry_at=Instant(fleet.NOW + 4), attempts=5,
            message="connection refused by 127.0.0.1:8000",
        )  # fmt: skip
        loop.call_later(0.7, backend.connect, lost)
    if "crash" in words:
        token = "hunter2-secret"
        loop.call_later(1.0, lambda: app.call_later(lambda: 1 / len(token[:0])))


async def main(words: set[str]) -> dict[str, object]:
    """Show it, say how it ended, and prove that the loop outlived it."""
    if "busy" in words:
        tui.app.FLUSH = 0.02
    backend = Ticking(
        fleet.empty() if "empty" in words else fleet.snapshot(),
        events=() if "empty" in words else fleet.events(),
        logs=fleet.log_lines(),
        checks=fleet.checks(),
        role=Role.READ_ONLY if "read-only" in words else Role.ADMIN,
        embedded="embedded" in words,
    )
    crashes: list[str] = []
    app = ConsoleApp(
        backend,
        settings=SettingsFile(None),
        environ=os.environ,
        driver=StallSafeDriver,
        report_crash=crashes.append,
    )
    pulse = Pulse(backend, busy="busy" in words)
    beating = asyncio.create_task(pulse.beat())
    play(words, app, backend)
    ending = await embed.run(app)
    outlived = pulse.longest
    await asyncio.sleep(0.1)
    beating.cancel()
    calls = [one.action for one in backend.calls]
    return {"ending": ending.name, "longest": outlived, "crashes": crashes, "calls": calls}


if __name__ == "__main__":
    outcome = asyncio.run(main(set(sys.argv[1:])))
    if path := os.environ.get("SHOW_RESULT"):
        Path(path).write_bytes(msgspec.json.encode(outcome))
