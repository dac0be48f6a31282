"""A service's runtime log at Koyeb: history by query, the live end by its WebSocket.

The tail takes its token as a sub-protocol (`Sec-WebSocket-Protocol: Bearer, <token>`), wants a ping now and then, and
ends when it likes; a new one begins where the last line stood, so lines may come twice and are told apart by time and
text.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import msgspec
import tornado.httpclient
import tornado.websocket

from krs.core.model import Instant
from krs.core.views import LogLine
from krs.errors import Unknown, Unreached
from krs.koyeb.models import epoch
from krs.secret import Secret

QUERY, TAIL = "/v1/streams/logs/query", "/v1/streams/logs/tail"
PING = 10.0
PAUSE = 5.0
"""Seconds before a tail that ended is opened again."""
SEEN = 500
"""Lines remembered to tell repeats."""


class Labels(msgspec.Struct, frozen=True):
    """Where a line came from."""

    stream: str = ""


class Entry(msgspec.Struct, frozen=True):
    """A line as Koyeb sends it."""

    msg: str = ""
    created_at: str = ""
    labels: Labels | None = None

    def line(self) -> LogLine:
        """The same in our words."""
        stream = self.labels.stream if self.labels else ""
        return LogLine(at=Instant(epoch(self.created_at)), stream=stream or "stdout", text=self.msg.rstrip("\n"))


class QueryReply(msgspec.Struct, frozen=True):
    """A page of lines."""

    data: list[Entry] = []


class Frame(msgspec.Struct, frozen=True):
    """One message of the tail."""

    result: Entry | None = None


def query(service_id: str, limit: int) -> dict[str, str]:
    """The query for the last lines of a service, newest first."""
    return {"type": "runtime", "service_id": service_id, "limit": str(limit), "order": "desc"}


async def tail(api_url: str, token: Secret, service_id: str, since: float) -> AsyncIterator[LogLine]:
    """Lines as they come, for ever. Raises `Unreached` or `Unknown` when the tail cannot be opened."""
    seen: dict[LogLine, None] = {}
    while True:
        start = datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z")
        params = {"type": "runtime", "service_id": service_id, "start": start}
        socket = await _open(str(httpx.URL(api_url.replace("http", "ws", 1) + TAIL, params=params)), token)
        try:
            while (message := await socket.read_message()) is not None:
                entry = _entry(message)
                line = entry.line() if entry is not None else None
                if line is None or line in seen:
                    continue
                seen[line] = None
                if len(seen) > SEEN:
                    del seen[next(iter(seen))]
                since = max(since, line.at)
                yield line
        finally:
            socket.close()
        await asyncio.sleep(PAUSE)


async def _open(url: str, token: Secret) -> tornado.websocket.WebSocketClientConnection:
    try:
        return await tornado.websocket.websocket_connect(
            url, subprotocols=["Bearer", token.reveal()], ping_interval=PING, connect_timeout=PAUSE
        )
    except OSError as problem:
        raise Unreached(f"koyeb {TAIL}: not reached: {problem.strerror or problem}") from None
    except (tornado.httpclient.HTTPError, tornado.websocket.WebSocketError) as problem:
        raise Unknown(f"koyeb {TAIL}: not opened: {problem}") from None


def _entry(message: str | bytes) -> Entry | None:
    try:
        return msgspec.json.decode(message, type=Frame).result
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
