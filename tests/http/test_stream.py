"""The journal as a stream: in order, without gaps or repeats, and without trusting the reader."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from krs.client import ApiClient, Reset
from krs.core.model import Event, Name
from krs.core.vocabulary import EventKind
from krs.errors import CallError, Refused
from krs.secret import Secret
from tests.http.conftest import ADMIN, Site

LONG = 10.0


@asynccontextmanager
async def reading(
    site: Site, after: int | None = None, *kinds: EventKind
) -> AsyncIterator[AsyncIterator[Event | Reset]]:
    """A reader that is connected."""
    client = ApiClient(site.url, Secret(ADMIN))
    stream = client.stream(after, kinds)
    yield stream
    await stream.aclose()  # type: ignore[attr-defined]
    await client.aclose()


async def until(done: Callable[[], bool]) -> None:
    """Let the loop go round until something holds."""
    deadline = asyncio.get_running_loop().time() + LONG
    while not done():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0)


async def take(stream: AsyncIterator[Event | Reset], count: int) -> list[int | str]:
    """The numbers of the next events; a reset is a word."""
    found: list[int | str] = []
    while len(found) < count:
        item = await asyncio.wait_for(anext(stream), LONG)
        found.append(item.seq if isinstance(item, Event) else "reset")
    return found


async def test_events_come_as_they_happen_from_now_on(site: Site) -> None:
    """Without a cursor the past is not sent."""
    site.double.happen(3)
    async with reading(site) as stream:
        first = asyncio.create_task(take(stream, 2))
        await until(lambda: site.streams.count == 1)
        site.double.happen(2)
        assert await first == [4, 5]


async def test_a_cursor_resumes_without_gap_or_repeat(site: Site) -> None:
    """From the ring, and from the journal what the ring no longer holds."""
    site.double.happen(30)
    async with reading(site, 2) as stream:
        assert await take(stream, 28) == list(range(3, 31))
        site.double.happen(1)
        assert await take(stream, 1) == [31]


async def test_what_is_no_longer_kept_is_said(site: Site) -> None:
    """A cursor before the oldest row, or of another life, gets a reset and goes on from now."""
    site.double.happen(30)
    site.double.kept = 5
    for cursor in (2, 99):
        async with reading(site, cursor) as stream:
            assert await take(stream, 1) == ["reset"]
            site.double.happen(1)
            assert await take(stream, 1) == [site.double.feed.last_seq]


async def test_kinds_can_be_chosen(site: Site) -> None:
    """Only what was asked for is sent."""
    site.double.happen(2)
    site.double.happen(1, EventKind.JOB_DONE)
    site.double.happen(2)
    async with reading(site, 0, EventKind.JOB_DONE) as stream:
        assert await take(stream, 1) == [3]


async def test_silence_is_broken_by_a_comment_that_is_no_event(site: Site) -> None:
    """The keep-alive is one line without a blank one, so that no client delivers an empty event."""
    async with (
        site.http(Accept="text/event-stream") as http,
        http.stream("GET", "/api/v1/events", timeout=LONG) as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream"
        text = ""
        async for chunk in answer.aiter_text():
            text += chunk
            if text.count(":\n") >= 2:
                break
    assert text == "retry: 1000\n\n:\n:\n"


async def test_there_are_only_so_many_streams(site: Site) -> None:
    """One more is refused with 503; when one ends its place is free."""
    site.streams.most = 1
    site.double.happen(1)
    async with reading(site, 0) as stream:
        await take(stream, 1)
        async with site.http(Accept="text/event-stream") as http:
            assert (await http.get("/api/v1/events")).status_code == 503
    await until(lambda: site.streams.count == 0)
    async with reading(site, 0) as stream:
        assert await take(stream, 1) == [1]


async def test_a_reader_that_never_reads_is_cut(site: Site) -> None:
    """Its socket fills, the flush stalls, the stream ends; the others are not disturbed."""
    site.streams.stall = 0.05
    host, port = site.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    head = (
        f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\nAccept: text/event-stream\r\n\r\n"
    )
    writer.write(head.encode())
    await writer.drain()
    await reader.readline()
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    deadline = asyncio.get_running_loop().time() + LONG
    while site.streams.count:
        assert asyncio.get_running_loop().time() < deadline
        site.double.happen(2000)
        await asyncio.sleep(0)
    writer.close()


async def test_the_client_sorts_failures(site: Site) -> None:
    """A wrong token is Refused; a server that is no krs is said to be none; neither shows the token."""
    with pytest.raises(Refused) as refused:
        await ApiClient(site.url, Secret("wrong-token")).state()
    assert "wrong-token" not in str(refused.value)
    html = httpx.MockTransport(lambda request: httpx.Response(200, html="<p>hello"))
    with pytest.raises(CallError, match="no krs daemon"):
        await ApiClient("http://x", Secret("t"), transport=html).state()


async def test_an_event_of_another_version_is_said() -> None:
    """A kind that this version does not know is one clear refusal, not a traceback."""
    body = b'id: 1\ndata: {"kind": "moon.landed", "at": 1, "message": "x"}\n\n'
    headers = {"content-type": "text/event-stream"}
    newer = httpx.MockTransport(lambda request: httpx.Response(200, content=body, headers=headers))
    with pytest.raises(Refused, match="upgrade"):
        await anext(ApiClient("http://x", Secret("t"), transport=newer).stream(0))


async def test_logs_come_as_a_list_and_as_a_stream(site: Site) -> None:
    """Both forms give the same lines; an unknown runner is refused in both."""
    client = ApiClient(site.url, Secret(ADMIN))
    for follow in (False, True):
        lines = client.logs(site.double.name, follow=follow)
        assert [(await anext(lines)).text, (await anext(lines)).text] == ["line 0", "line 1"]
        await lines.aclose()  # type: ignore[attr-defined]
        with pytest.raises(Refused):
            await anext(client.logs(Name("nobody"), follow=follow))
    await client.aclose()


async def test_the_client_reads_what_the_api_sends(site: Site) -> None:
    """Every listing, one action and its key."""
    client = ApiClient(site.url, Secret(ADMIN), actor="ana")
    state = await client.state()
    assert client.role == "admin"
    assert await client.runners() == state.runners
    assert await client.jobs() == state.jobs
    assert await client.pools() == state.pools
    assert (await client.runner(site.double.name)).name == site.double.name
    from krs.core.views import KillBody

    done = await client.kill(site.double.name, KillBody(version=1))
    assert done.runner is not None
    assert site.double.asked[0][2] == "admin (ana)"
    await client.aclose()
