"""Records what a client sends, and answers as told."""

import json
from collections.abc import Callable
from typing import Any

import httpx


class Wire:
    """An httpx transport: keeps every request, answers by a function of it."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer
        self.transport = httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)

    @property
    def last(self) -> httpx.Request:
        """The latest request."""
        return self.requests[-1]


def body_of(request: httpx.Request) -> Any:
    """The JSON of a request, None without a body."""
    return json.loads(request.content) if request.content else None


def query_of(request: httpx.Request) -> dict[str, str]:
    """The query of a request."""
    return dict(request.url.params)
