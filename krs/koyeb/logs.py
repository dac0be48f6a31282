"""A service's runtime log at Koyeb: history by query, the live end by its WebSocket.

The tail takes its token as a sub-protocol (`Sec-WebSocket-Protocol: Bearer, <token>`), wants a ping now and then, and
ends when it likes. A new one begins at the last line that came, so lines come again: they are told by time and text,
each as often as it came before, since a program may well print the same line twice in one instant.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import UTC, datetime

import httpx
import msgspec
from tornado.httpclient import HTTPError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

from krs.core.model import Instant
from krs.core.views import LogLine
from krs.errors import UNREADABLE, CallError, Refused, Unknown, Unreached
from krs.koyeb.models import epoch
from krs.secret import Secret

QUERY, TAIL = "/v1/streams/logs/query", "/v1/streams/logs/tail"
MOST = 1000
"""Koyeb's largest page of lines."""
PING = 10.0
PATIENCE = 10.0
"""Seconds for a connection to be made."""
PAUSE = 5.0
"""Seconds before a tail that ended is opened again."""
REMEMBERED = 1000
"""Lines remembered to tell repeats: as many as Koyeb sends of the past (its `limit`)."""
FINAL = {3: 400, 5: 404, 7: 403, 12: 501, 16: 401}
"""The gRPC codes of an error frame that another try would meet again, with the HTTP status of each."""


class Labels(msgspec.Struct, frozen=True):
    """Where a line came from."""

    stream: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """A line as Koyeb sends it."""

    msg: str | None = None
    created_at: str | None = None
    labels: Labels | None = None

    def line(self) -> LogLine:
        """The same in our words."""
        stream = self.labels.stream if self.labels else None
        return LogLine(
            at=Instant(epoch(self.created_at)), stream=stream or "stdout", text=(self.msg or "").rstrip("\n")
        )


class Pagination(msgspec.Struct, frozen=True):
    """Where the next page of lines begins and ends."""

    has_more: bool | None = None
    next_start: str | None = None
    next_end: str | None = None


class QueryReply(msgspec.Struct, frozen=True):
    """A page of lines."""

    data: list[Entry] | None = None
    pagination: Pagination | None = None

    def lines(self) -> list[LogLine]:
        """Its lines, in Koyeb's order."""
        return [entry.line() for entry in self.data or ()]

    def follows(self) -> dict[str, str] | None:
        """What the query for the next page says otherwise; None when this is the last."""
        page = self.pagination
        if page is None or not page.has_more or not page.next_start or not page.next_end:
            return None
        return {"start": page.next_start, "end": page.next_end}


class Failure(msgspec.Struct, frozen=True):
    """Why a tail ends: a gRPC code and a text."""

    code: int | None = None
    message: str | None = None


class Frame(msgspec.Struct, frozen=True):
    """One message of the tail."""

    result: Entry | None = None
    error: Failure | None = None


def query(service_id: str, since: float, limit: int) -> dict[str, str]:
    """The query for the last lines of a service, newest first; without a start Koyeb looks back 15 minutes only."""
    params = {"type": "runtime", "service_id": service_id, "limit": str(min(limit, MOST)), "order": "desc"}
    return {**params, "start": rfc3339(since)} if since else params


def rfc3339(at: float) -> str:
    """An instant as Koyeb takes it."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


async def tail(
    api_url: str, token: Secret, service_id: str, since: float, told: Iterable[LogLine] = ()
) -> AsyncGenerator[LogLine, None]:
    """Lines from `since` on as they come, for ever, without those `told` already.

    Raises `Unreached` or `Unknown` when the tail cannot be opened, and `Refused` whenever Koyeb will not have it; once
    open, it is opened again when it ends.
    """
    latest = deque(told, maxlen=REMEMBERED)
    opened = False
    while True:
        repeats = Counter(latest)
        try:
            socket = await _open(_address(api_url, service_id, since), token)
            opened = True
            async with aclosing(_lines(socket)) as lines:
                async for line in lines:
                    if repeats[line] > 0:
                        repeats[line] -= 1
                        continue
                    latest.append(line)
                    since = max(since, line.at)
                    yield line
        except (Unreached, Unknown):
            if not opened:
                raise
        await asyncio.sleep(PAUSE)


def _address(api_url: str, service_id: str, since: float) -> str:
    params = {"type": "runtime", "service_id": service_id, "start": rfc3339(since)}
    return str(httpx.URL(api_url.replace("http", "ws", 1) + TAIL, params=params))


async def _lines(socket: WebSocketClientConnection) -> AsyncGenerator[LogLine, None]:
    """The lines of one connection, until it ends."""
    try:
        while (message := await socket.read_message()) is not None:
            frame = _frame(message)
            if frame.error is not None:
                raise _failed(frame.error)
            if frame.result is not None:
                yield frame.result.line()
    finally:
        socket.close()


async def _open(url: str, token: Secret) -> WebSocketClientConnection:
    request = HTTPRequest(url, connect_timeout=PATIENCE, follow_redirects=False)
    try:
        return await websocket_connect(request, subprotocols=["Bearer", token.reveal()], ping_interval=PING)
    except OSError as problem:
        raise Unreached(f"koyeb {TAIL}: not reached: {problem.strerror or problem}") from None
    except HTTPError as problem:
        message = f"koyeb {TAIL}: not opened: {problem}"
        if problem.code in (400, 401, 403, 404):
            raise Refused(message, status=problem.code) from None
        raise Unknown(message) from None
    except WebSocketError as problem:
        raise Unknown(f"koyeb {TAIL}: not opened: {problem}") from None


def _failed(failure: Failure) -> CallError:
    message = f"koyeb {TAIL}: {failure.message or 'ended'}"
    status = FINAL.get(failure.code or 0)
    return Refused(message, status=status) if status is not None else Unknown(message)


def _frame(message: str | bytes) -> Frame:
    """A message read; what is no frame of theirs (an empty one keeps the connection alive) says nothing."""
    try:
        return msgspec.json.decode(message, type=Frame)
    except UNREADABLE:
        return Frame()
