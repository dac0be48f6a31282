"""The calls to GitHub's REST API that krs makes (https://docs.github.com/rest). None is ever repeated in here.

A repeated POST could do its work twice: `generate-jitconfig` that succeeds unseen answers 409 the next time.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import httpx

from krs.core.facts import JobFact
from krs.core.vocabulary import JobState
from krs.errors import Refused, Unknown
from krs.github.auth import Auth, Need
from krs.github.models import (
    JitConfig,
    JitReply,
    JobsReply,
    Registration,
    RegistrationToken,
    Removal,
    Run,
    RunnerReply,
    RunnersReply,
    RunRepository,
    RunsReply,
    TokenReply,
)
from krs.github.webhook import STATES, Job, fact_of, outside
from krs.github.wire import HEADERS, base, epoch, sharpen, wait_asked
from krs.rest import Observer, Params, Reply, Rest, unobserved
from krs.secret import Secret

Row_co = TypeVar("Row_co", covariant=True)

PAGE = 100
PAGES = 100
RUN_PAGES = 10
"""GitHub gives at most 1,000 runs of a filter."""
CACHED = 300
"""Answers kept for their ETag: one a page of runners and of runs, one a hook's failures, one an open job."""
TOKEN_LEFT = 10 * 60.0
"""Seconds that a cached registration token must still be valid."""


class Page(Protocol[Row_co]):
    """One page of a list."""

    @property
    def total_count(self) -> int:
        """How many rows all pages have."""

    @property
    def rows(self) -> Sequence[Row_co]:
        """Those of this page."""


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
        self._http = httpx.AsyncClient(
            base_url=api_url.rstrip("/"), headers=HEADERS, timeout=timeout, transport=transport, trust_env=False
        )
        self._auth = auth
        self._now = now
        self._rest = Rest(
            self._http, service="github", wait_asked=lambda response: wait_asked(response, now()), observe=observe
        )
        self._etags: OrderedDict[str, tuple[str, Reply]] = OrderedDict()
        self._tokens: dict[str, RegistrationToken] = {}

    async def aclose(self) -> None:
        """Close the connections, the credential's too."""
        await self._auth.aclose()
        await self._http.aclose()

    async def check_token(self) -> None:
        """Ask what any valid credential may ask, and what costs nothing. Raises `Denied` for a bad one."""
        await self.call("GET", self._auth.probe, scope="", need=Need.IDENTITY)

    async def list_runners(self, scope: str) -> tuple[Registration, ...]:
        """All runners of a scope. Raises `Denied` when the credential may not list them."""
        path = f"{base(scope)}/actions/runners"
        rows, whole = await self._all(path, RunnersReply, scope=scope, need=Need.RUNNERS_READ)
        if not whole:
            raise Unknown(f"github GET {path}: more than {PAGES} pages")
        return tuple(row.registration() for row in {row.id: row for row in rows}.values())

    async def find_runner(self, scope: str, name: str) -> Registration | None:
        """The runner of exactly this name."""
        params = {"name": name, "per_page": str(PAGE)}
        path = f"{base(scope)}/actions/runners"
        reply = await self.call("GET", path, scope=scope, need=Need.RUNNERS_READ, params=params)
        rows = reply.decode(RunnersReply).runners
        return next((row.registration() for row in rows if row.name == name), None)

    async def get_runner(self, scope: str, runner_id: int) -> Registration | None:
        """A runner by its id; None when it is gone."""
        try:
            path = f"{base(scope)}/actions/runners/{runner_id}"
            reply = await self.call("GET", path, scope=scope, need=Need.RUNNERS_READ)
        except Refused as problem:
            if problem.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return reply.decode(RunnerReply).registration()

    async def delete_runner(self, scope: str, runner_id: int) -> Removal:
        """Take a registration away, unless a job runs on it."""
        try:
            path = f"{base(scope)}/actions/runners/{runner_id}"
            await self.call("DELETE", path, scope=scope, need=Need.RUNNERS_WRITE)
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
        path = f"{base(scope)}/actions/runners/registration-token"
        reply = await self.call("POST", path, scope=scope, need=Need.RUNNERS_WRITE)
        body = reply.decode(TokenReply)
        token = RegistrationToken(Secret(body.token), epoch(body.expires_at))
        self._tokens[scope] = token
        return token

    async def jit_config(self, scope: str, name: str, labels: Sequence[str], group_id: int = 1) -> JitConfig:
        """Register a one-job runner. Raises `NameTaken` (409): an earlier try may have succeeded unseen."""
        body = {"name": name, "runner_group_id": group_id, "labels": list(labels), "work_folder": "_work"}
        path = f"{base(scope)}/actions/runners/generate-jitconfig"
        reply = await self.call("POST", path, scope=scope, need=Need.RUNNERS_WRITE, body=body)
        made = reply.decode(JitReply)
        return JitConfig(made.runner.registration(), Secret(made.encoded_jit_config))

    async def get_job(self, repo: str, job_id: int) -> JobFact | None:
        """How a job stands; None when GitHub does not know it, or shows it to us no more."""
        try:
            reply = await self.cached(f"/repos/{repo}/actions/jobs/{job_id}", {}, scope=repo, need=Need.ACTIONS_READ)
        except Refused as problem:
            if problem.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return self._fact(reply.decode(Job), repo)

    async def list_runs(self, repo: str, status: str) -> tuple[Run, ...]:
        """The workflow runs of a status (`queued`, `in_progress`, ...), newest first; GitHub gives 1,000 at most.

        A run with one running job is `in_progress` and may hide queued jobs: ask for both.
        """
        params = {"status": status, "exclude_pull_requests": "true"}
        path = f"/repos/{repo}/actions/runs"
        rows, _ = await self._all(path, RunsReply, scope=repo, need=Need.ACTIONS_READ, params=params, pages=RUN_PAGES)
        return tuple({row.id: row for row in rows}.values())

    async def list_jobs(self, repo: str, run: Run) -> tuple[JobFact, ...]:
        """The jobs of the latest attempt of a workflow run."""
        path = f"/repos/{repo}/actions/runs/{run.id}/jobs"
        rows, whole = await self._all(path, JobsReply, scope=repo, need=Need.ACTIONS_READ)
        if not whole:
            raise Unknown(f"github GET {path}: more than {PAGES} pages")
        return tuple(self._fact(job, repo, run.repository) for job in rows)

    def _fact(self, job: Job, repo: str, seen: RunRepository = RunRepository()) -> JobFact:  # noqa: B008 - it is frozen
        state = STATES.get(job.status or "", JobState.QUEUED)
        owner = repo.partition("/")[0]
        return fact_of(
            job,
            state,
            repo=repo,
            owner=owner,
            at=self._now(),
            outside=outside(seen.private, seen.fork),
        )

    async def _all(
        self,
        path: str,
        kind: type[Page[Row_co]],
        *,
        scope: str,
        need: Need,
        params: dict[str, str] | None = None,
        pages: int = PAGES,
    ) -> tuple[list[Row_co], bool]:
        """The rows of a list, and whether they are all of them."""
        found: list[Row_co] = []
        for page in range(1, pages + 1):
            asked = {**(params or {}), "per_page": str(PAGE), "page": str(page)}
            answer = (await self.cached(path, asked, scope=scope, need=need)).decode(kind)
            found += answer.rows
            if not answer.rows or len(found) >= answer.total_count:
                return found, True
        return found, False

    async def cached(self, path: str, params: dict[str, str], *, scope: str, need: Need) -> Reply:
        """GET with the ETag of the last answer: an answer that did not change costs nothing of the rate limit."""
        key = f"{path}?{sorted(params.items())}"
        known = self._etags.get(key)
        headers = {"if-none-match": known[0]} if known else None
        reply = await self.call("GET", path, scope=scope, need=need, params=params, headers=headers)
        if reply.status == httpx.codes.NOT_MODIFIED and known is not None:
            self._etags.move_to_end(key)
            return known[1]
        if etag := reply.headers.get("etag"):
            self._etags[key] = (etag, reply)
            while len(self._etags) > CACHED:
                self._etags.popitem(last=False)
        return reply

    async def call(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        need: Need,
        params: Params | None = None,
        body: object = None,
        headers: dict[str, str] | None = None,
        hide: Sequence[str] = (),
    ) -> Reply:
        """Send one request with the credential for this scope and need. Raises a `CallError`, refusals sorted.

        `hide` are secrets in the body, which no message may repeat.
        """
        sent = {**(headers or {}), "authorization": await self._auth.header(scope, need)}
        try:
            return await self._rest.call(method, path, params=params, body=body, headers=sent, hide=hide)
        except Refused as problem:
            if problem.status == httpx.codes.UNAUTHORIZED:
                self._auth.forget(scope)
            raise sharpen(problem) from None
