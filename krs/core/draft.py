"""A world under change: copies a table when it is first written, numbers runner versions, collects the news."""

from collections.abc import Iterable

from msgspec.structs import replace

from krs.core.model import (
    Event,
    Foreign,
    Instant,
    Job,
    JobId,
    Name,
    OpKind,
    Pool,
    PoolId,
    Probe,
    Runner,
    Scope,
    World,
)
from krs.core.state import state_of
from krs.core.vocabulary import EventKind, Level, Reason


class Draft:
    """Mutable for the time of one `absorb` or `decide`; `done` gives the new world."""

    def __init__(self, world: World, now: Instant) -> None:
        self.now = now
        self._world = world
        self._jobs: dict[JobId, Job] | None = None
        self._runners: dict[Name, Runner] | None = None
        self._pools: dict[PoolId, Pool] | None = None
        self._news: list[Event] = []

    @property
    def jobs(self) -> dict[JobId, Job]:
        """All jobs; read only."""
        return self._world.jobs if self._jobs is None else self._jobs

    @property
    def runners(self) -> dict[Name, Runner]:
        """All runners; read only."""
        return self._world.runners if self._runners is None else self._runners

    @property
    def pools(self) -> dict[PoolId, Pool]:
        """All pools; read only."""
        return self._world.pools if self._pools is None else self._pools

    @property
    def foreign(self) -> dict[str, Foreign]:
        """The foreign services; read only."""
        return self._world.foreign

    @property
    def koyeb(self) -> Probe:
        """How Koyeb answers."""
        return self._world.koyeb

    @property
    def github(self) -> dict[Scope, Probe]:
        """How GitHub answers, per scope; read only."""
        return self._world.github

    @property
    def creates(self) -> tuple[Instant, ...]:
        """When runners were planned in the last hour."""
        return self._world.creates

    @property
    def paused(self) -> bool:
        """Whether no runner is started anywhere."""
        return self._world.paused

    def put_job(self, job: Job) -> None:
        """Write a job unless nothing changed."""
        if self.jobs.get(job.id) == job:
            return
        if self._jobs is None:
            self._jobs = dict(self._world.jobs)
        self._jobs[job.id] = job

    def put_pool(self, pool: Pool) -> None:
        """Write a pool unless nothing changed."""
        if self.pools.get(pool.id) == pool:
            return
        if self._pools is None:
            self._pools = dict(self._world.pools)
        self._pools[pool.id] = pool

    def put_runner(self, runner: Runner) -> None:
        """Write a runner unless nothing changed; its version counts what an operator would care about."""
        old = self.runners.get(runner.name)
        if old == runner:
            return
        if old is None:
            runner = replace(runner, since=self.now)
        elif _meaning(old) != _meaning(runner):
            since = old.since if state_of(old) is state_of(runner) else self.now
            runner = replace(runner, version=old.version + 1, since=since)
        self._own_runners()[runner.name] = runner

    def drop_runner(self, name: Name) -> None:
        """Forget a runner."""
        self._own_runners().pop(name, None)

    def drop_jobs(self, ids: Iterable[JobId]) -> None:
        """Forget jobs."""
        gone = set(ids)
        if gone:
            self._jobs = {key: job for key, job in self.jobs.items() if key not in gone}

    def change(self, runner: Runner, **fields: object) -> Runner:
        """Write some fields of a runner; gives the row as written."""
        self.put_runner(replace(runner, **fields))
        return self.runners[runner.name]

    def answered(self, runner: Runner, *kinds: OpKind) -> Runner:
        """Note that a command of these kinds was answered; one of another kind stays in flight."""
        return self.change(runner, op=None) if runner.op is not None and runner.op.kind in kinds else runner

    def put_foreign(self, foreign: dict[str, Foreign]) -> None:
        """Replace the foreign services."""
        if foreign != self._world.foreign:
            self._world = replace(self._world, foreign=foreign)

    def put_koyeb(self, probe: Probe) -> None:
        """Write how Koyeb answers."""
        self._world = replace(self._world, koyeb=probe)

    def put_github(self, scope: Scope, probe: Probe) -> None:
        """Write how GitHub answers for a scope."""
        self._world = replace(self._world, github={**self._world.github, scope: probe})

    def put_paused(self, *, paused: bool) -> None:
        """Stop or allow new runners everywhere."""
        self._world = replace(self._world, paused=paused)

    def put_creates(self, creates: tuple[Instant, ...]) -> None:
        """Write when runners were planned in the last hour."""
        if creates != self._world.creates:
            self._world = replace(self._world, creates=creates)

    def say(
        self,
        kind: EventKind,
        message: str,
        *,
        level: Level = Level.INFO,
        reason: Reason | None = None,
        runner: Runner | None = None,
        job: Job | None = None,
        pool: PoolId | None = None,
        by: str | None = None,
    ) -> None:
        """Add an event to the news."""
        self._news.append(
            Event(
                kind=kind,
                at=self.now,
                message=message,
                level=level,
                reason=reason,
                runner=runner.name if runner else (job.runner if job else None),
                job=job.id if job else (runner.busy_job if runner else None),
                pool=pool or (runner.pool if runner else job.pool if job else None),
                repo=job.repo if job else None,
                by=by or None,
            )
        )

    def done(self) -> World:
        """The new world; the old one when nothing changed."""
        if self._jobs is None and self._runners is None and self._pools is None and not self._news:
            return self._world
        return replace(
            self._world,
            jobs=self.jobs,
            runners=self.runners,
            pools=self.pools,
            news=(*self._world.news, *self._news),
        )

    def _own_runners(self) -> dict[Name, Runner]:
        if self._runners is None:
            self._runners = dict(self._world.runners)
        return self._runners


def _meaning(runner: Runner) -> tuple[object, ...]:
    return state_of(runner), runner.busy_job, runner.hold_until, runner.draining, runner.wanted
