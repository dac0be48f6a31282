"""The real server among clients that mean it no good: deliveries are answered all the same."""

import asyncio
import os
import resource
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from krs.http import server as door
from krs.http.app import build, serve
from krs.http.metrics import Metrics
from krs.http.ports import Answer
from krs.http.slow import LIMIT, SlowBodies
from tests.http.conftest import Double

GOOD = b"POST / HTTP/1.1\r\nHost: krs\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
SLOW_HEADERS = b"POST / HTTP/1.1\r\nHost: krs\r\nX-Drip: "
SLOW_BODY = b"POST / HTTP/1.1\r\nHost: krs\r\nContent-Length: 99\r\n\r\n{"
SLOW_CHUNKS = b"POST / HTTP/1.1\r\nHost: krs\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n" + b"x" * 16384
PATIENCE = 5.0
PROMPT = 2.0
"""Seconds for the slowest of some deliveries on a busy machine; by itself it takes a few milliseconds."""


async def intake(headers: Any, body: bytes) -> Answer:
    """A webhook that takes everything."""
    return Answer(202, "accepted", "taken")


class Target:
    """A running server, and what can be done to it."""

    def __init__(self) -> None:
        double = Double()
        self.application: Any = build(intake=intake, health=double, metrics=Metrics("test"), max_body=5 << 20)
        self.server, self.port = serve(self.application, "127.0.0.1", 0)
        self.sockets: list[socket.socket] = []

    async def connect(self, sent: bytes = b"") -> socket.socket:
        """A connection that said something."""
        made = socket.socket()
        made.setblocking(False)
        self.sockets.append(made)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(made, ("127.0.0.1", self.port))
        if sent:
            await loop.sock_sendall(made, sent)
        return made

    async def heard(self, connection: socket.socket) -> bytes:
        """What comes back at once; nothing when the connection was closed."""
        try:
            return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(connection, 65536), PATIENCE)
        except ConnectionResetError:
            return b""

    async def status(self, sent: bytes) -> int:
        """The status that some bytes are answered with on a connection of their own, 0 for none."""
        connection = await self.connect(sent)
        answer = await self.heard(connection)
        connection.close()
        return int(answer.split(b" ", 2)[1]) if answer else 0

    async def delivers(self, count: int = 30) -> float:
        """That deliveries get their 202, each on a connection of its own; gives the longest wait in seconds."""
        waits = []
        for _ in range(count):
            began = time.perf_counter()
            assert await self.status(GOOD) == 202
            waits.append(time.perf_counter() - began)
        return max(waits)


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    """A server that listens."""
    made = Target()
    yield made
    made.server.stop()
    for connection in made.sockets:
        connection.close()
    await made.server.close_all_connections()
    await asyncio.sleep(0)


async def test_a_thousand_connections_that_dawdle_do_not_stop_deliveries(target: Target) -> None:
    """Idle ones, dribbling headers, dribbling bodies: deliveries are answered at once among them."""
    for said in (b"", SLOW_HEADERS, SLOW_BODY, GOOD[:40]):
        for _ in range(250):
            await target.connect(said)
    for connection in target.sockets[::10]:
        connection.send(b"x")
    assert await target.delivers() < PROMPT


async def test_with_no_room_left_the_slowest_makes_room(target: Target) -> None:
    """At the limit the connection that has kept us waiting longest is closed, never one in hand."""
    target.server.most = 8
    first = await target.connect(SLOW_BODY)
    for _ in range(40):
        await target.connect(SLOW_HEADERS)
    assert await target.delivers(5) < PROMPT
    assert await target.heard(first) == b""
    assert len(target.server._open) <= 8


async def test_a_delivery_at_the_end_of_a_flood_gets_in(target: Target) -> None:
    """More connections in one turn of the loop than there is room for: the last of them is served."""
    target.server.most = 8
    for _ in range(60):
        target.sockets.append(socket.create_connection(("127.0.0.1", target.port)))
    assert await target.delivers(5) < PROMPT


async def test_who_does_not_take_answers_makes_room_too(target: Target) -> None:
    """Connections that ask again and again and never read would otherwise stay for ever."""
    target.server.most = 4
    target.server._doors[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    for _ in range(4):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", target.port))
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: krs\r\n\r\n" * 40)
        target.sockets.append(connection)
    async with asyncio.timeout(PATIENCE):
        while len(target.server._open) < 4 or not all(stream.writing() for stream in target.server._open):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
    assert await target.delivers(3) < PROMPT


async def test_a_connection_that_delivers_outlives_those_that_sit_there(target: Target) -> None:
    """A kept-alive connection that is used goes to the end of the line."""
    target.server.most = 4
    used = await target.connect()
    for _ in range(12):
        await target.connect()
        await asyncio.get_running_loop().sock_sendall(used, GOOD)
        assert b" 202 " in await target.heard(used)


async def test_a_process_without_descriptors_pauses_and_recovers(
    target: Target, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When the system refuses a connection nothing spins: one warning, a pause, room is made, deliveries go on."""
    monkeypatch.setattr(door, "PAUSE", 0.05)
    idle = await target.connect()
    assert await target.delivers(1) < PROMPT
    waiting = socket.create_connection(("127.0.0.1", target.port))
    waiting.sendall(GOOD)
    waiting.setblocking(False)
    target.sockets.append(waiting)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        assert await target.heard(idle) == b""
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert b" 202 " in await target.heard(waiting)
    warned = [record for record in caplog.records if "no connection can be accepted" in record.message]
    assert 1 <= len(warned) <= 3


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nHost: krs\r\nX-Long: " + b"a" * (80 * 1024) + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: krs\r\n" + b"X-Many: 1\r\n" * 20_000 + b"\r\n",
        b"POST /" + b"a" * (80 * 1024) + b" HTTP/1.1\r\nHost: krs\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: krs\r\nContent-Length: \xb2\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: krs\r\nContent-Length: -1\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: krs\r\nContent-Length: 2, 3\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: krs\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: krs\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: krs\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: krs\r\nContent-Length: 0x2\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: krs\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: krs\r\nTransfer-Encoding: gzip\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: krs\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: krs\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n",
        b"POST / HTTP/1.1\r\nHost: krs\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\n",
        b"POST / HTTP/1.1\r\nX-No-Host: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST / HTTP/9.9\r\nHost: krs\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n",
        b"\x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST http://[ HTTP/1.1\r\nHost: krs\r\n\r\n",
        b"POST //%00%ff/..;/ HTTP/1.1\r\nHost: \xff\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=range(22),
)
async def test_odd_requests_are_refused_and_leave_no_trace(
    target: Target, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Oversized headers, odd lengths and encodings, other protocols: refused or cut off without a traceback."""
    assert await target.status(sent) in {0, 400, 404, 413, 431, 501}
    assert await target.status(GOOD) == 202
    assert not [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"]


async def test_half_closed_and_broken_connections_leave_nothing(target: Target) -> None:
    """A sender that says no more, or goes away in the middle, is forgotten; deliveries go on."""
    for said in (b"", SLOW_HEADERS, SLOW_BODY, GOOD):
        connection = await target.connect(said)
        connection.shutdown(socket.SHUT_WR)
        while await target.heard(connection):
            pass
    for said in (SLOW_HEADERS, SLOW_BODY, GOOD):
        (await target.connect(said)).close()
    await target.delivers(3)
    assert len(target.server._open) <= 1


async def test_pipelined_deliveries_are_answered_in_turn(target: Target) -> None:
    """Fifty requests in one write get fifty answers, and others are not kept waiting."""
    connection = await target.connect(GOOD * 50)
    assert await target.delivers(5) < PROMPT
    answers = b""
    while answers.count(b" 202 ") < 50:
        heard = await target.heard(connection)
        assert heard
        answers += heard


async def test_a_request_without_a_method_for_it_is_not_taken_for_a_slow_one(target: Target) -> None:
    """A 405 ends the watch over its body, so that the connection is not cut a minute later."""
    connection = await target.connect(b"PUT / HTTP/1.1\r\nHost: krs\r\nContent-Length: 2\r\n\r\n{}")
    assert b" 405 " in await target.heard(connection)
    (slow,) = {rule.target_kwargs["slow"] for rule in target.application.wildcard_router.rules[:2]}
    assert isinstance(slow, SlowBodies)
    slow.sweep(time.monotonic() + 2 * LIMIT)
    await asyncio.get_running_loop().sock_sendall(connection, GOOD)
    assert b" 202 " in await target.heard(connection)


async def test_headers_and_bodies_that_never_end_are_cut_off(target: Target) -> None:
    """Both have a minute; nobody holds a connection for longer without a request."""
    headers, body = await target.connect(SLOW_HEADERS), await target.connect(SLOW_BODY)
    await target.delivers(1)
    (slow,) = {rule.target_kwargs["slow"] for rule in target.application.wildcard_router.rules[:2]}
    slow.sweep(time.monotonic() + LIMIT / 2)
    assert len(target.server._open) >= 2
    slow.sweep(time.monotonic() + 2 * LIMIT)
    assert await target.heard(body) == b""
    assert target.server.conn_params.header_timeout == LIMIT
    headers.close()


def test_the_limit_of_open_files_is_raised_as_far_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a soft limit of 1,024 to what our connections need; under a low hard limit there are fewer connections."""
    limits = [1024, 1 << 20]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.__setitem__(slice(None), new))
    assert (door.room(), limits) == (door.MOST, [door.MOST + door.RESERVE, 1 << 20])
    limits[:] = [256, 1024]
    assert (door.room(), limits) == (1024 - door.RESERVE, [1024, 1024])
    limits[:] = [64, 64]
    assert door.room() == door.LEAST


class Cut:
    """A connection that knows whether it was closed."""

    closed = False

    def close(self) -> None:
        """Close it."""
        self.closed = True


def test_bodies_together_stay_within_a_budget() -> None:
    """The oldest are cut off when too much is on its way; what came whole or was thrown away does not count."""
    slow = SlowBodies(budget=100)
    first, second, third = Cut(), Cut(), Cut()
    slow.begin(first, 0.0, 60)
    slow.begin(second, 1.0)
    slow.grow(second, 40)
    assert not first.closed
    slow.grow(second, 1)
    assert (first.closed, second.closed) == (True, False)
    slow.grow(second, -41)
    slow.begin(third, 2.0, 1000)
    assert (second.closed, third.closed) == (True, False), "a body larger than the budget may come alone"
    slow.end(third)
    slow.begin(third, 3.0, 100)
    assert not third.closed
    slow.sweep(3.0 + 2 * LIMIT)
    assert third.closed


async def test_large_bodies_that_never_end_do_not_fill_the_memory(target: Target) -> None:
    """A hundred senders of all but the last byte: the oldest are cut off, deliveries go on."""
    (slow,) = {rule.target_kwargs["slow"] for rule in target.application.wildcard_router.rules[:2]}
    slow._budget = 1 << 20
    for _ in range(50):
        await target.connect(b"POST / HTTP/1.1\r\nHost: krs\r\nContent-Length: 200000\r\n\r\n" + b"x" * 50_000)
        await target.connect(
            b"POST / HTTP/1.1\r\nHost: krs\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n" + b"x" * 16384
        )
    assert await target.delivers(3) < PROMPT
    assert slow._total <= slow._budget
    assert len(target.server._open) < 80
