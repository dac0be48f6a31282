"""A simulated GitHub: repositories' jobs, registered runners, and who gets which job."""

import base64
import random
from collections.abc import Callable
from typing import Any

import msgspec

from krs.sim.agenda import Agenda
from krs.sim.github_app import App
from krs.sim.github_hooks import HookBook
from krs.sim.koyeb import Service
from krs.sim.moods import Moods

CONNECT = (5.0, 25.0)
"""Seconds from a container's start to its runner being online."""
TOKEN_FOR = 3600.0
FIRST_ID = 2**32 + 10_000
CONCLUSIONS = (["success"] * 17) + ["failure"] * 3


class Runner(msgspec.Struct):
    """A registered runner."""

    id: int
    name: str
    scope: str
    labels: tuple[str, ...]
    service_id: str = ""
    online: bool = False
    job: int | None = None
    ephemeral: bool = False
    busy_since: float = 0.0
    hidden: bool = False
    """Its job is not seen by who asks GitHub."""


class Job(msgspec.Struct):
    """A workflow job. `seconds` is how long it runs."""

    id: int
    run_id: int
    repo: str
    labels: tuple[str, ...]
    name: str
    workflow: str
    seconds: float
    queued_at: float
    status: str = "queued"
    conclusion: str | None = None
    runner: str | None = None
    runner_id: int | None = None
    service_id: str = ""
    started_at: float | None = None
    completed_at: float | None = None


class Forge:
    """The state. `announce` is told of every change of a job."""

    def __init__(self, agenda: Agenda, dice: random.Random, token: str) -> None:
        self.agenda = agenda
        self.moods = Moods()
        self.token = token
        self.lacks: set[str] = set()
        """Permissions that the token does not have, such as `repository_hooks` and `actions`."""
        self.app: App | None = None
        self.hooks = HookBook(agenda, self.new_id)
        self.runners: dict[int, Runner] = {}
        self.jobs: dict[int, Job] = {}
        self.queued: dict[int, Job] = {}
        self.running: dict[int, Job] = {}
        self.killed = 0
        self.announce: Callable[[Job], None] = lambda job: None  # noqa: ARG005 - replaced by who listens
        self.log: Callable[[str, str], None] = lambda service_id, text: None  # noqa: ARG005 - replaced by who listens
        self._dice = dice
        self._ids = FIRST_ID
        self._registration_tokens: dict[str, float] = {}

    def new_id(self) -> int:
        """A number never given before, above 2^32 as GitHub's are."""
        self._ids += self._dice.randint(1, 50)
        return self._ids

    def queue(
        self, repo: str, labels: tuple[str, ...], *, seconds: float, name: str, workflow: str = "ci", run_id: int = 0
    ) -> Job:
        """Somebody pushes."""
        job = Job(
            id=self.new_id(),
            run_id=run_id or self.new_id(),
            repo=repo,
            labels=labels,
            name=name,
            workflow=workflow,
            seconds=seconds,
            queued_at=self.agenda.now(),
        )
        self.jobs[job.id] = self.queued[job.id] = job
        self.announce(job)
        self.agenda.after(1.0, self.assign)
        return job

    def registration_token(self) -> tuple[str, float]:
        """A token and when it ends."""
        token = f"A{self._dice.getrandbits(140):036X}"
        self._registration_tokens[token] = self.agenda.now() + TOKEN_FOR
        return token, self._registration_tokens[token]

    def jit_config(self, scope: str, name: str, labels: tuple[str, ...]) -> tuple[Runner, str] | None:
        """A registered one-job runner and its configuration; None when the name is taken."""
        if any(runner.name == name and runner.scope == scope for runner in self.runners.values()):
            return None
        runner = self._register(scope, name, labels, ephemeral=True)
        blob = {".runner": base64.b64encode(msgspec.json.encode({"agentName": name, "id": runner.id})).decode()}
        return runner, base64.b64encode(msgspec.json.encode(blob)).decode()

    def _register(self, scope: str, name: str, labels: tuple[str, ...], *, ephemeral: bool) -> Runner:
        runner = Runner(id=self.new_id(), name=name, scope=scope, labels=labels, ephemeral=ephemeral)
        self.runners[runner.id] = runner
        return runner

    def container_started(self, service: Service) -> None:
        """A container runs: if it holds a credential that works, its runner comes online after a while."""
        env = service.env
        scope = env.get("REPO_URL", "").partition("://")[2].partition("/")[2]
        labels = tuple(env.get("RUNNER_LABELS", "").split(","))
        runner = self._runner_of(service, env, scope, labels)
        if runner is not None:
            runner.service_id = service.id
            self.agenda.after(self._dice.uniform(*CONNECT), lambda: self._online(runner))

    def _runner_of(self, service: Service, env: dict[str, str], scope: str, labels: tuple[str, ...]) -> Runner | None:
        if blob := env.get("KRS_JIT_CONFIG"):
            inner = msgspec.json.decode(base64.b64decode(msgspec.json.decode(base64.b64decode(blob))[".runner"]))
            return self.runners.get(inner["id"])
        token = env.get("KRS_REGISTRATION_TOKEN", "")
        allowed = self._registration_tokens.get(token, 0.0) > self.agenda.now() or env.get("GITHUB_TOKEN") == self.token
        if not allowed or not scope:
            return None
        ephemeral = env.get("KRS_LIFECYCLE") == "ephemeral"
        return self._register(scope, service.name, labels, ephemeral=ephemeral)

    def _online(self, runner: Runner) -> None:
        if runner.id in self.runners:
            runner.online = True
            self.log(runner.service_id, "Listening for Jobs")
            self.assign()

    def container_stopped(self, service: Service) -> None:
        """A container is gone: its runner is offline, a job on it is cut off."""
        for runner in self.runners.values():
            if runner.service_id == service.id:
                runner.online = False
        for job in [job for job in self.running.values() if job.service_id == service.id]:
            self.killed += 1
            self._complete(job, "cancelled")

    def assign(self) -> None:
        """Give queued jobs to idle runners: oldest job first, any runner that has all its labels."""
        idle = [runner for runner in self.runners.values() if runner.online and runner.job is None]
        for job in list(self.queued.values()) if idle else ():
            free = [runner for runner in idle if runner.job is None and fits(runner, job)]
            if free:
                self._begin(job, self._dice.choice(free))

    def _begin(self, job: Job, runner: Runner) -> None:
        runner.job, runner.busy_since = job.id, self.agenda.now()
        runner.hidden = self._dice.random() < self.moods.busy_lie
        self.running[job.id] = self.queued.pop(job.id)
        job.service_id = runner.service_id
        job.status, job.started_at = "in_progress", self.agenda.now()
        job.runner, job.runner_id = runner.name, runner.id
        self.announce(job)
        self.log(runner.service_id, f"Running job: {job.name}")
        self.agenda.after(job.seconds, lambda: self._finish(job))

    def _finish(self, job: Job) -> None:
        if job.status == "in_progress":
            self._complete(job, self._dice.choice(CONCLUSIONS))

    def _complete(self, job: Job, conclusion: str) -> None:
        job.status, job.conclusion, job.completed_at = "completed", conclusion, self.agenda.now()
        self.queued.pop(job.id, None)
        self.running.pop(job.id, None)
        runner = self.runners.get(job.runner_id or 0)
        if runner is not None:
            runner.job = None
            self.log(runner.service_id, f"Job {job.name} completed with result: {conclusion}")
            if runner.ephemeral:
                self.runners.pop(runner.id)
        self.announce(job)
        self.assign()

    def cancel(self, job: Job) -> None:
        """Somebody withdraws a queued job."""
        if job.status == "queued":
            self._complete(job, "cancelled")

    def shown_busy(self, runner: Runner) -> bool:
        """What the API says, which lags behind the truth or lies in some moods."""
        if runner.job is None:
            return self._dice.random() < self.moods.busy_lie
        return not runner.hidden and self.agenda.now() - runner.busy_since >= self.moods.busy_lag

    def stats(self) -> dict[str, Any]:
        """Counts of jobs and registrations."""
        ours = [job for job in self.jobs.values() if any(label.startswith("koyeb-") for label in job.labels)]
        return {
            "jobs": len(ours),
            "served": sum(job.status == "completed" and job.runner is not None for job in ours),
            "waiting": sum(job.status == "queued" for job in ours),
            "running": sum(job.status == "in_progress" for job in ours),
            "killed": self.killed,
            "registrations": len(self.runners),
        }


def fits(runner: Runner, job: Job) -> bool:
    """Whether a runner is in a job's scope and has all its labels."""
    in_scope = runner.scope in (job.repo, job.repo.partition("/")[0])
    return in_scope and {label.casefold() for label in job.labels} <= {name.casefold() for name in runner.labels}
