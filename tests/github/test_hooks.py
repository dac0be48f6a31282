"""Hooks: their logs read no further than needed, and installing one so that it can be done again at will."""

from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from krs.errors import CallError
from krs.github import Denied, GithubClient, Hooks, Secret, TokenAuth
from krs.github.hooks import APP, Hook, HookRef, Outcome, install, plan, same_daemon
from tests.contract.wire import Wire, body_of

URL = "https://krs.test/"
REF = HookRef("acme/api", 7)
GOOD = Hook(
    ref=REF, url=URL, events=("workflow_job",), active=True, content_type="json", verified=True, signed=True, answered=0
)
MINUTE = 60


SECRET = Secret("hush-hush-hush")


def hooks(wire: Wire) -> Hooks:
    """Hooks on a scripted wire."""
    auth = TokenAuth(Secret("secret-token"))
    return Hooks(GithubClient(auth=auth, api_url="https://github.test", now=lambda: 0.0, transport=wire.transport))


def log(request: httpx.Request) -> httpx.Response:
    """A log of 250 deliveries, one a minute, newest first, the newest at minute 250."""
    first = int(request.url.params.get("cursor", "250"))
    size = int(request.url.params["per_page"])
    shown = range(first, max(0, first - size), -1)
    rows = [
        {"id": n, "guid": f"g{n}", "delivered_at": f"1970-01-01T{n // 60:02}:{n % 60:02}:00Z", "status_code": 503}
        for n in shown
    ]
    more = first - size > 0
    link = f'<https://github.test/x?per_page={size}&cursor={first - size}>; rel="next"' if more else ""
    return httpx.Response(200, json=rows, headers={"link": link})


@pytest.mark.parametrize(("since", "rows", "pages"), [(249, 2, 1), (200, 51, 1), (120, 131, 2), (0, 250, 3)])
async def test_a_log_is_read_no_further_back_than_asked(since: int, rows: int, pages: int) -> None:
    """Page by page from the newest; the first row that is too old ends it."""
    wire = Wire(log)
    found = await hooks(wire).deliveries(REF, since=since * MINUTE, failed=True)
    assert [row.id for row in found] == list(range(250, 250 - rows, -1))
    assert len(wire.requests) == pages
    assert {request.url.params["status"] for request in wire.requests} == {"failure"}


async def test_the_last_few_deliveries_are_one_short_page() -> None:
    """A limit is asked for as the page's size."""
    wire = Wire(log)
    assert len(await hooks(wire).deliveries(REF, limit=5)) == 5
    assert wire.last.url.params["per_page"] == "5"


@pytest.mark.parametrize("ref", [REF, HookRef("acme", 7), APP])
async def test_a_refusal_names_the_permission(ref: HookRef) -> None:
    """What GitHub's own header says comes through, for listing and for sending again."""
    needs = {"x-accepted-github-permissions": "repository_hooks=write"}
    wire = Wire(lambda request: httpx.Response(403, json={"message": "no"}, headers=needs))
    for call in (hooks(wire).deliveries(ref), hooks(wire).redeliver(ref, 1)):
        with pytest.raises(Denied) as problem:
            await call
        assert problem.value.needs == "repository_hooks=write"


@pytest.mark.parametrize(
    ("found", "outcome", "wrong"),
    [
        ((), Outcome.CREATED, 0),
        ((GOOD,), Outcome.CONFIRMED, 0),
        ((replace(GOOD, url="https://other.test/"),), Outcome.CREATED, 0),
        ((replace(GOOD, url="https://krs.test/elsewhere"),), Outcome.CREATED, 0),
        ((replace(GOOD, url="https://krs.test/webhook"),), Outcome.REPAIRED, 1),
        ((replace(GOOD, content_type="form", active=False),), Outcome.REPAIRED, 2),
        ((replace(GOOD, events=("push", "workflow_job"), verified=False, signed=False),), Outcome.REPAIRED, 3),
    ],
)
def test_what_is_done_follows_from_what_is_there(found: tuple[Hook, ...], outcome: Outcome, wrong: int) -> None:
    """A hook of this daemon is repaired where it is wrong; those of others are left alone."""
    chosen = plan(found, URL)
    assert (chosen.outcome, len(chosen.wrong)) == (outcome, wrong)


def test_the_exact_address_goes_first_and_a_number_before_that() -> None:
    """Of several hooks of one daemon one is chosen, and the others are named."""
    near = replace(GOOD, ref=HookRef("acme/api", 8), url="https://krs.test/webhook")
    far = replace(GOOD, ref=HookRef("acme/api", 9), url="https://old.test/")
    assert plan((near, GOOD, far), URL).hook == GOOD
    assert plan((near, GOOD, far), URL).others == (near,)
    moved = plan((near, GOOD, far), URL, 9)
    assert (moved.hook, moved.others) == (far, (near, GOOD))
    assert moved.wrong == ("it delivers to https://old.test/",)
    with pytest.raises(ValueError, match="no hook 10"):
        plan((GOOD,), URL, 10)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.test", "https://a.test/webhook/", True),
        ("https://A.test/", "https://a.test", True),
        ("https://a.test:8443", "https://a.test", False),
        ("http://a.test", "https://a.test", False),
        ("https://a.test/x", "https://a.test/y", False),
        ("", "https://a.test/x", False),
        ("nonsense", "gibberish", False),
    ],
)
def test_addresses_of_one_daemon(one: str, other: str, same: bool) -> None:
    """The same but for the paths that deliveries are taken at."""
    assert same_daemon(one, other) is same


async def test_a_repair_sends_everything_and_shows_nothing() -> None:
    """A configuration is replaced whole, so the secret goes with it; it is in no message and no repr."""
    row: dict[str, Any] = {"id": 7, "active": False, "events": ["push"], "config": {"url": URL, "secret": "********"}}
    wire = Wire(lambda request: httpx.Response(200, json=[row] if request.method == "GET" else row))
    done = await install(hooks(wire), "acme/api", URL, Secret("hush"))
    config = {"url": URL, "content_type": "json", "secret": "hush", "insecure_ssl": "0"}
    assert body_of(wire.last) == {"config": config, "events": ["workflow_job"], "active": True}
    assert done.plan.outcome is Outcome.REPAIRED
    assert "hush" not in repr(done)


async def test_an_app_that_does_not_hear_of_jobs_says_what_a_person_must_do() -> None:
    """The API sets the address and the secret of an App's hook, not its events."""
    wire = Wire(
        lambda request: httpx.Response(
            200, json={"events": []} if request.url.path == "/app" else {"url": URL, "content_type": "json"}
        )
    )
    done = await install(hooks(wire), "", URL, Secret("hush"))
    assert done.plan.wrong == ("it has no secret",)
    assert done.missing == ("subscribe the App to the event workflow_job in its settings",)


@pytest.mark.parametrize("ref", [None, HookRef("acme/api", 7), APP], ids=str)
async def test_a_secret_that_github_quotes_is_in_no_message(ref: HookRef | None) -> None:
    """Neither when a hook is made nor when one is repaired."""
    wire = Wire(lambda request: httpx.Response(422, json={"message": "secret hush-hush-hush is weak"}))
    work = hooks(wire).create("acme/api", URL, SECRET) if ref is None else hooks(wire).repair(ref, URL, SECRET)
    with pytest.raises(CallError) as refused:
        await work
    assert "is weak" in refused.value.message
    assert "hush" not in refused.value.message
