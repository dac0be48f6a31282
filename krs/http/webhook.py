"""`POST /` and `POST /webhook`: size limit and method; the rest is the intake's.

Ordinary deliveries are read whole. A body that is large, or does not say how large it is, is streamed: one beyond the
limit is read to its end and thrown away, so that the sender hears the 413 and not a broken connection; one beyond
reason is cut off.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import tornado.http1connection
import tornado.httputil
import tornado.iostream
import tornado.routing
import tornado.web

from krs.http.ports import Answer, Intake
from krs.http.slow import SlowBodies

Observe = Callable[[str, float], None]

PATHS = ("/", "/webhook", "/webhook/")
SMALL = 256 * 1024
"""Bytes up to which a body is read whole; a delivery of ours has about 12 KiB."""
DRAINED = 32 * 1024 * 1024
"""Bytes that are read and thrown away at most (GitHub sends 25 MB at most)."""
TOO_LARGE = Answer(413, "too_large", "the body is larger than webhook.max_body")


class SmallDelivery(tornado.routing.Matcher):
    """Requests to the webhook's paths that say they are small."""

    def __init__(self, slow: SlowBodies) -> None:
        self._slow = slow

    def match(self, request: tornado.httputil.HTTPServerRequest) -> dict[str, Any] | None:
        """Whether to read this one whole."""
        length = declared(request.headers)
        if length is None or length > SMALL or request.path not in PATHS:
            return None
        self._slow.begin(stream_of(request), time.monotonic(), length)
        return {}


def declared(headers: tornado.httputil.HTTPHeaders) -> int | None:
    """How many bytes a request says its body has, if it says so in a way that can be meant."""
    length = headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) <= 15 else None


def stream_of(request: tornado.httputil.HTTPServerRequest) -> tornado.iostream.BaseIOStream:
    """The connection's socket."""
    connection = request.connection
    assert isinstance(connection, tornado.http1connection.HTTP1Connection)
    return connection.stream


class WebhookHandler(tornado.web.RequestHandler):
    """One delivery."""

    SUPPORTED_METHODS = ("POST",)

    def initialize(self, intake: Intake, limit: int, observe: Observe, slow: SlowBodies) -> None:
        """Keep what the route was given."""
        self._intake = intake
        self._limit = limit
        self._observe = observe
        self._slow = slow

    async def post(self) -> None:
        """Answer the delivery."""
        self._slow.end(stream_of(self.request))
        body = self.request.body
        self.answer(TOO_LARGE if len(body) > self._limit else await self._intake(self.request.headers, body))

    def on_finish(self) -> None:
        """Also a request that was refused before its method ran has come to its end."""
        self._slow.end(stream_of(self.request))

    def answer(self, answer: Answer) -> None:
        """Send an answer."""
        self._observe(answer.code, self.request.request_time())
        self.set_status(answer.status)
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode({"code": answer.code, "message": answer.message}))

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Errors of the server itself, in the same shape."""
        if status_code == 405:
            self.set_header("Allow", "POST")
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode({"code": f"http_{status_code}", "message": self._reason}))


@tornado.web.stream_request_body
class StreamedWebhookHandler(WebhookHandler):
    """One delivery whose size must be watched while it comes in."""

    def initialize(self, intake: Intake, limit: int, observe: Observe, slow: SlowBodies) -> None:
        """Keep what the route was given."""
        super().initialize(intake, limit, observe, slow)
        self._chunks: list[bytes] = []
        self._size = 0

    def prepare(self) -> Awaitable[None] | None:
        """Refuse what is beyond reason before anything is read."""
        self._slow.begin(stream_of(self.request), time.monotonic())
        if (declared(self.request.headers) or 0) > self._limit + DRAINED:
            self._refuse()
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Collect the body up to the limit."""
        self._size += len(chunk)
        if self._size <= self._limit:
            self._chunks.append(chunk)
            self._slow.grow(stream_of(self.request), len(chunk))
            return None
        self._slow.grow(stream_of(self.request), -sum(map(len, self._chunks)))
        self._chunks.clear()
        if self._size > self._limit + DRAINED and not self._finished:
            self._refuse()
        return None

    async def post(self) -> None:
        """Answer the delivery."""
        self._slow.end(stream_of(self.request))
        if self._size > self._limit:
            self._refuse()
            return
        self.answer(await self._intake(self.request.headers, b"".join(self._chunks)))

    def _refuse(self) -> None:
        self.set_header("Connection", "close")
        self.answer(TOO_LARGE)
