"""How fast deliveries are taken in: `python -m tests.bench.webhook`.

Prints, from one run: requests a second and latencies of bare Tornado (reads the body, answers) and of the daemon
(checks the signature, decodes, syncs to disk, answers) with the same signed body, and their ratio; then the daemon's
latency at a hundred deliveries a second over twelve labels, and for a burst of 200, with Koyeb answering in 100 ms.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tornado.httpserver
import tornado.netutil
import tornado.web

from krs.github.webhook import sign
from krs.sim.moods import Moods
from krs.sim.world import Simulation
from tests.deliveries import delivery

SECRET = "bench-secret"
CONNECTIONS = 32
SECONDS = 3.0
ROUNDS = 3
TYPES = ("small", "medium", "large", "xlarge", "2xlarge", "eco-small")
LABELS = [f"koyeb-{region}-{kind}" for region in ("fra", "was") for kind in TYPES]


class Bare(tornado.web.RequestHandler):
    """The least that Tornado can do with a POST."""

    def post(self) -> None:
        """Answer 202."""
        self.set_status(202)
        self.finish(b'{"code":"accepted"}')


def request(body: bytes, number: int) -> bytes:
    """One HTTP request, ready for the wire."""
    head = (
        f"POST / HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-GitHub-Event: workflow_job\r\n"
        f"X-GitHub-Delivery: bench-{os.getpid()}-{number}\r\n"
        f"X-Hub-Signature-256: {sign(SECRET.encode(), body)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> tuple[int, float]:
    """Send a request, read its answer; gives the status and the seconds it took."""
    began = time.perf_counter()
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(head[9:12]), time.perf_counter() - began


async def hammer(port: int, bodies: list[bytes]) -> tuple[float, list[float]]:
    """Requests a second over all connections for a while, and every latency."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    counter = iter(range(10**9))
    offset = time.monotonic_ns()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            number = next(counter)
            status, took = await exchange(reader, writer, request(bodies[number % len(bodies)], offset + number))
            assert status == 202, status
            times.append(took)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return len(times) / (time.perf_counter() - began), times


async def paced(port: int, per_second: float, count: int) -> list[tuple[int, float]]:
    """Deliveries of new jobs at even distances, each on its own connection; status and latency of each."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(number: int) -> tuple[int, float]:
        await asyncio.sleep(max(0.0, began + number / per_second - loop.time()))
        body = delivery(
            job_id=5_000_000_000 + time.time_ns() % 10**9 * 1000 + number, labels=[LABELS[number % len(LABELS)]]
        )
        start = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        status, _ = await exchange(reader, writer, request(body, time.time_ns() + number))
        writer.close()
        return status, time.perf_counter() - start

    return list(await asyncio.gather(*(one(number) for number in range(count))))


def percentile(times: list[float], share: float) -> float:
    """In milliseconds."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def show(name: str, rate: float, times: list[float]) -> None:
    """One line."""
    print(f"{name:<28} {rate:8.0f}/s  p50 {percentile(times, 0.5):7.2f} ms  p99 {percentile(times, 0.99):7.2f} ms")


def bare_server() -> None:
    """Serve bare Tornado in this process, telling the port on standard output."""

    async def serve() -> None:
        server = tornado.httpserver.HTTPServer(tornado.web.Application([("/", Bare)], log_function=lambda _: None))
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        print(sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


async def start_bare() -> tuple[subprocess.Popen[bytes], int]:
    """Bare Tornado in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.webhook", "bare"]
    process = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, int(await asyncio.to_thread(process.stdout.readline))


async def start_daemon(simulation: Simulation, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """The real daemon in a process of its own, against the simulated cloud; returns when it is ready."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KRS_")},
        "PORT": str(port),
        "KOYEB_TOKEN": "k",
        "GITHUB_TOKEN": "g",
        "API_SECRET": SECRET,
        "KOYEB_API_URL": simulation.koyeb_url,
        "GITHUB_API_URL": simulation.github_url,
        "KRS_STATE": str(folder / "state.db"),
        "KRS_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "krs", "daemon"]
    process = await asyncio.to_thread(subprocess.Popen, command, env=environ)
    for _ in range(200):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.write(b"GET /readyz HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        if b" 200 " in answer[:20]:
            return process
        await asyncio.sleep(0.05)
    raise SystemExit("the daemon never became ready")


def free_port() -> int:
    """A port that was free a moment ago."""
    (socket,) = tornado.netutil.bind_sockets(0, "127.0.0.1")
    port = int(socket.getsockname()[1])
    socket.close()
    return port


async def compare(bare: int, krs: int) -> None:
    """Throughput, in turns, so that a noisy machine disturbs both alike."""
    bodies = [
        delivery(job_id=4_300_000_000 + number % 40, labels=[LABELS[number % len(LABELS)]], repo="acme/bench")
        for number in range(40)
    ]
    ratios = []
    await hammer(bare, bodies)
    await hammer(krs, bodies)
    for _ in range(ROUNDS):
        rate_bare, times_bare = await hammer(bare, bodies)
        rate_krs, times_krs = await hammer(krs, bodies)
        show("bare Tornado", rate_bare, times_bare)
        show("krs daemon, durable", rate_krs, times_krs)
        ratios.append(rate_krs / rate_bare)
    rounds = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"throughput krs / bare        {statistics.median(ratios):.2f}  (rounds: {rounds})")


async def main() -> None:
    """All measurements."""
    simulation = Simulation(koyeb_token="k", github_token="g", secret=SECRET)
    await simulation.start()
    bare_process, bare = await start_bare()
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        daemon = await start_daemon(simulation, Path(name), port)
        try:
            await compare(bare, port)
            simulation.set_moods(Moods(koyeb_latency=0.1))
            answers = await paced(port, 100.0, 1000)
            good = sum(200 <= status < 300 for status, _ in answers)
            show(f"100/s, 12 labels ({good} x 2xx)", 100, [took for _, took in answers])
            burst = await paced(port, 1e9, 200)
            good = sum(200 <= status < 300 for status, _ in burst)
            slowest = max(took for _, took in burst) * 1000
            show(f"burst of 200 ({good} x 2xx)", 200, [took for _, took in burst])
            services = simulation.stats()["services_created"]
            print(f"slowest of the burst         {slowest:.0f} ms; services {services}")
        finally:
            daemon.terminate()
            bare_process.terminate()
            daemon.wait()
            bare_process.wait()
            if bare_process.stdout is not None:
                bare_process.stdout.close()
            await simulation.stop()


if __name__ == "__main__":
    if sys.argv[1:] == ["bare"]:
        bare_server()
    else:
        asyncio.run(main())
