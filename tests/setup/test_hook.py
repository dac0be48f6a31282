"""Waiting for a daemon and for the answer to a ping, without waiting in truth."""

import httpx
import pytest

from krs.github import GithubClient, Hooks, Secret, TokenAuth
from krs.github.hooks import HookRef
from krs.setup.hook import ready, try_ping
from krs.setup.report import Mark
from tests.contract.wire import Wire

REF = HookRef("acme/api", 7)


class Patience:
    """Counts the pauses."""

    def __init__(self) -> None:
        self.pauses = 0

    async def __call__(self, seconds: float) -> None:
        """Go on at once."""
        self.pauses += 1


@pytest.mark.parametrize(
    ("answers", "mark", "pauses"),
    [([200], Mark.OK, 0), ([503, 503, 200], Mark.OK, 2), ([503] * 40, Mark.NOTE, 30), ([404], Mark.NOTE, 0)],
)
async def test_a_daemon_that_has_just_started_is_waited_for(answers: list[int], mark: Mark, pauses: int) -> None:
    """As long as it says that it is not ready; what is no daemon of krs is not."""
    left, patience = list(answers), Patience()
    wire = Wire(lambda request: httpx.Response(left.pop(0)))
    async with httpx.AsyncClient(transport=wire.transport) as http:
        line = await ready(http, "https://krs.example.com/webhook", patience)
    assert (line.mark, patience.pauses) == (mark, pauses)
    assert str(wire.last.url) == "https://krs.example.com/readyz"


def row(number: int, code: int) -> dict[str, object]:
    """A row of a hook's log."""
    at = "2026-01-01T00:00:00Z"
    return {"id": number, "guid": "g", "delivered_at": at, "event": "ping", "status": "x", "status_code": code}


@pytest.mark.parametrize(
    ("logs", "mark", "words"),
    [
        ([[], [], [row(1, 200)]], Mark.OK, "answered 200"),
        ([[row(1, 502)], [row(1, 502)], [row(2, 200), row(1, 502)]], Mark.OK, "answered 200"),
        ([[], [row(1, 401)]], Mark.FAIL, "another webhook secret"),
        ([[], [row(1, 502)]], Mark.FAIL, "502"),
        ([[]] * 40, Mark.NOTE, "no answer after 15 s"),
    ],
)
async def test_the_answer_to_a_ping_is_read_from_the_log(
    logs: list[list[dict[str, object]]], mark: Mark, words: str
) -> None:
    """What stood there before is no answer."""
    left = list(logs)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(204) if request.method == "POST" else httpx.Response(200, json=left.pop(0))

    client = GithubClient(
        auth=TokenAuth(Secret("t")), api_url="https://api.test", now=lambda: 0.0, transport=Wire(answer).transport
    )
    line = await try_ping(Hooks(client), REF, Patience())
    assert line.mark is mark
    assert words in line.text
    await client.aclose()
