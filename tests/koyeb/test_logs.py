"""A runner's log: history in pages, the live end over connections that come and go."""

from contextlib import aclosing
from typing import Any

import httpx
import pytest

from krs.core.views import LogLine
from krs.errors import CallError, Refused, Unknown, Unreached
from krs.koyeb import KoyebClient, logs
from tests.contract.wire import Wire, query_of
from tests.koyeb.tail import TOKEN, Script, Tail

NOON = 1_795_521_600.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open again at once."""
    monkeypatch.setattr(logs, "PAUSE", 0.0)


def entry(text: str, second: int = 0, **more: Any) -> dict[str, Any]:
    """A line as Koyeb sends it, some seconds past noon, in nanoseconds."""
    created_at = f"2026-11-24T12:00:{second:02}.123456789Z"
    return {"msg": text, "created_at": created_at, "labels": {"stream": "stdout"}, **more}


def frame(text: str, second: int = 0) -> dict[str, Any]:
    """The same in the tail."""
    return {"result": entry(text, second)}


async def told(server: Tail, count: int, past: tuple[LogLine, ...] = ()) -> list[str]:
    """The first lines of a tail since noon."""
    found: list[str] = []
    async with aclosing(server.client().tail("s", NOON, told=past)) as lines:
        async for line in lines:
            found.append(line.text)
            if len(found) == count:
                break
    return found


async def history(*replies: dict[str, Any], limit: int = 500) -> tuple[list[str], Wire]:
    """The texts of a query that is answered page by page, and what was asked."""
    pages = iter(replies)
    wire = Wire(lambda request: httpx.Response(200, json=next(pages)))
    client = KoyebClient(token=TOKEN, api_url="https://koyeb.test", transport=wire.transport)
    return [line.text for line in await client.logs("s", NOON, limit)], wire


async def test_history_reaches_back_to_the_start_of_the_service() -> None:
    """Without a start Koyeb looks back 15 minutes only, so an idle runner would have no log; oldest line first."""
    found, wire = await history({"data": [entry("b", 2), entry("a", 1)]})
    assert found == ["a", "b"]
    assert query_of(wire.last) | {"start": "2026-11-24T12:00:00Z", "order": "desc"} == query_of(wire.last)


async def test_history_is_read_on_while_koyeb_has_more() -> None:
    """The next page begins and ends where the reply says; the oldest surplus is left out."""
    more = {"has_more": True, "next_start": "2026-11-24T11:00:00Z", "next_end": "2026-11-24T12:00:01Z"}
    found, wire = await history(
        {"data": [entry("d", 4), entry("c", 3)], "pagination": more}, {"data": [entry("b", 2), entry("a", 1)]}, limit=3
    )
    assert found == ["b", "c", "d"]
    second = query_of(wire.last)
    assert (second["start"], second["end"]) == (more["next_start"], more["next_end"])


async def test_no_more_lines_are_asked_for_than_koyeb_gives() -> None:
    """A page holds a thousand lines at most; a larger limit would be refused."""
    _, wire = await history({"data": []}, limit=5_000)
    assert query_of(wire.last)["limit"] == "1000"


@pytest.mark.parametrize(
    ("reply", "texts"),
    [
        ({}, []),
        ({"data": None, "pagination": None}, []),
        ({"data": [], "pagination": {"has_more": True}}, []),
        ({"data": [{}, {"msg": None, "created_at": None, "labels": {"stream": None}}]}, ["", ""]),
    ],
)
async def test_history_has_holes(reply: dict[str, Any], texts: list[str]) -> None:
    """Absent and null fields are no failure, and a page without its successor is the last."""
    assert (await history(reply))[0] == texts


async def test_the_tail_brings_its_token_as_a_subprotocol() -> None:
    """The token is in the handshake's header and not in the address."""
    async with Tail([[frame("one")]]) as server:
        assert await told(server, 1) == ["one"]
    (asked,) = server.asked
    assert [part.strip() for part in asked.protocols.split(",")] == ["Bearer", TOKEN]
    assert asked.query == {"type": "runtime", "service_id": "s", "start": "2026-11-24T12:00:00Z"}


async def test_a_tail_that_ends_goes_on_where_it_stood_with_no_line_lost_or_doubled() -> None:
    """The new connection starts at the last line and is sent it again; a line printed twice stays two lines."""
    first = [frame("a", 1), frame("b", 2), frame("b", 2)]
    second = [frame("b", 2), frame("b", 2), frame("b", 2), frame("c", 2), frame("d", 3)]
    async with Tail([first, second]) as server:
        assert await told(server, 6) == ["a", "b", "b", "b", "c", "d"]
    assert [asked.query["start"] for asked in server.asked] == ["2026-11-24T12:00:00Z", "2026-11-24T12:00:02.123456Z"]


async def test_a_line_of_history_is_not_told_again() -> None:
    """The tail overlaps the history, since two lines may share an instant."""
    past = (LogLine(at=logs.Entry(created_at=entry("", 1)["created_at"]).line().at, stream="stdout", text="a"),)
    async with Tail([[frame("a", 1), frame("a2", 1)]]) as server:
        assert await told(server, 1, past) == ["a2"]


async def test_what_is_no_line_is_passed_over() -> None:
    """Empty frames, broken JSON and frames of another shape do not end a tail."""
    async with Tail([["", "{", "[]", "{}", {"result": None}, frame("one")]]) as server:
        assert await told(server, 1) == ["one"]


@pytest.mark.parametrize("trouble", [[{"error": {"code": 14, "message": "closing"}}], 503, 429, 200, 302])
async def test_a_passing_trouble_is_waited_out(trouble: Any) -> None:
    """Once open, a tail survives an end with an error that may pass, a refusal of the server's and the website."""
    async with Tail([[frame("a", 1)], trouble, [frame("b", 2)]]) as server:
        assert await told(server, 2) == ["a", "b"]
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ([401], Refused),
        ([404], Refused),
        ([503], Unknown),
        ([200], Unknown),
        ([302], Unknown),
        ([[{"error": {"code": 5, "message": "no such service"}}]], Refused),
        ([[frame("a")], 404], Refused),
    ],
)
async def test_a_tail_that_cannot_be_had_says_so(script: Script, kind: type[CallError]) -> None:
    """No endless silent tries: at the first opening any failure is told, later what another try would meet again."""
    async with Tail(script) as server:
        with pytest.raises(kind) as problem:
            await told(server, 2)
    assert TOKEN not in f"{problem.value!r} {problem.value}"


async def test_a_tail_without_a_server_is_unreached() -> None:
    """A refused connection is not an answer of Koyeb's."""
    async with Tail([[]]) as server:
        pass
    with pytest.raises(Unreached):
        await told(server, 1)


async def test_an_empty_service_is_never_asked_for() -> None:
    """It might mean everybody's lines."""
    client = KoyebClient(token=TOKEN, api_url="https://koyeb.test")
    with pytest.raises(ValueError, match="empty id"):
        await client.logs("", NOON, 5)
    with pytest.raises(ValueError, match="empty id"):
        client.tail("", NOON)
