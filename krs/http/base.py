"""What all handlers but the webhook's share: bounded bodies, one shape of error, headers that keep answers private."""

import http.client
from typing import Any

import msgspec
import tornado.http1connection
import tornado.web

from krs.core.views import ErrorBody, ErrorDetail, RunnerView

LIMIT = 64 * 1024
"""Bytes of a body; an action has a few hundred."""
BODY_TIME = 30.0
"""Seconds that a body may take."""

CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 500: "internal"}


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, code: str, message: str, hint: str = "", *, runner: RunnerView | None = None, **headers: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.detail = ErrorDetail(code=code, message=message, hint=hint, runner=runner)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@tornado.web.stream_request_body
class BoundedHandler(tornado.web.RequestHandler):
    """A handler that never holds more than a small body, whatever is sent."""

    def initialize(self) -> None:
        """Start with nothing."""
        self._body = b""
        self._size = 0

    def prepare(self) -> Any:  # noqa: ANN401 - None, or what a subclass awaits
        """Give the body its time."""
        connection = self.request.connection
        if isinstance(connection, tornado.http1connection.HTTP1Connection):
            connection.set_body_timeout(BODY_TIME)

    def data_received(self, chunk: bytes) -> None:
        """Keep what fits, throw away the rest."""
        self._size += len(chunk)
        self._body = self._body + chunk if self._size <= LIMIT else b""

    def body(self) -> bytes:
        """The body. Raises `ApiError` (413) when it did not fit."""
        if self._size > LIMIT:
            raise ApiError(413, "too_large", f"the body is larger than {LIMIT} bytes")
        return self._body

    def set_default_headers(self) -> None:
        """Nothing here may be cached or sniffed."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def send(self, body: object, status: int = 200) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(body))

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Every error in the one shape."""
        problem = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if not isinstance(problem, ApiError):
            code = CODES.get(status_code, f"http_{status_code}")
            problem = ApiError(status_code, code, http.client.responses.get(status_code, "error"))
        for name, value in problem.headers.items():
            self.set_header(name, value)
        if problem.status == 405:
            self.set_header("Allow", ", ".join(self.SUPPORTED_METHODS))
        self.send(ErrorBody(error=problem.detail), problem.status)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:  # noqa: ANN401 - the framework's signature
        """An expected error is no news, and a request's headers never reach the log."""
        if not isinstance(value, ApiError | tornado.web.HTTPError):
            super().log_exception(typ, value, tb)

    def _request_summary(self) -> str:
        return f"{self.request.method} {self.request.path}"


class NotFoundHandler(BoundedHandler):
    """Everything that is not there."""

    def get(self) -> None:
        """404, whatever the method."""
        raise ApiError(404, "not_found", "there is nothing at this path")

    post = put = patch = delete = head = options = get
