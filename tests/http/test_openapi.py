"""The description and the API say the same, whatever is sent."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from krs.http.openapi import document
from krs.http.routes import BASE, ENDPOINTS
from tests.http.conftest import ADMIN, READER, Double, application, serve

schema = schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Double, str]]:
    """A running API in a thread of its own, since the tool is not asynchronous."""
    loop = asyncio.new_event_loop()
    double = Double()
    started = threading.Event()
    found: list[str] = []

    async def main() -> None:
        running, url = await serve(application(double))
        found.append(url)
        started.set()
        await stop.wait()
        running.stop()
        await running.close_all_connections()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    started.wait(10)
    yield double, found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def test_every_endpoint_is_described() -> None:
    """One operation each, with its answers."""
    paths = document()["paths"]
    assert {(e.method.lower(), BASE + e.path) for e in ENDPOINTS} == {(m, p) for p, item in paths.items() for m in item}


@pytest.mark.parametrize("token", [ADMIN, READER])
@pytest.mark.filterwarnings("ignore")
def test_whatever_is_sent_gets_a_documented_answer(server: tuple[Double, str], token: str) -> None:
    """Generated requests to every operation: no 5xx, no undocumented status or shape; a reader changes nothing."""
    double, url = server
    double.asked.clear()

    for result in schema.get_all_operations():
        _exercise(result.ok(), url, token)  # type: ignore[union-attr]
    if token == READER:
        assert double.asked == []


def _exercise(operation: Any, url: str, token: str) -> None:
    documented = {int(status) for status in operation.definition.raw["responses"]}

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        response = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=5)
        assert response.status_code < 500
        assert response.status_code in documented, (response.status_code, case.path)

    run()
