"""A server of Koyeb's log tail that plays a script: one list of frames a connection, after which it hangs up."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import msgspec
import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket

from krs.koyeb import KoyebClient

TOKEN = "secret-token"

Script = Sequence[Sequence[dict[str, Any] | str] | int]
"""A connection: the frames to send, or the HTTP status that refuses it. The last one stays open."""


class Asked(NamedTuple):
    """What a connection came with."""

    query: dict[str, str]
    protocols: str


class _Handler(tornado.websocket.WebSocketHandler):
    def initialize(self, tail: "Tail") -> None:
        self._tail = tail

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Take note of the request; refuse it, or go on as a WebSocket."""
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        self._tail.asked.append(Asked(query, self.request.headers.get("Sec-WebSocket-Protocol", "")))
        step = self._tail.script[0]
        if isinstance(step, int):
            self._tail.next()
            self.set_status(step)
            if step == 302:
                self.set_header("location", "/v1/streams/logs/tail?elsewhere=1")
            self.finish("<!doctype html>")
            return
        await super().get(*args, **kwargs)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return subprotocols[0] if subprotocols else None

    def open(self, *args: str, **kwargs: str) -> None:
        """Send this connection's frames, and hang up unless it is the last."""
        step = self._tail.script[0]
        assert not isinstance(step, int)
        for frame in step:
            self.write_message(frame if isinstance(frame, str) else msgspec.json.encode(frame).decode())
        if self._tail.next():
            self.close()


class Tail:
    """The server, as an async context."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []

    def next(self) -> bool:
        """Go to the next step; False at the last."""
        if len(self.script) > 1:
            self.script = self.script[1:]
            return True
        return False

    async def __aenter__(self) -> Self:
        application = tornado.web.Application([(r"/v1/streams/logs/tail", _Handler, {"tail": self})])
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        self.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        self._server = tornado.httpserver.HTTPServer(application)
        self._server.add_sockets(sockets)
        return self

    async def __aexit__(self, *_problem: object) -> None:
        """Wait for both sides of every connection to have said good-bye: no socket is left to a later test."""
        self._server.stop()
        open_ends = asyncio.all_tasks() - {asyncio.current_task()}
        if open_ends:
            await asyncio.wait(open_ends, timeout=5)
        await self._server.close_all_connections()

    def client(self) -> KoyebClient:
        """A client of this server."""
        return KoyebClient(token=TOKEN, api_url=self.url)
