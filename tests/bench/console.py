"""What the console costs: `python -m tests.bench.console [--runners 1000] [--events 200] [--seconds 15]`.

Runs the console in a pty with an embedded-like backend that changes all the time, in one loop with an HTTP server, and
prints CPU, frames, bytes, key latency and the server's latency; then the server's latency without a console.
"""

import argparse
import asyncio
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

SIZE = (160, 50)
REVERSE = re.compile(rb"\x1b\[(?:[1-9]\d?;)*7[;m]")
"""The cursor's row begins."""
HTTP_RATE = 50
"""Requests a second to the server in the same loop."""


def child(arguments: argparse.Namespace) -> None:
    """The process that is measured: a server, a stream of changes, and (or not) a console."""
    from tests.tui import fleet
    from tui import embed
    from tui.app import ConsoleApp
    from tui.backend import Change, Connection, EventKind, Instant, Level, Link, Snapshot
    from tui.backend.scripted import ScriptedBackend
    from tui.driver import StallSafeDriver
    from tui.settings import SettingsFile

    rows = tuple(
        (f"{number:x}", *fleet.ROWS[number % len(fleet.ROWS)][1:6], 100 + number, 60.0 + 37 * number % 7200)
        for number in range(16, 16 + arguments.runners)
    )
    started = time.monotonic()

    class Changing(ScriptedBackend):
        """Hands out a changed snapshot four times a second and the events as they come."""

        def now(self) -> Instant:
            return Instant(fleet.NOW + time.monotonic() - started)

        async def changes(self) -> AsyncIterator[Change]:
            yield Connection(link=Link.LIVE)
            snapshot: Snapshot = self.snapshot
            yield snapshot
            number = 0
            while True:
                await asyncio.sleep(0.25)
                runners = list(snapshot.runners)
                for step in range(10):
                    at = (number * 7 + step) % len(runners)
                    runners[at] = msgspec.structs.replace(runners[at], cost=number / 1000, since=self.now())
                snapshot = msgspec.structs.replace(snapshot, runners=tuple(runners), at=self.now())
                yield snapshot
                batch = arguments.events // 4
                yield tuple(
                    fleet.event(
                        number * batch + one + 1, EventKind.JOB_STARTED, Level.INFO, None, "a job started", self.now()
                    )
                    for one in range(batch)
                )
                number += 1

    async def run() -> None:
        from tornado.httpserver import HTTPServer
        from tornado.netutil import bind_sockets
        from tornado.web import Application, RequestHandler

        class Hello(RequestHandler):
            """Answers."""

            def get(self) -> None:
                self.finish("ok")

        server = HTTPServer(Application([("/", Hello)]))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        Path(arguments.report).write_text(str(sockets[0].getsockname()[1]))  # noqa: ASYNC240 - before the measuring
        if arguments.without:
            await asyncio.sleep(arguments.seconds + 6)
            return
        backend = Changing(fleet.snapshot(rows))
        app = ConsoleApp(backend, settings=SettingsFile(None), environ=os.environ, driver=StallSafeDriver)
        await embed.run(app)

    asyncio.run(run())


class Load(threading.Thread):
    """Asks the server at a steady rate and keeps the latencies, in milliseconds."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.latencies: list[float] = []
        self.stopped = threading.Event()
        self._port = port

    def run(self) -> None:
        """Ask until stopped."""
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        while not self.stopped.wait(1 / HTTP_RATE):
            before = time.perf_counter()
            connection.request("GET", "/")
            connection.getresponse().read()
            self.latencies.append((time.perf_counter() - before) * 1000)


def share(values: list[float], part: float) -> float:
    """A percentile."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def cpu(process_id: int) -> float:
    """Seconds of processor time a process has used."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Terminal:
    """The pty of the measured process."""

    def __init__(self, command: list[str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )  # fmt: skip
        os.close(slave)

    def read(self, seconds: float) -> tuple[int, int]:
        """Bytes and bursts (frames) within some time."""
        size = frames = 0
        last, end = 0.0, time.perf_counter() + seconds
        while (wait := end - time.perf_counter()) > 0:
            if not select.select([self.master], [], [], wait)[0]:
                break
            try:
                size += len(os.read(self.master, 65_536))
            except OSError:  # the child is gone
                break
            now = time.perf_counter()
            frames += now - last > 0.01
            last = now
        return size, frames

    def first(self, text: bytes, limit: float = 20.0) -> float:
        """Seconds from the start until a text was sent."""
        data, end = b"", time.perf_counter() + limit
        while text not in data and time.perf_counter() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                data += os.read(self.master, 65_536)
        return time.perf_counter() - self.started

    def key(self) -> float:
        """Milliseconds from a key to the cursor's row having been painted: reverse video is sent again."""
        while select.select([self.master], [], [], 0)[0]:
            os.read(self.master, 65_536)
        before = time.perf_counter()
        os.write(self.master, b"j")
        data = b""
        while not REVERSE.search(data) and time.perf_counter() - before < 2:
            if select.select([self.master], [], [], 0.5)[0]:
                data += os.read(self.master, 65_536)
        return (time.perf_counter() - before) * 1000


def measure(arguments: argparse.Namespace, *, without: bool) -> dict[str, float]:
    """Run the child once."""
    report = Path(arguments.report)
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.bench.console", "--child", f"--runners={arguments.runners}"]
    command += [f"--events={arguments.events}", f"--seconds={arguments.seconds}", f"--report={report}"]
    terminal = Terminal(command + (["--without"] if without else []))
    figures: dict[str, float] = {}
    if not without:
        figures["first content, s"] = terminal.first(b"PLACE")
    while not report.exists() or not report.read_text():
        time.sleep(0.05)
    load = Load(int(report.read_text()))
    load.start()
    terminal.read(2.0)
    load.latencies.clear()
    used, before = cpu(terminal.process.pid), time.perf_counter()
    size, frames = terminal.read(arguments.seconds)
    spent = time.perf_counter() - before
    if not without:
        figures |= {
            "cpu, % of a core": 100 * (cpu(terminal.process.pid) - used) / spent,
            "frames/s": frames / spent,
            "KiB/s": size / 1024 / spent,
        }
        keys = [terminal.key() for _ in range(30)]
        figures |= {"key to paint p50, ms": share(keys, 0.5), "key to paint p90, ms": share(keys, 0.9)}
    load.stopped.set()
    load.join(2)
    figures |= {f"http p{part:.0%}".rstrip("%") + ", ms": share(load.latencies, part) for part in (0.5, 0.95, 0.99)}
    figures["http max, ms"] = max(load.latencies)
    terminal.process.send_signal(signal.SIGTERM)
    terminal.read(1.5)
    terminal.process.kill()
    terminal.process.wait()
    return figures


def main() -> None:
    """Measure with and without a console, and print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runners", type=int, default=1000)
    parser.add_argument("--events", type=int, default=200, help="events a second")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--report", default=f"/tmp/krs-bench-{os.getpid()}")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--without", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments)
        return
    results = {"with the console": measure(arguments, without=False), "without": measure(arguments, without=True)}
    Path(arguments.report).unlink(missing_ok=True)
    if arguments.json:
        sys.stdout.write(json.dumps(results, indent=2) + "\n")
        return
    for title, figures in results.items():
        sys.stdout.write(f"{title}\n" + "".join(f"  {name:24}{value:9.2f}\n" for name, value in figures.items()))


if __name__ == "__main__":
    main()
