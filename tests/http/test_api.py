"""The admin API: who may, what is answered, and that nothing is done twice."""

import logging

import httpx
import pytest

from krs.core.views import ErrorDetail
from krs.http.ports import ActionRefused
from tests.http.conftest import ADMIN, READER, Double, Site, application, serve

API = "/api/v1"


@pytest.mark.parametrize("token", [None, "", "wrong", "admin-token-012345678", READER + "x", "é"])
async def test_without_a_valid_token_there_is_nothing_to_see(site: Site, token: str | None) -> None:
    """401 with the way to authenticate, in the one shape of errors."""
    headers = {} if token is None else {"authorization": f"Bearer {token}".strip().encode()}
    async with httpx.AsyncClient(base_url=site.url) as http:
        answer = await http.get(f"{API}/state", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["error"]["code"] == "unauthorized"


async def test_guessing_is_slowed_down_and_journaled_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """After ten wrong tokens 429; one event, and no token in any log line or event; a right token still works."""
    caplog.set_level(logging.DEBUG)
    async with site.http("guess-guess-guess") as http:
        statuses = [(await http.get(f"{API}/state")).status_code for _ in range(30)]
    assert (statuses[0], statuses[-1]) == (401, 429)
    assert len(site.double.noted) == 1
    assert "guess-guess" not in caplog.text + str(site.double.noted)
    async with site.http() as http:
        assert (await http.get(f"{API}/state")).status_code == 200


async def test_a_read_only_token_changes_nothing(site: Site) -> None:
    """Every action is refused with 403, and never reaches the scheduler."""
    async with site.http(READER) as http:
        assert (await http.get(f"{API}/runners")).status_code == 200
        for path in ("runners", "runners/x/extend", "runners/x/drain", "runners/x/kill", "pools/all/pause"):
            assert (await http.post(f"{API}/{path}", json={})).status_code == 403
    assert site.double.asked == []


async def test_with_no_token_configured_the_api_does_not_exist() -> None:
    """404, as for any other path."""
    server, url = await serve(application(Double(), admin="", reader=""))
    async with httpx.AsyncClient(base_url=url) as http:
        for path in (f"{API}/state", "/openapi.json", "/nothing"):
            answer = await http.get(path, headers={"authorization": "Bearer"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    server.stop()
    await server.close_all_connections()


async def test_an_unknown_runner_names_the_nearest(site: Site) -> None:
    """404 with a hint."""
    async with site.http() as http:
        answer = await http.get(f"{API}/runners/{site.double.name}x")
    assert answer.status_code == 404
    assert site.double.name in answer.json()["error"]["hint"]


@pytest.mark.parametrize(
    ("path", "content", "status", "code"),
    [
        ("extend", b'{"minutes": 0}', 422, "bad_value"),
        ("extend", b'{"minutes": -5}', 422, "bad_value"),
        ("extend", b'{"minutes": 1e9}', 422, "bad_value"),
        ("extend", b'{"minutes": "x"}', 422, "bad_value"),
        ("extend", b'{"minuts": 5}', 422, "bad_value"),
        ("extend", b"[]", 422, "bad_value"),
        ("extend", b"{", 400, "bad_json"),
        ("extend", b"\xff", 400, "bad_json"),
        ("kill", b'{"force": 1}', 422, "bad_value"),
        ("kill", b" " * 70_000, 413, "too_large"),
        ("nothing", b"{}", 404, "not_found"),
    ],
)
async def test_bad_actions_have_documented_codes(site: Site, path: str, content: bytes, status: int, code: str) -> None:
    """Values, shapes, sizes and paths that make no sense."""
    async with site.http(Content_Type="application/json") as http:
        answer = await http.post(f"{API}/runners/{site.double.name}/{path}", content=content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert site.double.asked == []


@pytest.mark.parametrize("query", ["after=x", "after=-1", "limit=0", "limit=1001", "limit=x", "kind=nope"])
async def test_bad_cursors_are_refused(site: Site, query: str) -> None:
    """Numbers that are none, and kinds that do not exist."""
    async with site.http() as http:
        assert (await http.get(f"{API}/events?{query}")).status_code == 422


async def test_methods_and_types_that_do_not_fit(site: Site) -> None:
    """405 says what is allowed; 415 for anything but JSON."""
    async with site.http() as http:
        wrong = await http.delete(f"{API}/runners")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, POST")
        kind = await http.post(f"{API}/pools/all/pause", content=b"x", headers={"content-type": "text/plain"})
        assert kind.status_code == 415


async def test_a_refusal_carries_the_present_state(site: Site) -> None:
    """409 with the runner as it is now."""
    runner = site.double.snapshot().runners[0]
    site.double.refusal = ActionRefused(409, ErrorDetail(code="stale", message="moved", runner=runner))
    async with site.http() as http:
        answer = await http.post(f"{API}/runners/{runner.name}/kill", json={"version": 1})
    assert answer.status_code == 409
    assert answer.json()["error"]["runner"]["state"] == "booting"


async def test_a_key_is_done_once(site: Site) -> None:
    """The same key gives the first answer again; with another body it is refused; errors are kept too."""
    path = f"{API}/runners/{site.double.name}/kill"
    async with site.http(Idempotency_Key="k1") as http:
        first, second = await http.post(path, json={}), await http.post(path, json={})
        other = await http.post(path, json={"force": True})
    assert first.json() == second.json()
    assert len(site.double.asked) == 1
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")


async def test_if_match_names_the_version_and_the_actor_is_noted(site: Site) -> None:
    """The header is as good as the field; who acts is the role and the name given."""
    async with site.http(If_Match='"7"', X_Krs_Actor="ana") as http:
        await http.post(f"{API}/runners/{site.double.name}/kill", json={})
        bad = await http.post(f"{API}/runners/{site.double.name}/kill", json={}, headers={"if-match": "x"})
    ((_, body, by),) = site.double.asked
    assert (body.version, by, bad.status_code) == (7, "admin (ana)", 422)


async def test_answers_are_private_and_unchanged_ones_are_short(site: Site) -> None:
    """No cache, no sniffing, no other origin; 304 for a state that is known."""
    async with site.http() as http:
        answer = await http.get(f"{API}/state")
        again = await http.get(f"{API}/state", headers={"if-none-match": answer.headers["etag"]})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    assert again.status_code == 304


async def test_a_large_body_anywhere_is_not_kept(site: Site) -> None:
    """Ten megabytes to a path that wants none are thrown away."""
    async with site.http() as http:
        assert (await http.post(f"{API}/pools/all/pause", content=b"x" * 10_000_000)).status_code == 413
        assert (await http.post("/", content=b"x" * 10_000_000)).status_code == 413
    assert ADMIN not in str(site.double.asked)
