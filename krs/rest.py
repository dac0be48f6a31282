"""One JSON API behind httpx: every failure sorted into `krs.errors`, every call observed, no secret in any message.

Retries do not belong here: the core has the back-off, and a retry inside an attempt would hide time from it.
"""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import httpx
import msgspec

from krs.errors import UNREADABLE, CallError, Refused, Throttled, Unknown, Unreached

T = TypeVar("T")

Params = Mapping[str, str | int | list[str]]

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)
MESSAGE_LIMIT = 300


class Observer(Protocol):
    """Is told of every call: service, method, HTTP status (0 when there was no answer), seconds, and headers."""

    def __call__(self, service: str, method: str, status: int, seconds: float, headers: Mapping[str, str]) -> None:
        """Count the call; must not raise."""


def unobserved(service: str, method: str, status: int, seconds: float, headers: Mapping[str, str]) -> None:
    """Observe nothing."""


def both(first: Observer, second: Observer) -> Observer:
    """Tell two of every call."""

    def observe(service: str, method: str, status: int, seconds: float, headers: Mapping[str, str]) -> None:
        first(service, method, status, seconds, headers)
        second(service, method, status, seconds, headers)

    return observe


class Reply:
    """An answer of 2xx or 304: its status, headers and body."""

    def __init__(self, response: httpx.Response, what: str) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.what = what
        self._body = response.content

    def decode(self, kind: type[T]) -> T:
        """The body as `kind`. Raises `Unknown` when it is not JSON of that shape."""
        if "json" not in self.headers.get("content-type", ""):
            raise Unknown(
                f"{self.what}: answered {self.status} with {self.headers.get('content-type', 'no type')}, not JSON"
            )
        try:
            return msgspec.json.decode(self._body, type=kind)
        except UNREADABLE as problem:
            raise Unknown(f"{self.what}: answer not understood: {problem}") from None


class Rest:
    """Calls one API. `wait_asked` reads from an answer how long the server asks us to wait, None if it does not."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        service: str,
        wait_asked: Callable[[httpx.Response], float | None],
        observe: Observer = unobserved,
    ) -> None:
        self._http = http
        self._service = service
        self._wait_asked = wait_asked
        self._observe = observe

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        hide: Sequence[str] = (),
    ) -> Reply:
        """Send one request. Raises one of the four `CallError`s unless the answer is 2xx or 304.

        `hide` are secrets in the body: a server that quotes what it refuses must not bring them into a message.
        """
        what = f"{self._service} {method} {path}"
        response = await self._send(what, method, path, params, body, headers)
        if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
            return Reply(response, what)
        raise self._failure(what, response, hide)

    async def _send(
        self, what: str, method: str, path: str, params: Params | None, body: object, headers: Mapping[str, str] | None
    ) -> httpx.Response:
        content = None if body is None else msgspec.json.encode(body)
        sent = {**(headers or {}), **({"content-type": "application/json"} if content is not None else {})}
        began = time.perf_counter()
        try:
            response = await self._http.request(method, path, params=params, content=content, headers=sent)
        except NEVER_SENT as problem:
            self._observe(self._service, method, 0, 0.0, {})
            raise Unreached(f"{what}: not reached: {describe(problem)}") from None
        except httpx.LocalProtocolError:
            # Its text quotes the header that cannot be sent, which may be the one with the token.
            self._observe(self._service, method, 0, 0.0, {})
            raise Unreached(f"{what}: not sent: a header holds characters that HTTP does not allow") from None
        except (httpx.TransportError, httpx.DecodingError) as problem:
            self._observe(self._service, method, 0, 0.0, {})
            raise Unknown(f"{what}: no answer: {describe(problem)}") from None
        self._observe(self._service, method, response.status_code, time.perf_counter() - began, response.headers)
        return response

    def _failure(self, what: str, response: httpx.Response, hide: Sequence[str]) -> CallError:
        wait = self._wait_asked(response)
        code, text, fields = error_text(response, hide)
        message = f"{what}: {response.status_code} {text}".rstrip()
        if wait is not None:
            return Throttled(message, after=wait)
        if response.is_redirect or response.is_server_error:
            return Unknown(message)
        needs = response.headers.get("x-accepted-github-permissions", "")
        return Refused(message, status=response.status_code, code=code, fields=fields, needs=needs)


def describe(problem: Exception) -> str:
    """An httpx error in a few words: its text if it has one, else its class."""
    return str(problem).strip() or type(problem).__name__


class _ErrorField(msgspec.Struct):
    field: str | None = None
    description: str | None = None


class _ErrorBody(msgspec.Struct):
    code: str | int | None = None
    message: str | None = None
    fields: list[_ErrorField] | None = None


def error_text(response: httpx.Response, hide: Sequence[str]) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """(code, one line, fields) of an error body of Koyeb or GitHub, without what is to be hidden; empty if not JSON."""
    try:
        body = msgspec.json.decode(response.content, type=_ErrorBody, strict=False)
    except UNREADABLE:
        return "", "", ()

    def shown(text: str | None) -> str:
        return functools.reduce(lambda kept, secret: kept.replace(secret, "***"), filter(None, hide), text or "")

    fields = tuple((f.field or "", shown(f.description)) for f in body.fields or ())
    details = ", ".join(f"{name}: {text}" for name, text in fields)
    text = " ".join(f"{shown(body.message)} {f'({details})' if details else ''}".split())
    return str(body.code or ""), text[:MESSAGE_LIMIT], fields
