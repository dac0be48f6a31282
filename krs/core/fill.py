"""Rules TRIM and FILL: as many runners as the jobs need, no more than there is room for.

GitHub binds jobs to runners, so jobs and runners are counted per pool, never paired. Failed runners are no supply.
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from krs.core.draft import Draft
from krs.core.model import Cloud, Instant, Job, JobId, Name, Pool, PoolId, Runner, World
from krs.core.names import job_runner, spare_runner
from krs.core.policy import Policy
from krs.core.room import Room
from krs.core.state import is_ahead, is_idle, is_live, is_supply, queued_by_pool
from krs.core.vocabulary import EventKind, JobState, Level, Reason


class Balance(msgspec.Struct, frozen=True):
    """Demand and supply of one pool.

    `queued` are its waiting jobs, oldest first; `borrowed` counts the idle runners of richer pools of the same scope
    that cover its labels.
    """

    pool: Pool
    queued: tuple[Job, ...]
    supply: tuple[Runner, ...]
    borrowed: int
    min_idle: int

    @property
    def missing(self) -> int:
        """How many runners to start; negative when there are too many."""
        return len(self.queued) - self.borrowed + self.min_idle - len(self.supply)


class Want(msgspec.Struct, frozen=True):
    """One runner to start: for a job, or as a warm spare."""

    pool: PoolId
    job: JobId | None
    asked_at: Instant


def balances(world: World, now: Instant, policy: Policy) -> dict[PoolId, Balance]:
    """Demand and supply of every pool. An idle runner covers jobs of its scope that ask for a subset of its labels."""
    queued: dict[PoolId, list[Job]] = {key: [] for key in world.pools}
    for job in world.jobs.values():
        if job.state is JobState.QUEUED and job.pool in queued:
            queued[job.pool].append(job)
    supply: dict[PoolId, list[Runner]] = {key: [] for key in world.pools}
    for runner in world.runners.values():
        if runner.pool in supply and is_supply(runner, now):
            supply[runner.pool].append(runner)
    spares = {key: policy.pool_terms(pool).min_idle for key, pool in world.pools.items()}
    borrowed = _borrow(world, queued, supply, spares)
    return {
        key: Balance(
            pool=pool,
            queued=tuple(sorted(queued[key], key=lambda job: (job.queued_at, job.id))),
            supply=tuple(supply[key]),
            borrowed=borrowed.get(key, 0),
            min_idle=spares[key],
        )
        for key, pool in world.pools.items()
    }


def _borrow(
    world: World,
    queued: dict[PoolId, list[Job]],
    supply: dict[PoolId, list[Runner]],
    spares: dict[PoolId, int],
) -> dict[PoolId, int]:
    """How many idle runners of other pools cover each pool's unmet jobs, each runner lent once.

    A pool's own supply makes up its warm spares first, so that one more runner planned is always one less missing; and
    a warm spare that is on its way frees no idle runner to be lent, so that planning it changes no other balance.
    """
    spare = {
        key: min(sum(not _coming_spare(runner) for runner in supply[key]) - len(queued[key]), _idle(supply[key]))
        for key in world.pools
    }
    borrowed: dict[PoolId, int] = {}
    for key in sorted(world.pools, key=lambda key: (-len(world.pools[key].labels), key)):
        short = len(queued[key]) - max(0, len(supply[key]) - spares[key])
        for lender in _lenders(world, key) if short > 0 else ():
            lent = max(0, min(short, spare[lender]))
            spare[lender] -= lent
            short -= lent
            borrowed[key] = borrowed.get(key, 0) + lent
    return borrowed


def _coming_spare(runner: Runner) -> bool:
    return runner.origin is Reason.MIN_IDLE and not is_idle(runner)


def _idle(runners: Iterable[Runner]) -> int:
    return sum(is_idle(runner) for runner in runners)


def _lenders(world: World, key: PoolId) -> list[PoolId]:
    pool = world.pools[key]
    labels = _folded(pool.labels)
    return sorted(
        other.id
        for other in world.pools.values()
        if other.scope == pool.scope and other.id != key and labels < _folded(other.labels)
    )


def _folded(labels: Iterable[str]) -> frozenset[str]:
    return frozenset(label.casefold() for label in labels)


def pressed(world: World, now: Instant, policy: Policy) -> frozenset[Name]:
    """The longest idle runners whose places jobs of other pools wait for, when all places are taken.

    Without this, pools that were busy once would keep new ones waiting for a whole time-to-live.
    """
    live = [runner for runner in world.runners.values() if is_live(runner)]
    room = max(0, policy.max_total - len(live)) + sum(not runner.wanted for runner in live)
    if sum(queued_by_pool(world).values()) <= room:
        return frozenset()  # most turns end here: the balances below cost more than all else
    found = balances(world, now, policy)
    short = sum(max(0, len(b.queued) - b.borrowed - len(b.supply)) for b in found.values() if _may_start(b, world, now))
    count = short - room
    if count <= 0:
        return frozenset()
    free = [
        runner
        for balance in found.values()
        for runner in balance.supply
        if not balance.queued and is_idle(runner) and not is_ahead(runner.hold_until, now)
    ]
    free.sort(key=lambda runner: (runner.idle_since or 0.0, runner.name))
    return frozenset(runner.name for runner in free[:count])


def _may_start(balance: Balance, world: World, now: Instant) -> bool:
    pool = balance.pool
    halted = is_ahead(pool.tripped_until, now) or is_ahead(pool.blocked_until, now)
    return not (world.paused or pool.paused or halted)


def trim(draft: Draft, policy: Policy) -> None:
    """Forget planned runners that nobody needs any more, the latest planned first: nothing was bought yet."""
    for balance in balances(draft.done(), draft.now, policy).values():
        stopped = balance.pool.paused or draft.paused
        surplus = len(balance.supply) if stopped else -balance.missing
        planned = [
            r for r in balance.supply if r.cloud is Cloud.NONE and r.op is None and r.origin is not Reason.OPERATOR
        ]
        for runner in sorted(planned, key=lambda r: (r.planned_at, r.name), reverse=True)[: max(0, surplus)]:
            if runner.attempts == 0:
                draft.drop_runner(runner.name)
            else:
                draft.change(runner, wanted=False, why=Reason.NOT_NEEDED)


def fill(draft: Draft, policy: Policy) -> None:
    """Plan runners for what is missing, oldest job first; a job that gets none says why."""
    found = balances(draft.done(), draft.now, policy)
    wants = sorted(
        (want for balance in found.values() for want in _wants(balance)),
        key=lambda want: (want.asked_at, want.job or 0, want.pool),
    )
    refused: dict[JobId, Reason] = {}
    room = Room(draft, policy)
    for want in wants:
        reason = room.refusal(draft.pools[want.pool])
        if reason is None:
            _plan(draft, want, policy)
            room.take(draft.pools[want.pool])
        elif want.job is not None:
            refused[want.job] = reason
    _explain(draft, found.values(), refused)


def _wants(balance: Balance) -> Iterable[Want]:
    """The missing runners of a pool: for its oldest jobs that have none on the way, then warm spares."""
    count = max(0, balance.missing)
    seeded = {runner.job for runner in balance.supply}
    unmet = len(balance.queued) - balance.borrowed - len(balance.supply)
    bare = [job for job in balance.queued if job.id not in seeded]
    others = [job for job in balance.queued if job.id in seeded]
    for_jobs = (bare + others)[: max(0, min(count, unmet))]
    for job in for_jobs:
        yield Want(balance.pool.id, job.id, job.queued_at)
    for _ in range(count - len(for_jobs)):
        yield Want(balance.pool.id, None, Instant(float("inf")))


def _plan(draft: Draft, want: Want, policy: Policy) -> None:
    pool = draft.pools[want.pool]
    terms = policy.pool_terms(pool)
    name = spare_runner(pool, draft.runners) if want.job is None else job_runner(pool, want.job, draft.runners)
    origin = Reason.MIN_IDLE if want.job is None else Reason.JOB_QUEUED
    draft.put_runner(
        Runner(
            name=name,
            pool=pool.id,
            scope=pool.scope,
            region=pool.region,
            instance_type=pool.instance_type,
            lifecycle=terms.lifecycle,
            credential=terms.credential,
            origin=origin,
            job=want.job,
            planned_at=draft.now,
        )
    )
    draft.put_creates((*draft.creates, draft.now))
    message = f"{name} planned for {pool.scope} [{', '.join(pool.labels)}]"
    draft.say(EventKind.RUNNER_PLANNED, message, reason=origin, runner=draft.runners[name])


def _explain(draft: Draft, found: Iterable[Balance], refused: dict[JobId, Reason]) -> None:
    """Each queued job without a runner on the way carries its reason; the others carry none."""
    for balance in found:
        for job in balance.queued:
            reason = refused.get(job.id)
            if reason is job.reason:
                continue
            draft.put_job(replace(job, reason=reason))
            if reason is not None:
                message = f"{job.repo} {job.name} waits: {reason.value}"
                draft.say(EventKind.JOB_WAITING, message, level=Level.WARN, reason=reason, job=draft.jobs[job.id])
