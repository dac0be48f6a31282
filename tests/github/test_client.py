"""GitHub's answers, sorted by what to do next."""

import httpx
import pytest

from krs.errors import Refused, Throttled, Unknown, Unreached
from krs.github import Denied, GithubClient, NameTaken, Removal, Run, Secret, TokenAuth
from krs.github.models import RunRepository
from tests.contract.wire import Wire

RUNNER = {"id": 7, "name": "runner-1", "status": "online", "busy": False, "labels": [{"name": "koyeb-fra-small"}]}


def client(wire: Wire, now: float = 1000.0) -> GithubClient:
    """A client on a scripted wire."""
    auth = TokenAuth(Secret("secret-token"))
    return GithubClient(auth=auth, api_url="https://github.test", now=lambda: now, transport=wire.transport)


def always(status: int, **headers: str) -> Wire:
    """The same error for every request."""
    return Wire(lambda request: httpx.Response(status, json={"message": "no"}, headers=headers))


@pytest.mark.parametrize(
    ("status", "headers", "kind", "after"),
    [
        (401, {}, Denied, None),
        (403, {}, Denied, None),
        (404, {}, Denied, None),
        (403, {"retry-after": "30"}, Throttled, 30),
        (429, {}, Throttled, 60),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1090"}, Throttled, 90),
        (422, {}, Refused, None),
        (500, {}, Unknown, None),
        (302, {"location": "/x"}, Unknown, None),
    ],
)
async def test_failures_are_sorted(
    status: int, headers: dict[str, str], kind: type[Exception], after: float | None
) -> None:
    """Rights, limits, refusals and broken servers are told apart; no message holds the token."""
    with pytest.raises(kind) as problem:
        await client(always(status, **headers)).list_runners("acme/api")
    assert getattr(problem.value, "after", None) == after
    assert "secret-token" not in str(problem.value)
    assert "acme/api" in str(problem.value)


async def test_a_denial_names_the_permission_that_github_asks_for() -> None:
    """The header that says what the call needs is part of the line."""
    wire = always(403, **{"x-accepted-github-permissions": "administration=read"})
    with pytest.raises(Denied, match="administration=read"):
        await client(wire).list_runners("acme/api")


@pytest.mark.parametrize(
    ("raised", "kind"), [(httpx.ConnectError("refused"), Unreached), (httpx.ReadTimeout("slow"), Unknown)]
)
async def test_what_was_never_sent_is_told_from_what_may_have_happened(
    raised: Exception, kind: type[Exception]
) -> None:
    """A closed port did nothing; a lost answer may have."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise raised

    with pytest.raises(kind):
        await client(Wire(fail)).jit_config("acme/api", "n", ("l",))


async def test_a_second_look_at_an_unchanged_list_costs_nothing() -> None:
    """The ETag is sent, and 304 gives the list of before."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers.get("if-none-match") == '"1"':
            return httpx.Response(304)
        return httpx.Response(200, json={"total_count": 1, "runners": [RUNNER]}, headers={"etag": '"1"'})

    wire = Wire(answer)
    github = client(wire)
    assert await github.list_runners("acme/api") == await github.list_runners("acme/api")
    assert len(wire.requests) == 2


async def test_long_lists_are_read_to_their_end() -> None:
    """Pages of a hundred until the total is reached; a runner on two pages counts once."""

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        numbers = range(100) if page == 1 else range(99, 150)
        return httpx.Response(200, json={"total_count": 151, "runners": [{**RUNNER, "id": n} for n in numbers]})

    assert len(await client(Wire(answer)).list_runners("acme")) == 150


async def test_the_jobs_of_a_run_are_read_as_facts() -> None:
    """Each job of the run, in our words."""
    rows = [{"id": 1, "status": "queued", "labels": ["koyeb-fra-small"]}, {"id": 2, "status": "in_progress"}]
    wire = Wire(lambda request: httpx.Response(200, json={"total_count": 2, "jobs": rows}))
    found = await client(wire).list_jobs("acme/api", Run(id=8))
    assert [(fact.id, fact.state.value) for fact in found] == [(1, "queued"), (2, "running")]


async def test_a_run_says_whether_its_jobs_are_of_a_public_repository() -> None:
    """A list of jobs has no repository, the run has; an answer about one job has neither."""
    rows = [{"id": 1, "status": "queued", "labels": ["koyeb-fra-small"]}]
    wire = Wire(lambda request: httpx.Response(200, json={"total_count": 1, "jobs": rows, **rows[0]}))
    run = Run(id=8, repository=RunRepository(private=False, fork=False))
    assert [fact.outside for fact in await client(wire).list_jobs("acme/api", run)] == [True]
    fact = await client(wire).get_job("acme/api", 1)
    assert fact is not None
    assert fact.outside is None


@pytest.mark.parametrize(("status", "removal"), [(204, Removal.REMOVED), (404, Removal.ABSENT), (422, Removal.BUSY)])
async def test_a_removal_has_three_outcomes(status: int, removal: Removal) -> None:
    """Gone now, gone before, or a job runs on it."""
    wire = Wire(lambda request: httpx.Response(status, json=None if status == 204 else {"message": "x"}))
    assert await client(wire).delete_runner("acme/api", 7) is removal


async def test_a_taken_name_is_an_error_of_its_own() -> None:
    """409 of generate-jitconfig: an earlier try may have succeeded unseen."""
    with pytest.raises(NameTaken):
        await client(always(409)).jit_config("acme/api", "n", ("l",))


async def test_a_registration_token_is_shared_while_it_is_fresh() -> None:
    """One call for many runners, another when less than ten minutes are left; it prints as stars."""
    now = [0.0]
    body = {"token": "AAAA-secret", "expires_at": "1970-01-01T01:00:00Z"}
    wire = Wire(lambda request: httpx.Response(201, json=body))
    auth = TokenAuth(Secret("t"))
    github = GithubClient(auth=auth, api_url="https://x.test", now=lambda: now[0], transport=wire.transport)
    token = await github.registration_token("acme/api")
    await github.registration_token("acme/api")
    assert len(wire.requests) == 1
    assert "secret" not in repr(token)
    now[0] = 3001.0
    await github.registration_token("acme/api")
    assert len(wire.requests) == 2
