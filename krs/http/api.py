"""The admin API's handler: token, role, body, key, then one endpoint of the table."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import tornado.web

from krs.core.model import Instant, Name
from krs.errors import UNREADABLE
from krs.http.auth import Gate, Role, address_of
from krs.http.base import ApiError, BoundedHandler
from krs.http.metrics import Metrics
from krs.http.openapi import document
from krs.http.ports import ActionRefused, Scheduler
from krs.http.replay import Replay
from krs.http.routes import BASE, ENDPOINTS, Call, Endpoint, refused
from krs.http.stream import Streams, stream, stream_logs
from krs.secret import Secret

ACTOR = 64
"""Characters of the name that a client may give its operator."""
STREAM = "text/event-stream"


class Admin(msgspec.Struct, frozen=True):
    """What every handler of the API shares."""

    scheduler: Scheduler
    gate: Gate
    replay: Replay
    streams: Streams


class ApiHandler(BoundedHandler):
    """One path of the API, all its methods."""

    SUPPORTED_METHODS: tuple[str, ...] = ("GET", "POST")

    def initialize(self, admin: Admin, endpoints: dict[str, Endpoint]) -> None:  # type: ignore[override]
        """Keep what the route was given."""
        super().initialize()
        self._admin = admin
        self._endpoints = endpoints
        self.SUPPORTED_METHODS = tuple(endpoints)

    def prepare(self) -> None:
        """Who asks, and may they."""
        super().prepare()
        headers = self.request.headers
        address = address_of(self.request.remote_ip or "", headers.get("X-Forwarded-For"))
        role = self._admin.gate.role(headers.get("Authorization"), address)
        self.set_header("X-Krs-Role", role.value)
        if self.request.method not in self._endpoints:
            raise ApiError(405, "method_not_allowed", f"{self.request.method} does nothing here")
        if self.request.method != "GET" and role is not Role.ADMIN:
            raise ApiError(403, "read_only", "this token may only look", "use the admin token")
        actor = "".join(c for c in headers.get("X-Krs-Actor", "") if c.isprintable())[:ACTOR]
        self._by = f"{role.value} ({actor})" if actor else role.value

    async def get(self, subject: str = "") -> None:
        """Read."""
        endpoint = self._endpoints["GET"]
        query = {name: self.get_query_argument(name, "") for name in endpoint.query}
        if STREAM in self.request.headers.get("Accept", "") and await self._stream(endpoint, subject, query):
            return
        answer = msgspec.json.encode(await self._run(endpoint, subject, None, query))
        etag = f'W/"{hashlib.sha256(answer).hexdigest()[:32]}"'
        self.set_header("ETag", etag)
        if self.request.headers.get("If-None-Match") == etag:
            self.set_status(304)
            self.finish()
            return
        self.set_header("Content-Type", "application/json")
        self.finish(answer)

    async def _stream(self, endpoint: Endpoint, subject: str, query: dict[str, str]) -> bool:
        """Answer as a stream; False where there is none."""
        admin = self._admin
        if endpoint.path == "/events":
            await stream(self, admin.scheduler, admin.streams, query)
        elif endpoint.path.endswith("/logs"):
            await stream_logs(self, admin.scheduler, admin.streams, Name(subject))
        else:
            return False
        return True

    async def post(self, subject: str = "") -> None:
        """Act, once per Idempotency-Key."""
        endpoint = self._endpoints["POST"]
        body = self._read(endpoint)
        fingerprint = hashlib.sha256(f"{self.request.path}\n".encode() + self.body()).digest()
        key = self.request.headers.get("Idempotency-Key")
        self.send(await self._admin.replay.once(key, fingerprint, lambda: self._run(endpoint, subject, body, {})))

    async def _run(self, endpoint: Endpoint, subject: str, body: Any, query: dict[str, str]) -> object:  # noqa: ANN401
        try:
            return await endpoint.run(Call(self._admin.scheduler, subject, body, query, self._by))
        except ActionRefused as problem:
            raise refused(problem) from None

    def _read(self, endpoint: Endpoint) -> Any:  # noqa: ANN401 - the endpoint's body
        content = self.body()
        kind = self.request.headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise ApiError(415, "unsupported_type", "send application/json")
        assert endpoint.body is not None
        try:
            body = msgspec.json.decode(content or b"{}", type=endpoint.body)
        except msgspec.ValidationError as problem:
            raise ApiError(422, "bad_value", str(problem)) from None
        except UNREADABLE:
            raise ApiError(400, "bad_json", "the body is not JSON") from None
        return self._with_version(body)

    def _with_version(self, body: Any) -> Any:  # noqa: ANN401 - the endpoint's body
        """If-Match is another way to name the version that was seen."""
        seen = self.request.headers.get("If-Match", "").removeprefix("W/").strip('"')
        if not seen or not hasattr(body, "version"):
            return body
        if not seen.isascii() or not seen.isdigit() or len(seen) > 15:
            raise ApiError(422, "bad_value", "If-Match must be a runner's version")
        return msgspec.structs.replace(body, version=int(seen))


class OpenApiHandler(BoundedHandler):
    """`/openapi.json`: the API in a machine's words, without a token."""

    def get(self) -> None:
        """The description."""
        self.send(document())


Route = tuple[str, type[tornado.web.RequestHandler], dict[str, Any]]


def routes(
    scheduler: Scheduler, metrics: Metrics, admin: Secret, reader: Secret, now: Callable[[], Instant]
) -> list[Route]:
    """The API's routes; none when no token is configured: the API then does not exist."""
    if not admin and not reader:
        return []
    gate = Gate(admin, reader, note=scheduler.note, now=now)
    shared = Admin(scheduler, gate, Replay(), Streams(metrics.streams))
    paths: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    found: list[Route] = [
        (pattern(path), ApiHandler, {"admin": shared, "endpoints": endpoints}) for path, endpoints in paths.items()
    ]
    return [*found, (r"/openapi\.json", OpenApiHandler, {})]


def pattern(path: str) -> str:
    """A path of the table as a pattern; a name or id is one segment."""
    return BASE + path.replace("{name}", "([^/]+)").replace("{id}", "([^/]+)")
