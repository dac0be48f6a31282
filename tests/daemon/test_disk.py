"""A state file that cannot be written: the daemon refuses, says so, calls nobody, and goes on when it can again."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from krs.core.views import StartBody
from krs.core.vocabulary import EventKind, JobState
from krs.daemon import loop as module
from krs.http.ports import ActionRefused
from tests.daemon.conftest import House
from tests.deliveries import delivery


async def pragma(house: House, statement: str) -> None:
    """Tell the daemon's own connection."""
    house.daemon._store._connection.execute(statement).fetchall()


async def frozen(house: House) -> None:
    """As on a disk that the system mounted read-only after an error."""
    await pragma(house, "PRAGMA query_only = 1")


async def thawed(house: House) -> None:
    """Writable."""
    await pragma(house, "PRAGMA query_only = 0")


async def deleted(house: House) -> None:
    """Moved away under the daemon."""
    house.path.rename(house.path.with_name("away.db"))


async def put_back(house: House) -> None:
    """Where it was."""
    house.path.with_name("away.db").rename(house.path)


Step = Callable[[House], Awaitable[None]]


async def ask(house: House, path: str) -> httpx.Response:
    """GET of the daemon."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(f"http://127.0.0.1:{house.daemon.port}{path}")


async def fill(house: House) -> int:
    """Send deliveries until one is refused; gives its job's id."""
    for number in range(4_300_000_001, 4_300_001_000):
        if (await house.post(delivery(job_id=number, labels=["koyeb-fra-gigantic"]))).status_code == 503:
            return number
    raise AssertionError("it never was full")


@pytest.mark.parametrize(
    ("breaks", "mends", "words"),
    [
        (frozen, thawed, "readonly database"),
        (deleted, put_back, "deleted or replaced under the daemon"),
    ],
)
async def test_without_a_disk_deliveries_are_refused_and_nobody_is_called(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    breaks: Step,
    mends: Step,
    words: str,
) -> None:
    """503 to GitHub, one line everywhere, no machine bought; afterwards all is taken, and the journal tells of both."""
    monkeypatch.setattr(module, "RETRY_AFTER", 0.02)
    await house.up()
    await house.until(lambda: house.daemon.ready()[0])
    await breaks(house)
    await fill(house)
    house.simulation.queue("acme/api", ("koyeb-fra-small",), seconds=20)
    await house.until(lambda: house.simulation.stats()["deliveries"].get("503", 0) == 1)
    ready, metrics = await ask(house, "/readyz"), await ask(house, "/metrics")
    assert (ready.status_code, words in ready.json()["message"]) == (503, True)
    assert "krs_store_writable 0.0" in metrics.text
    assert 'krs_deliveries_total{outcome="store"}' in metrics.text
    with pytest.raises(ActionRefused, match=words) as refused:
        await house.daemon.scheduler.start(StartBody(label="koyeb-fra-small", scope="acme/api"), by="ana")
    assert refused.value.status == 503
    await asyncio.sleep(0.1)
    assert (await ask(house, "/healthz")).status_code == 200
    assert house.simulation.cloud.created == 0
    await mends(house)
    await house.until(lambda: house.daemon.ready()[0])
    job = next(iter(house.simulation.forge.queued.values()))
    again = await house.post(delivery(job_id=job.id, repo=job.repo))
    assert again.status_code == 202
    await house.until(lambda: house.simulation.stats()["served"] == 1)
    kinds = [event.kind for event in await house.journal(EventKind.STORE_LOST, EventKind.STORE_BACK)]
    assert kinds == [EventKind.STORE_LOST, EventKind.STORE_BACK]
    assert len([line for line in caplog.messages if "answered 503" in line]) == 2  # the notice and the event
    assert "krs_store_writable 1.0" in (await ask(house, "/metrics")).text
    assert JobState.QUEUED not in {j.state for j in house.daemon.scheduler.snapshot().jobs if j.placeable}
