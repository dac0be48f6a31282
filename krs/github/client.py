"""The calls to GitHub's REST API that krs makes (https://docs.github.com/rest). None is ever repeated in here.

A repeated POST could do its work twice: `generate-jitconfig` that succeeds unseen answers 409 the next time.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import httpx

from krs.core.facts import JobFact
from krs.core.vocabulary import JobState
from krs.errors import Refused, Unknown
from krs.github.auth import Auth
from krs.github.models import (
    JitConfig,
    JitReply,
    JobsReply,
    Registration,
    RegistrationToken,
    Removal,
    RunnerReply,
    RunnersReply,
    TokenReply,
)
from krs.github.webhook import STATES, Job, fact_of
from krs.rest import Observer, Params, Reply, Rest, unobserved
from krs.secret import Secret

T = TypeVar("T")

VERSION = "2022-11-28"
PAGE = 100
PAGES = 100
CACHED = 200
"""Answers kept for their ETag: one a page of runners, one an open job."""
TOKEN_LEFT = 10 * 60.0
"""Seconds that a cached registration token must still be valid."""
SECONDARY_WAIT = 60.0


class Denied(Refused):
    """This credential may not do that; GitHub also says 404 for what a token cannot see."""


class NameTaken(Refused):
    """A runner of this name is registered already (409)."""


class GithubClient:
    """GitHub, seen by one identity. A scope is `owner/repo` or an organization. `now` gives seconds since the epoch."""

    def __init__(
        self,
        *,
        auth: Auth,
        api_url: str,
        now: Callable[[], float],
        observe: Observer = unobserved,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 15.0,
    ) -> None:
        headers = {"accept": "application/vnd.github+json", "x-github-api-version": VERSION, "user-agent": "krs"}
        self._http = httpx.AsyncClient(
            base_url=api_url.rstrip("/"), headers=headers, timeout=timeout, transport=transport, trust_env=False
        )
        self._auth = auth
        self._now = now
        self._rest = Rest(self._http, service="github", wait_asked=self._wait_asked, observe=observe)
        self._etags: OrderedDict[str, tuple[str, Reply]] = OrderedDict()
        self._tokens: dict[str, RegistrationToken] = {}

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def check_token(self) -> None:
        """Ask what any valid credential may ask, and what costs nothing. Raises `Denied` for a bad one."""
        await self._call("GET", "/rate_limit", scope="")

    async def list_runners(self, scope: str) -> tuple[Registration, ...]:
        """All runners of a scope. Raises `Denied` when the credential may not list them."""
        found: list[RunnerReply] = []
        for page in range(1, PAGES + 1):
            params = {"per_page": str(PAGE), "page": str(page)}
            reply = await self._cached(f"{base(scope)}/actions/runners", params, RunnersReply, scope)
            found += reply.runners
            if not reply.runners or len(found) >= reply.total_count:
                return tuple(row.registration() for row in {row.id: row for row in found}.values())
        raise Unknown(f"github GET {base(scope)}/actions/runners: more than {PAGES} pages")

    async def find_runner(self, scope: str, name: str) -> Registration | None:
        """The runner of exactly this name."""
        params = {"name": name, "per_page": str(PAGE)}
        reply = (await self._call("GET", f"{base(scope)}/actions/runners", scope=scope, params=params)).decode(
            RunnersReply
        )
        return next((row.registration() for row in reply.runners if row.name == name), None)

    async def get_runner(self, scope: str, runner_id: int) -> Registration | None:
        """A runner by its id; None when it is gone."""
        try:
            reply = await self._call("GET", f"{base(scope)}/actions/runners/{runner_id}", scope=scope)
        except Refused as problem:
            if problem.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return reply.decode(RunnerReply).registration()

    async def delete_runner(self, scope: str, runner_id: int) -> Removal:
        """Take a registration away, unless a job runs on it."""
        try:
            await self._call("DELETE", f"{base(scope)}/actions/runners/{runner_id}", scope=scope)
        except Refused as problem:
            if problem.status == httpx.codes.NOT_FOUND:
                return Removal.ABSENT
            if problem.status == httpx.codes.UNPROCESSABLE_ENTITY:
                return Removal.BUSY
            raise
        return Removal.REMOVED

    async def registration_token(self, scope: str) -> RegistrationToken:
        """A token that registers runners for an hour; one is used as long as ten minutes of it are left."""
        cached = self._tokens.get(scope)
        if cached is not None and cached.expires_at - self._now() > TOKEN_LEFT:
            return cached
        reply = await self._call("POST", f"{base(scope)}/actions/runners/registration-token", scope=scope)
        body = reply.decode(TokenReply)
        token = RegistrationToken(Secret(body.token), _epoch(body.expires_at))
        self._tokens[scope] = token
        return token

    async def jit_config(self, scope: str, name: str, labels: Sequence[str], group_id: int = 1) -> JitConfig:
        """Register a one-job runner. Raises `NameTaken` (409): an earlier try may have succeeded unseen."""
        body = {"name": name, "runner_group_id": group_id, "labels": list(labels), "work_folder": "_work"}
        reply = await self._call("POST", f"{base(scope)}/actions/runners/generate-jitconfig", scope=scope, body=body)
        made = reply.decode(JitReply)
        return JitConfig(made.runner.registration(), Secret(made.encoded_jit_config))

    async def get_job(self, repo: str, job_id: int) -> JobFact | None:
        """How a job stands; None when GitHub does not know it, or shows it to us no more."""
        try:
            job = await self._cached(f"/repos/{repo}/actions/jobs/{job_id}", {}, Job, repo)
        except Refused as problem:
            if problem.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return self._fact(job, repo)

    async def list_jobs(self, repo: str, run_id: int) -> tuple[JobFact, ...]:
        """The jobs of the latest attempt of a workflow run."""
        found: list[Job] = []
        for page in range(1, PAGES + 1):
            params = {"per_page": str(PAGE), "page": str(page)}
            reply = await self._cached(f"/repos/{repo}/actions/runs/{run_id}/jobs", params, JobsReply, repo)
            found += reply.jobs
            if not reply.jobs or len(found) >= reply.total_count:
                return tuple(self._fact(job, repo) for job in found)
        raise Unknown(f"github GET /repos/{repo}/actions/runs/{run_id}/jobs: more than {PAGES} pages")

    def _fact(self, job: Job, repo: str) -> JobFact:
        state = STATES.get(job.status or "", JobState.QUEUED)
        return fact_of(job, state, repo=repo, owner=repo.partition("/")[0], at=self._now())

    async def _cached(self, path: str, params: dict[str, str], kind: type[T], scope: str) -> T:
        """GET with the ETag of the last answer: an answer that did not change costs nothing of the rate limit."""
        key = f"{path}?{sorted(params.items())}"
        known = self._etags.get(key)
        headers = {"if-none-match": known[0]} if known else None
        reply = await self._call("GET", path, scope=scope, params=params, headers=headers)
        if reply.status == httpx.codes.NOT_MODIFIED and known is not None:
            self._etags.move_to_end(key)
            return known[1].decode(kind)
        if etag := reply.headers.get("etag"):
            self._etags[key] = (etag, reply)
            while len(self._etags) > CACHED:
                self._etags.popitem(last=False)
        return reply.decode(kind)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        params: Params | None = None,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        sent = {**(headers or {}), "authorization": await self._auth.header(scope)}
        try:
            return await self._rest.call(method, path, params=params, body=body, headers=sent)
        except Refused as problem:
            raise sharpen(problem) from None

    def _wait_asked(self, response: httpx.Response) -> float | None:
        """How long GitHub asks us to wait, if a 403 or 429 is about its limits and not about rights.

        https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
        """
        if response.status_code not in (httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS):
            return None
        headers = response.headers
        if (asked := headers.get("retry-after", "")).isdigit():
            return max(1.0, float(asked))
        if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
            return max(1.0, float(headers["x-ratelimit-reset"]) - self._now())
        limited = response.status_code == httpx.codes.TOO_MANY_REQUESTS or b"rate limit" in response.content.lower()
        return SECONDARY_WAIT if limited else None


def sharpen(problem: Refused) -> Refused:
    """Refusals that GitHub tells apart by status."""
    kinds: dict[int, type[Refused]] = {401: Denied, 403: Denied, 404: Denied, 409: NameTaken}
    kind = kinds.get(problem.status, Refused)
    needs = f" (needs {problem.needs})" if problem.needs else ""
    return kind(problem.message + needs, status=problem.status, code=problem.code, fields=problem.fields)


def base(scope: str) -> str:
    """The path under which a scope's runners stand."""
    return f"/repos/{scope}" if "/" in scope else f"/orgs/{scope}"


def _epoch(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
