"""The journal as server-sent events: one writer a connection, and a slow reader costs only its own lag.

`id` is the journal's number, so `Last-Event-ID` resumes after a cut and after a restart of the daemon. Two coroutines
that flush one response hang in Tornado, so the keep-alive is written by the same one; it is `:` and one line end, since
a blank line would make some clients deliver an empty event.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping

import msgspec
import tornado.iostream
from prometheus_client import Gauge

from krs.core.model import Event, Name
from krs.core.views import LogLine
from krs.core.vocabulary import EventKind
from krs.http.base import ApiError, BoundedHandler
from krs.http.ports import ActionRefused, Scheduler
from krs.http.routes import kinds, number, refused

BATCH = 500
SEND_BUFFER = 128 * 1024
"""Bytes that the kernel keeps for a reader that does not read; by itself it would take megabytes before that shows."""


class Streams:
    """The open streams: how many there may be, and how patient the server is. Seconds."""

    def __init__(self, gauge: Gauge, *, most: int = 256, keep_alive: float = 10.0, stall: float = 30.0) -> None:
        self.gauge = gauge
        self.most = most
        self.keep_alive = keep_alive
        self.stall = stall
        self.count = 0


async def stream(handler: BoundedHandler, scheduler: Scheduler, streams: Streams, query: Mapping[str, str]) -> None:
    """Send events until the reader goes away, or does not read for too long."""
    wanted = kinds(query)
    last_seen = handler.request.headers.get("Last-Event-ID", "") or query.get("after", "")
    cursor = number({"after": last_seen}, "after", scheduler.feed.last_seq)
    async with _open(handler, streams):
        await _follow(handler, scheduler, streams, cursor, wanted)


async def stream_logs(handler: BoundedHandler, scheduler: Scheduler, streams: Streams, name: Name) -> None:
    """Send a runner's log lines, those of before and those to come, until the reader goes away."""
    lines = scheduler.logs(name, follow=True)
    try:
        first = await anext(lines, None)
    except ActionRefused as problem:
        raise refused(problem) from None
    async with _open(handler, streams):
        _begin(handler)
        if first is not None:
            _write_line(handler, first)
        await asyncio.wait_for(handler.flush(), streams.stall)
        async for line in lines:
            _write_line(handler, line)
            await asyncio.wait_for(handler.flush(), streams.stall)


def _write_line(handler: BoundedHandler, line: LogLine) -> None:
    handler.write(b"data: %s\n\n" % msgspec.json.encode(line))


@contextlib.asynccontextmanager
async def _open(handler: BoundedHandler, streams: Streams) -> AsyncIterator[None]:
    """Count a stream while it is open; cut the connection when the reader has gone or does not read."""
    if streams.count >= streams.most:
        raise ApiError(503, "too_many_streams", f"{streams.most} streams are open", Retry_After="10")
    task = asyncio.current_task()
    assert task is not None
    handler.on_connection_close = task.cancel  # type: ignore[method-assign,assignment]
    streams.count += 1
    streams.gauge.set(streams.count)
    try:
        yield
    except (tornado.iostream.StreamClosedError, TimeoutError, asyncio.CancelledError, ActionRefused):
        _cut(handler)
    finally:
        streams.count -= 1
        streams.gauge.set(streams.count)


def _cut(handler: BoundedHandler) -> None:
    connection = getattr(handler.request.connection, "stream", None)
    if connection is not None:
        connection.close()


async def _follow(
    handler: BoundedHandler, scheduler: Scheduler, streams: Streams, cursor: int, wanted: frozenset[EventKind]
) -> None:
    _begin(handler)
    feed = scheduler.feed
    if cursor > feed.last_seq:
        cursor = _reset(handler, 0, feed.last_seq)
    while True:
        events = feed.since(cursor)
        if events is None:
            page = await scheduler.events(cursor, frozenset(), BATCH, None)
            events = page.events
            if page.oldest > cursor + 1 or not events:
                cursor = _reset(handler, page.oldest, feed.last_seq)
                events = ()
        for event in events:
            if not wanted or event.kind in wanted:
                handler.write(frame(event))
            cursor = event.seq
        await asyncio.wait_for(handler.flush(), streams.stall)
        if not await feed.wait(cursor, streams.keep_alive):
            handler.write(":\n")


def _begin(handler: BoundedHandler) -> None:
    connection = getattr(handler.request.connection, "stream", None)
    if connection is not None and connection.socket is not None:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    handler.set_header("Content-Type", "text/event-stream")
    handler.set_header("X-Accel-Buffering", "no")
    handler.write("retry: 1000\n\n")


def _reset(handler: BoundedHandler, oldest: int, last: int) -> int:
    """Say that events are missing; the reader fetches the state and goes on from `last`."""
    handler.write(
        f"event: reset\nid: {last}\ndata: {msgspec.json.encode({'oldest': oldest, 'last': last}).decode()}\n\n"
    )
    return last


def frame(event: Event) -> bytes:
    """One event on the wire."""
    return b"id: %d\ndata: %s\n\n" % (event.seq, msgspec.json.encode(event))
