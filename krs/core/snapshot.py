"""The world as everyone outside sees it: one immutable snapshot at an instant, made from facts and derived states."""

from collections.abc import Iterable

from krs.core.endings import all_endings
from krs.core.labels import Placement, parse
from krs.core.model import Cloud, Forge, Instant, Job, Pool, Probe, Runner, World
from krs.core.policy import HOUR, Policy
from krs.core.state import max_age_at, queued_by_pool, state_of
from krs.core.views import JobView, PoolView, RunnerView, Snapshot, Totals, Upstream
from krs.core.vocabulary import EventKind, JobState, PublicRepositories, Reason, RunnerState

NAMED = 5
"""Repositories that a warning names."""
RECENT = 15 * 60.0
"""Seconds that jobs and runners stay visible after their end."""


def snapshot(
    world: World, now: Instant, policy: Policy, *, seq: int, version: str, counters: dict[str, int]
) -> Snapshot:
    """Everything at one instant. `counters` are events so far, by kind."""
    runners = _runners(world, now, policy)
    jobs = tuple(job_view(job, world, now, policy) for job in _shown_jobs(world, now))
    return Snapshot(
        seq=seq,
        at=now,
        version=version,
        mode=policy.mode,
        ready=world.koyeb.answered_at is not None,
        paused=world.paused,
        runners=runners,
        jobs=jobs,
        pools=tuple(_pools(world, runners, policy)),
        foreign=tuple(world.foreign.values()),
        totals=_totals(runners, jobs, counters),
        upstreams=tuple(_upstreams(world)),
        warnings=tuple(_warnings(world, policy)),
        regions=tuple(sorted(policy.catalog.regions)),
        instance_types=tuple(sorted(policy.catalog.instance_types)),
        prefix=policy.prefix,
    )


def _shown_jobs(world: World, now: Instant) -> list[Job]:
    shown = (
        job
        for job in world.jobs.values()
        if (job.state is not JobState.DONE or (job.ended_at or 0.0) > now - RECENT) and _ever_ours(job)
    )
    return sorted(shown, key=lambda job: (job.queued_at, job.id))


def _ever_ours(job: Job) -> bool:
    return job.pool is not None or job.reason is not None or job.runner is not None


def _runners(world: World, now: Instant, policy: Policy) -> tuple[RunnerView, ...]:
    ends = all_endings(world, now, policy)
    views = (
        runner_view(runner, world.pools[runner.pool], world, now, policy, ends.get(runner.name))
        for runner in world.runners.values()
        if runner.cloud is not Cloud.GONE and runner.pool in world.pools
    )
    return tuple(sorted(views, key=lambda view: view.name))


def runner_view(
    runner: Runner, pool: Pool, world: World, now: Instant, policy: Policy, end: tuple[Instant, Reason] | None
) -> RunnerView:
    """One runner, with the end that awaits it."""
    state = state_of(runner)
    job = world.jobs.get(runner.busy_job) if runner.busy_job is not None else None
    price = policy.catalog.price(runner.instance_type)
    counts_down = end is not None and state in (RunnerState.IDLE, RunnerState.BOOTING, RunnerState.BUSY)
    return RunnerView(
        name=runner.name,
        version=runner.version,
        state=state,
        pool=pool.id,
        scope=runner.scope,
        labels=pool.labels,
        region=runner.region,
        instance_type=runner.instance_type,
        lifecycle=runner.lifecycle,
        credential=runner.credential,
        since=runner.since,
        created_at=runner.created_at,
        online_at=runner.online_at,
        idle_since=runner.idle_since,
        expires_at=end[0] if end and counts_down else None,
        ends_because=runner.why or (end[1] if end and counts_down else None),
        hold_until=runner.hold_until,
        max_age_at=max_age_at(runner, policy) if runner.created_at is not None else None,
        origin=runner.origin,
        origin_job=runner.job,
        job=runner.busy_job,
        job_name=job.name if job else None,
        job_url=job.url if job else None,
        repo=job.repo if job else None,
        branch=job.branch if job else None,
        jobs_done=runner.jobs_done,
        draining=runner.draining,
        service_id=runner.service_id,
        service_status=runner.service_status,
        github_id=runner.github_id,
        price_hourly=price,
        cost=_cost(runner, now, price),
        error=runner.error,
    )


def _cost(runner: Runner, now: Instant, price: float | None) -> float:
    if runner.created_at is None or price is None:
        return 0.0
    until = runner.gone_at if runner.cloud is Cloud.GONE and runner.gone_at is not None else now
    return max(0.0, until - runner.created_at) / HOUR * price


def job_view(job: Job, world: World, now: Instant, policy: Policy) -> JobView:
    """One job; a queued one always carries a reason."""
    pool = world.pools.get(job.pool) if job.pool is not None else None
    until = job.started_at or job.ended_at or now
    region, instance_type = (pool.region, pool.instance_type) if pool else _asked(job, policy)
    return JobView(
        id=job.id,
        state=job.state,
        repo=job.repo,
        name=job.name,
        workflow=job.workflow,
        branch=job.branch,
        url=job.url,
        labels=job.labels,
        run_id=job.run_id,
        attempt=job.attempt,
        pool=job.pool,
        region=region,
        instance_type=instance_type,
        reason=_reason(job, world),
        placeable=job.pool is not None or job.runner is not None,
        queued_at=job.queued_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        waited=max(0.0, until - job.queued_at),
        conclusion=job.conclusion,
        runner=job.runner,
    )


def _asked(job: Job, policy: Policy) -> tuple[str | None, str | None]:
    found = (parse(label, policy.prefix, policy.catalog) for label in job.labels)
    return next(((p.region, p.instance_type) for p in found if isinstance(p, Placement)), (None, None))


def _reason(job: Job, world: World) -> Reason | None:
    if job.state is JobState.WAITING:
        return job.reason or Reason.APPROVAL
    if job.state is not JobState.QUEUED or job.reason is not None:
        return job.reason
    if world.koyeb.answered_at is None:
        return Reason.NOT_READY
    online = any(
        runner.pool == job.pool and runner.wanted and runner.forge is Forge.IDLE for runner in world.runners.values()
    )
    return Reason.MATCHED if online else Reason.STARTING


def _pools(world: World, runners: Iterable[RunnerView], policy: Policy) -> Iterable[PoolView]:
    queued = queued_by_pool(world)
    counts: dict[tuple[str, RunnerState], int] = {}
    for runner in runners:
        counts[runner.pool, runner.state] = counts.get((runner.pool, runner.state), 0) + 1
    for pool in sorted(world.pools.values(), key=lambda pool: pool.id):
        yield _pool_view(pool, queued.get(pool.id, 0), counts, policy)


def _pool_view(pool: Pool, queued: int, counts: dict[tuple[str, RunnerState], int], policy: Policy) -> PoolView:
    terms = policy.pool_terms(pool)

    def count(*states: RunnerState) -> int:
        return sum(counts.get((pool.id, state), 0) for state in states)

    return PoolView(
        id=pool.id,
        scope=pool.scope,
        labels=pool.labels,
        region=pool.region,
        instance_type=pool.instance_type,
        lifecycle=terms.lifecycle,
        queued=queued,
        booting=count(RunnerState.PLANNED, RunnerState.CREATING, RunnerState.BOOTING),
        idle=count(RunnerState.IDLE),
        busy=count(RunnerState.BUSY),
        leaving=count(RunnerState.DRAINING, RunnerState.DELETING, RunnerState.FAILED, RunnerState.LOST),
        maximum=terms.maximum,
        min_idle=terms.min_idle,
        ttl=terms.ttl,
        paused=pool.paused,
        paused_by=pool.paused_by,
        tripped_until=pool.tripped_until,
        blocked_until=pool.blocked_until,
        blocked_reason=pool.blocked_reason,
        blocked_message=pool.blocked_message,
        price_hourly=policy.catalog.price(pool.instance_type),
    )


def _totals(runners: tuple[RunnerView, ...], jobs: tuple[JobView, ...], counters: dict[str, int]) -> Totals:
    queued = [job for job in jobs if job.state is JobState.QUEUED and job.placeable]
    waiting = [job for job in jobs if job.state in (JobState.QUEUED, JobState.WAITING)]
    states = [runner.state for runner in runners]
    return Totals(
        runners=len(runners),
        busy=states.count(RunnerState.BUSY),
        idle=states.count(RunnerState.IDLE),
        booting=sum(s in (RunnerState.PLANNED, RunnerState.CREATING, RunnerState.BOOTING) for s in states),
        queued=len(queued),
        unplaceable=sum(not job.placeable for job in waiting),
        oldest_wait=max((job.waited for job in queued), default=0.0),
        cost_hourly=sum(runner.price_hourly or 0.0 for runner in runners if runner.created_at is not None),
        jobs_done=counters.get(EventKind.JOB_DONE, 0),
        runners_started=counters.get(EventKind.RUNNER_CREATED, 0),
        runners_deleted=counters.get(EventKind.RUNNER_GONE, 0),
        killed_jobs=counters.get(EventKind.JOB_KILLED, 0),
    )


def _upstreams(world: World) -> Iterable[Upstream]:
    yield _upstream("koyeb", world.koyeb)
    for scope, probe in sorted(world.github.items()):
        yield _upstream(f"github {scope}", probe)


def _warnings(world: World, policy: Policy) -> Iterable[str]:
    served = sorted({repo for pool in world.pools.values() for repo in pool.outsiders})
    if served and policy.public_repositories is PublicRepositories.WARN:
        more = f" and {len(served) - NAMED} more" if len(served) > NAMED else ""
        names = ", ".join(served[:NAMED])
        yield f"runners serve public repositories or forks: {names}{more}; see policy.public_repositories"


def _upstream(name: str, probe: Probe) -> Upstream:
    message = "the token may not ask" if probe.denied else "no answer" if probe.failed_since is not None else ""
    ok = probe.failed_since is None and not probe.denied
    return Upstream(name=name, ok=ok, answered_at=probe.answered_at, failed_since=probe.failed_since, message=message)
