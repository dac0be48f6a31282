"""`POST /` and `POST /webhook`: size limit and method; the rest is the intake's.

The body is streamed: one that is too large is read to its end and thrown away, so that the sender hears the 413 and not
a broken connection; one that is beyond reason is cut off.
"""

from collections.abc import Awaitable, Callable

import msgspec
import tornado.web

from krs.http.ports import Answer, Intake

Observe = Callable[[str, float], None]

DRAINED = 32 * 1024 * 1024
"""Bytes that are read and thrown away at most (GitHub sends 25 MB at most)."""
TOO_LARGE = Answer(413, "too_large", "the body is larger than webhook.max_body")


@tornado.web.stream_request_body
class WebhookHandler(tornado.web.RequestHandler):
    """One delivery."""

    SUPPORTED_METHODS = ("POST",)

    def initialize(self, intake: Intake, limit: int, observe: Observe) -> None:
        """Keep what the route was given."""
        self._intake = intake
        self._limit = limit
        self._observe = observe
        self._chunks: list[bytes] = []
        self._size = 0

    def prepare(self) -> Awaitable[None] | None:
        """Refuse what is beyond reason before anything is read."""
        length = self.request.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) > self._limit + DRAINED:
            self._refuse()
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Collect the body up to the limit."""
        self._size += len(chunk)
        if self._size <= self._limit:
            self._chunks.append(chunk)
            return None
        self._chunks.clear()
        if self._size > self._limit + DRAINED and not self._finished:
            self._refuse()
        return None

    async def post(self) -> None:
        """Answer the delivery."""
        if self._size > self._limit:
            self._refuse()
            return
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._answer(await self._intake(self.request.headers, body))

    def _refuse(self) -> None:
        self.set_header("Connection", "close")
        self._answer(TOO_LARGE)

    def _answer(self, answer: Answer) -> None:
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
