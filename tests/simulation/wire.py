"""HTTP without a network: httpx on one side, a Tornado application in the same loop on the other."""

import asyncio
from collections.abc import Callable, Mapping
from enum import Enum

import httpx
import tornado.httputil
import tornado.web

from krs.daemon import Daemon


class _Connection(tornado.httputil.HTTPConnection):
    """Collects what a handler answers."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._body = b""

    def write_headers(
        self,
        start_line: tornado.httputil.RequestStartLine | tornado.httputil.ResponseStartLine,
        headers: tornado.httputil.HTTPHeaders,
        chunk: bytes | None = None,
    ) -> "asyncio.Future[None]":
        """The head of the answer, and perhaps its body."""
        assert isinstance(start_line, tornado.httputil.ResponseStartLine)
        self._status, self._headers = start_line.code, list(headers.get_all())
        return self.write(chunk or b"")

    def write(self, chunk: bytes) -> "asyncio.Future[None]":
        """More of the body."""
        self._body += chunk
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def finish(self) -> None:
        """The answer is whole."""
        if not self.answer.done():
            self.answer.set_result(httpx.Response(self._status, headers=self._headers, content=self._body))

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Nobody hangs up."""


class Wire(httpx.AsyncBaseTransport):
    """Hosts by name. `calls` counts the requests of each; a caller who gives up does not stop the server."""

    def __init__(self, hosts: Mapping[str, tornado.web.Application]) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self._hosts = hosts

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the application of the host. Raises `httpx.ReadTimeout` when it does not answer in time."""
        connection = _Connection()
        self.calls.append((request.url.host, request.method, request.url.path))
        asked = tornado.httputil.HTTPServerRequest(
            start_line=tornado.httputil.RequestStartLine(request.method, request.url.raw_path.decode(), "HTTP/1.1"),
            headers=tornado.httputil.HTTPHeaders(dict(request.headers)),
            body=await request.aread(),
            connection=connection,
        )
        self._hosts[request.url.host](asked)
        try:
            return await asyncio.wait_for(asyncio.shield(connection.answer), request.extensions["timeout"]["read"])
        except TimeoutError:
            raise httpx.ReadTimeout("no answer", request=request) from None


class Reach(Enum):
    """Whom deliveries reach while more than one daemon lives."""

    NEWEST = "newest"
    EITHER = "either"
    """In turns."""
    BOTH = "both"


class ToDaemons(httpx.AsyncBaseTransport):
    """Carries deliveries to the daemons that live; none means that nobody listens."""

    def __init__(self) -> None:
        self.living: list[Daemon] = []
        self.reach = Reach.NEWEST
        self._count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand a delivery over. Raises `httpx.ConnectError` when no daemon lives."""
        if not self.living:
            raise httpx.ConnectError("refused", request=request)
        headers, body = tornado.httputil.HTTPHeaders(dict(request.headers)), await request.aread()
        answers = [await daemon.intake(headers, body) for daemon in self._whom()]
        return httpx.Response(answers[-1].status)

    def _whom(self) -> list[Daemon]:
        self._count += 1
        match self.reach:
            case Reach.NEWEST:
                return self.living[-1:]
            case Reach.EITHER:
                return [self.living[self._count % len(self.living)]]
            case Reach.BOTH:
                return list(self.living)
