"""The simulated GitHub's routes: runners, tokens, jobs, of repositories and organizations alike."""

import asyncio
import hashlib
import random
from typing import Any

import msgspec
import tornado.web

from krs.sim.github import Forge, Job, Runner
from krs.sim.github_app import required
from krs.sim.koyeb import rfc3339

HANG = 3600.0
"""Seconds after which a call that is never answered is let go."""


class Failure(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class GithubHandler(tornado.web.RequestHandler):
    """What all routes share: the token, the moods, ETags, the shape of errors."""

    def initialize(self, forge: Forge, dice: random.Random) -> None:
        """Keep what the route was given."""
        self.forge = forge
        self._dice = dice

    async def prepare(self) -> None:
        """Be in a mood, then check the token."""
        moods = self.forge.moods
        if moods.github_down:
            raise Failure(503, "Service unavailable")
        if self._dice.random() < moods.github_hangs:
            await asyncio.sleep(HANG)
        if self._dice.random() < moods.github_throttled:
            self.set_header("retry-after", "60")
            raise Failure(403, "You have exceeded a secondary rate limit")
        self.authorize()
        self.set_header("x-ratelimit-limit", "5000")
        self.set_header("x-ratelimit-remaining", "4999")
        self.set_header("x-ratelimit-reset", str(int(self.forge.agenda.now()) + 3600))

    def authorize(self) -> None:
        """Take the personal token, or what an App was given for this call."""
        sent = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
        method, path = self.request.method or "", self.request.path
        found: tuple[int, str] | None = (401, "Bad credentials")
        if sent == self.forge.token and not self.forge.moods.github_revoked:
            lacks = required(method, path)[0] in self.forge.lacks
            found = (403, "Resource not accessible by personal access token") if lacks else None
        elif self.forge.app:
            found = self.forge.app.refusal(sent, method, path)
        if found is not None:
            raise Failure(*found)
        if any(path.startswith((f"/repos/{name}/", f"/orgs/{name}/")) for name in self.forge.moods.github_hidden):
            raise Failure(404, "Not Found")

    def answer(self, body: object, status: int = 200) -> None:
        """Send an answer, unless it gets lost on the way, or is known to who asks."""
        if self.request.method != "GET" and self._dice.random() < self.forge.moods.github_answer_lost:
            raise Failure(502, "Bad gateway")
        content = msgspec.json.encode(body)
        if self.request.method == "GET":
            etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
            self.set_header("ETag", etag)
            if self.request.headers.get("If-None-Match") == etag:
                self.set_status(304)
                self.finish()
                return
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(content)

    def compute_etag(self) -> None:
        """Ours are made above."""
        return

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Errors in GitHub's shape."""
        problem = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(problem, Failure):
            self.set_status(problem.status)
        needs = "=".join(required(self.request.method or "", self.request.path))
        if self.get_status() in (403, 404) and needs != "=":
            self.set_header("x-accepted-github-permissions", needs)
        text = str(problem) if isinstance(problem, Failure) else self._reason
        self.finish(
            {"message": text, "documentation_url": "https://docs.github.com/rest", "status": str(self.get_status())}
        )

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Answers that are errors are no news."""
        if not isinstance(value, Failure):
            super().log_exception(typ, value, tb)

    def found(self, scope: str, key: str) -> Runner:
        """A runner of a scope. Raises `Failure` (404)."""
        runner = self.forge.runners.get(int(key))
        if runner is None or runner.scope != scope:
            raise Failure(404, "Not Found")
        return runner


class RunnersHandler(GithubHandler):
    """`{base}/actions/runners`."""

    def get(self, scope: str) -> None:
        """Runners of a scope, of one name or all."""
        name = self.get_query_argument("name", "")
        size = min(100, int(self.get_query_argument("per_page", "30")))
        start = (int(self.get_query_argument("page", "1")) - 1) * size
        found = [r for r in self.forge.runners.values() if r.scope == scope and name in ("", r.name)]
        shown = [runner_body(runner, self.forge) for runner in found[start : start + size]]
        self.answer({"total_count": len(found), "runners": shown})


class RunnerHandler(GithubHandler):
    """`{base}/actions/runners/{id}`."""

    def get(self, scope: str, key: str) -> None:
        """One runner."""
        self.answer(runner_body(self.found(scope, key), self.forge))

    def delete(self, scope: str, key: str) -> None:
        """Take it away, unless it is seen to be busy."""
        runner = self.found(scope, key)
        if self.forge.shown_busy(runner):
            raise Failure(422, f'Bad request - Runner "{runner.name}" is still running a job"')
        self.forge.runners.pop(runner.id)
        self.set_status(204)
        self.finish()


class TokenHandler(GithubHandler):
    """`{base}/actions/runners/registration-token`."""

    def post(self, scope: str) -> None:
        """A token for an hour."""
        token, expires = self.forge.registration_token()
        self.answer({"token": token, "expires_at": rfc3339(expires)}, 201)


class JitHandler(GithubHandler):
    """`{base}/actions/runners/generate-jitconfig`."""

    def post(self, scope: str) -> None:
        """A registered one-job runner, unless its name is taken."""
        body = msgspec.json.decode(self.request.body, type=dict[str, Any])
        made = self.forge.jit_config(scope, body["name"], tuple(body["labels"]))
        if made is None:
            raise Failure(409, f"Already exists - A runner with the name {body['name']} already exists.")
        runner, blob = made
        self.answer({"runner": runner_body(runner, self.forge), "encoded_jit_config": blob}, 201)


class JobHandler(GithubHandler):
    """`/repos/{owner}/{repo}/actions/jobs/{id}`."""

    def get(self, repo: str, key: str) -> None:
        """One job."""
        job = self.forge.jobs.get(int(key))
        if job is None or job.repo != repo:
            raise Failure(404, "Not Found")
        self.answer(job_body(job))


class LimitHandler(GithubHandler):
    """`/rate_limit`."""

    def get(self) -> None:
        """What is left of the budget."""
        core = {"limit": 5000, "remaining": 4999, "reset": int(self.forge.agenda.now()) + 3600, "used": 1}
        self.answer({"resources": {"core": core, "search": core}, "rate": core})


class OtherHandler(GithubHandler):
    """Everything else."""

    async def prepare(self) -> None:
        """404, whatever is asked."""
        await super().prepare()
        raise Failure(404, "Not Found")


def runner_body(runner: Runner, forge: Forge) -> dict[str, Any]:
    """A runner as GitHub shows it."""
    return {
        "id": runner.id,
        "name": runner.name,
        "os": "Linux" if runner.online else "unknown",
        "status": "online" if runner.online else "offline",
        "busy": forge.shown_busy(runner),
        "labels": [{"id": index, "name": name, "type": "custom"} for index, name in enumerate(runner.labels, 1)],
    }


def job_body(job: Job) -> dict[str, Any]:
    """A job as webhook and REST show it."""
    began = rfc3339(job.started_at if job.started_at is not None else job.queued_at)
    repo_url = f"https://api.github.com/repos/{job.repo}"
    page = f"https://github.com/{job.repo}/actions/runs/{job.run_id}"
    return {
        "id": job.id,
        "run_id": job.run_id,
        "run_attempt": 1,
        "workflow_name": job.workflow,
        "head_branch": "main",
        "head_sha": "7fd444efc6ccde262661a1258b0718e78810fa8d",
        "node_id": f"CR_{job.id}",
        "run_url": f"{repo_url}/actions/runs/{job.run_id}",
        "url": f"{repo_url}/actions/jobs/{job.id}",
        "html_url": f"{page}/job/{job.id}",
        "check_run_url": f"{repo_url}/check-runs/{job.id}",
        "status": job.status,
        "conclusion": job.conclusion,
        "created_at": rfc3339(job.queued_at),
        "started_at": began,
        "completed_at": rfc3339(job.completed_at) if job.completed_at is not None else None,
        "name": job.name,
        "labels": list(job.labels),
        "runner_id": job.runner_id,
        "runner_name": job.runner,
        "runner_group_id": 1 if job.runner_id else None,
        "runner_group_name": "Default" if job.runner_id else None,
        "steps": steps(job),
    }


def steps(job: Job) -> list[dict[str, Any]]:
    """What a job did: cut off under its runner, its later steps were never run."""
    if job.status == "queued" or job.runner is None:
        return []
    outcome = job.conclusion
    cut = outcome == "cancelled"
    outcomes: list[str | None] = ["success", outcome if not cut else "cancelled", "skipped" if cut else outcome]
    names = ("Set up job", "Run tests", "Complete job")
    rows = zip(names, outcomes, strict=True)
    return [
        {"name": name, "status": job.status, "conclusion": result if outcome else None, "number": number}
        for number, (name, result) in enumerate(rows, 1)
    ]


def application(forge: Forge, dice: random.Random) -> tornado.web.Application:
    """All routes."""
    given = {"forge": forge, "dice": dice}
    routes: list[tuple[str, type[GithubHandler]]] = []
    for base in (r"/repos/([^/]+/[^/]+)", r"/orgs/([^/]+)"):
        routes += [
            (rf"{base}/actions/runners", RunnersHandler),
            (rf"{base}/actions/runners/registration-token", TokenHandler),
            (rf"{base}/actions/runners/generate-jitconfig", JitHandler),
            (rf"{base}/actions/runners/(\d+)", RunnerHandler),
        ]
    routes += [(r"/repos/([^/]+/[^/]+)/actions/jobs/(\d+)", JobHandler), (r"/rate_limit", LimitHandler)]
    return tornado.web.Application(
        [(path, handler, given) for path, handler in routes],
        default_handler_class=OtherHandler,
        default_handler_args=given,
        log_function=lambda _handler: None,
    )
