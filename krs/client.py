"""The admin API's client, for the console elsewhere and for the commands: typed answers, sorted errors.

Errors are those of `krs.errors`; a `Refused` carries the API's code, and for a stale or busy runner its present state.
"""

import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import TypeVar
from urllib.parse import quote

import httpx
import httpx_sse
import msgspec

from krs.core.model import Event, Name, PoolId
from krs.core.views import (
    Diagnosis,
    Done,
    DrainBody,
    ErrorBody,
    ExtendBody,
    JobView,
    KillBody,
    LogLine,
    Page,
    PauseBody,
    PoolView,
    RunnerView,
    Snapshot,
    StartBody,
)
from krs.core.vocabulary import EventKind
from krs.errors import UNREADABLE, CallError, Refused, Throttled, Unknown, Unreached
from krs.rest import NEVER_SENT, describe
from krs.secret import Secret

T = TypeVar("T")

BASE = "/api/v1"
PATIENCE = 10.0
"""Seconds for an answer."""
DIAGNOSIS = 60.0
"""Seconds for a diagnosis: questions to Koyeb and GitHub have limits of their own, and one may follow another."""
SILENCE = 30.0
"""Seconds without a byte after which a stream counts as lost: three keep-alives."""


class ApiRefused(Refused):
    """The API said no. `runner` is the present state of the runner that it was about."""

    def __init__(self, message: str, *, status: int, code: str, runner: RunnerView | None) -> None:
        super().__init__(message, status=status, code=code)
        self.runner = runner


class Reset(msgspec.Struct, frozen=True):
    """Events are missing: the state must be fetched anew; the stream goes on after `last`."""

    oldest: int
    last: int


class ApiClient:
    """One daemon, seen by one token. `actor` names who acts, for the journal."""

    def __init__(
        self, url: str, token: Secret, *, actor: str = "", transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        headers = {"accept": "application/json", **({"x-krs-actor": actor} if actor else {})}
        if token:
            headers["authorization"] = f"Bearer {token.reveal()}"
        self.url = url.rstrip("/")
        self.role = ""
        """What the token allows, as the last answer said: `admin` or `read-only`."""
        self._http = httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=PATIENCE, transport=transport, trust_env=False
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def state(self) -> Snapshot:
        """Everything at one instant."""
        return await self._call("GET", "/state", Snapshot)

    async def runners(self) -> tuple[RunnerView, ...]:
        """All runners."""
        return await self._call("GET", "/runners", tuple[RunnerView, ...])

    async def runner(self, name: str) -> RunnerView:
        """One runner."""
        return await self._call("GET", f"/runners/{_segment(name)}", RunnerView)

    async def jobs(self) -> tuple[JobView, ...]:
        """Jobs that wait, run, or ended lately."""
        return await self._call("GET", "/jobs", tuple[JobView, ...])

    async def pools(self) -> tuple[PoolView, ...]:
        """All pools."""
        return await self._call("GET", "/pools", tuple[PoolView, ...])

    async def doctor(self) -> Diagnosis:
        """What is wrong, why, and what to do; takes as long as the slowest of what the daemon asks."""
        return await self._call("GET", "/doctor", Diagnosis, patience=DIAGNOSIS)

    async def events(
        self, after: int, *, limit: int, runner: Name | None = None, kinds: Iterable[EventKind] = ()
    ) -> Page:
        """A slice of the journal, oldest first."""
        query = {"after": str(after), "limit": str(limit), **_kinds(kinds), **({"runner": runner} if runner else {})}
        return await self._call("GET", "/events", Page, query=query)

    async def follow(self, after: int | None, kinds: Iterable[EventKind] = ()) -> AsyncIterator[Event]:
        """Events as they happen, from a number on or from now; raises when the connection is lost or silent."""
        async for item in self.stream(after, kinds):
            if isinstance(item, Event):
                yield item

    async def stream(self, after: int | None, kinds: Iterable[EventKind] = ()) -> AsyncIterator[Event | Reset]:
        """As `follow`, and says where events are missing."""
        headers = {"last-event-id": str(after)} if after is not None else {}
        async for sse in self._sse("/events", _kinds(kinds), headers, read=SILENCE):
            yield self._event(sse)

    def _event(self, sse: httpx_sse.ServerSentEvent) -> Event | Reset:
        try:
            if sse.event == "reset":
                return msgspec.json.decode(sse.data, type=Reset)
            return msgspec.json.decode(sse.data, type=Event)
        except msgspec.DecodeError:
            message = f"krs at {self.url} sends events of another version: upgrade this krs"
            raise ApiRefused(message, status=426, code="other_version", runner=None) from None

    async def _sse(
        self, path: str, params: Mapping[str, str], headers: dict[str, str], *, read: float | None
    ) -> AsyncIterator[httpx_sse.ServerSentEvent]:
        """A stream's messages; silence longer than `read` seconds means that it is lost."""
        what = f"krs at {self.url}{path}"
        timeout = httpx.Timeout(PATIENCE, read=read)
        try:
            async with httpx_sse.aconnect_sse(
                self._http, "GET", BASE + path, params=params, headers=headers, timeout=timeout
            ) as source:
                if source.response.is_error:
                    await source.response.aread()
                    raise self._failure(source.response)
                async for sse in source.aiter_sse():
                    if sse.data:
                        yield sse
        except NEVER_SENT as problem:
            raise Unreached(f"{what}: not reached: {describe(problem)}") from None
        except (httpx.TransportError, httpx_sse.SSEError, msgspec.DecodeError) as problem:
            raise Unknown(f"{what}: lost: {describe(problem)}") from None

    async def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """A runner's log: its last lines, and with `follow` the next ones until the connection is lost."""
        path = f"/runners/{_segment(name)}/logs"
        if not follow:
            for line in await self._call("GET", path, tuple[LogLine, ...]):
                yield line
            return
        async for sse in self._sse(path, {}, {}, read=None):
            yield msgspec.json.decode(sse.data, type=LogLine)

    async def start(self, body: StartBody) -> Done:
        """Start a runner."""
        return await self._act("/runners", body)

    async def extend(self, name: Name, body: ExtendBody) -> Done:
        """Hold a runner."""
        return await self._act(f"/runners/{_segment(name)}/extend", body)

    async def drain(self, name: Name, body: DrainBody) -> Done:
        """Let a runner end its job and go."""
        return await self._act(f"/runners/{_segment(name)}/drain", body)

    async def kill(self, name: Name, body: KillBody) -> Done:
        """End a runner now."""
        return await self._act(f"/runners/{_segment(name)}/kill", body)

    async def pause(self, pool: PoolId | None, body: PauseBody) -> Done:
        """Start no more runners of a pool, or of any."""
        return await self._act(f"/pools/{_segment(pool or 'all')}/pause", body)

    async def resume(self, pool: PoolId | None, body: PauseBody) -> Done:
        """Lift a pause."""
        return await self._act(f"/pools/{_segment(pool or 'all')}/resume", body)

    async def _act(self, path: str, body: msgspec.Struct) -> Done:
        """One action; when its answer is lost it is sent once more with the same key, and so done once."""
        key = uuid.uuid4().hex
        content = msgspec.json.encode(body)
        try:
            return await self._call("POST", path, Done, content=content, key=key)
        except Unknown:
            return await self._call("POST", path, Done, content=content, key=key)

    async def _call(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        key: str = "",
        patience: float = PATIENCE,
    ) -> T:
        headers = {"content-type": "application/json", "idempotency-key": key} if content is not None else {}
        what = f"krs at {self.url}"
        try:
            response = await self._http.request(
                method, BASE + path, params=query, content=content, headers=headers, timeout=patience
            )
        except NEVER_SENT as problem:
            raise Unreached(f"{what}: not reached: {describe(problem)}") from None
        except (httpx.TransportError, httpx.DecodingError) as problem:
            raise Unknown(f"{what}: no answer: {describe(problem)}") from None
        self.role = response.headers.get("x-krs-role", self.role)
        if not response.is_success:
            raise self._failure(response)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except UNREADABLE:
            raise Unknown(f"{what}: this is no krs daemon, or one of another version") from None

    def _failure(self, response: httpx.Response) -> CallError:
        what = f"krs at {self.url}"
        try:
            error = msgspec.json.decode(response.content, type=ErrorBody).error
        except UNREADABLE:
            return Unknown(f"{what}: answered {response.status_code}: this is no krs daemon, or its API is off")
        message = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return Throttled(message, after=float(response.headers.get("retry-after", "60")))
        if response.is_server_error:
            return Unknown(f"{what}: {message}")
        if error.code == "not_found":
            message = f"{what}: its admin API is off: set KRS_ADMIN_TOKEN where it runs"
        return ApiRefused(message, status=response.status_code, code=error.code, runner=error.runner)


def _segment(text: str) -> str:
    return quote(text, safe="~+")


def _kinds(kinds: Iterable[EventKind]) -> dict[str, str]:
    joined = ",".join(kinds)
    return {"kind": joined} if joined else {}
