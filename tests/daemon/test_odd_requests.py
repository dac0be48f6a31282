"""The admin API of a whole daemon, asked absurd things."""

import json
import logging
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from krs.config.settings import Admin
from krs.secret import Secret
from tests.daemon.conftest import House

TOKEN = "admin-token-0123456789"
ODD = ("x", ".", "..", "%00", "%0d%0a", "%ff%fe", "%ed%a0%80", "a%2fb", "%25", "%27;--", "a" * 5000, "all ", "{name}")
TEXTS = ("", "\x00", "\n", "a/..", "a/b/c", "x" * 5000, "koyeb-" + "-" * 3000, "\u202e", "\udfff")
NUMBERS: tuple[Any, ...] = (0, -1, 2**63, 2**65, 1e308, -1e308, 0.1, "1e400", "NaN", None, True, [], {})
QUERIES = (
    *("after=-1", "after=1e5", "after=999999999999999", "after=9999999999999999999", "after=%c2%b2", "after=1&after=x"),
    *("limit=0", "limit=1001", "limit=%00", "kind=,", "kind=%00", "kind=" + "a," * 5000),
    *("runner=%00", "runner=%ff", "runner=" + "a" * 9000, "=&&=", "%", "&" * 9000),
)
ORDERS: dict[str, dict[str, Any]] = {
    "/runners": {"label": "koyeb-fra-small", "scope": "acme/api", "reason": ""},
    "/runners/NAME/extend": {"minutes": 5, "version": None, "reason": ""},
    "/runners/NAME/drain": {"cancel": True, "version": None},
    "/runners/NAME/kill": {"force": False},
    "/pools/all/resume": {"reason": ""},
}


class Asker:
    """Asks, and keeps what was answered with a 5xx."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.failures: list[tuple[str, int]] = []
        self.count = 0

    async def ask(self, method: str, path: str, body: Any = None) -> None:
        """One request."""
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if body is None else {"content-type": "application/json"}
        answer = await self.http.request(method, path, content=content, headers=headers)
        self.count += 1
        if answer.status_code >= 500:
            self.failures.append((f"{method} {path[:80]} {str(body)[:80]}", answer.status_code))


def bodies(usual: dict[str, Any]) -> list[Any]:
    """A body with any value in each field, and what is no body."""
    odd: list[Any] = [{**usual, field: value} for field in usual for value in (*TEXTS, *NUMBERS)]
    odd += [{"until": value} for value in NUMBERS] if "minutes" in usual else []
    return [*odd, b"[" * 60_000, b'{"reason":' * 6000, b"\xff", b"nul", b"{" * 70_000]


async def test_no_question_and_no_order_is_answered_with_5xx(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Odd names, queries and bodies get an answer below 500 and leave no traceback; the daemon goes on."""
    settings = replace(house.settings(), admin=Admin(token=Secret(TOKEN)))
    monkeypatch.setattr(house, "settings", lambda: settings)
    await house.up()
    house.simulation.queue("acme/api", ("koyeb-fra-small",), seconds=3000)
    await house.until(lambda: house.daemon.scheduler.snapshot().totals.busy == 1)
    name = house.daemon.scheduler.snapshot().runners[0].name
    base = f"http://127.0.0.1:{house.daemon.port}/api/v1"
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=20) as http:
        asker = Asker(http)
        for odd in ODD:
            for path in (f"/runners/{odd}", f"/runners/{odd}/logs"):
                await asker.ask("GET", base + path)
            for path in (f"/runners/{odd}/extend", f"/runners/{odd}/drain", f"/pools/{odd}/pause"):
                await asker.ask("POST", base + path, {})
        for query in QUERIES:
            await asker.ask("GET", f"{base}/events?{query}")
        for path, usual in ORDERS.items():
            for body in bodies(usual):
                await asker.ask("POST", base + path.replace("NAME", name), body)
    assert (asker.failures, asker.count > 250) == ([], True)
    errors = [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    assert [record.message for record in errors if "was cut off" not in record.message] == []
    assert "a/.." not in caplog.text, "a scope that is none was asked for at GitHub"
    assert house.daemon.ready()[0]
