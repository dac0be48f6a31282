"""What follows from a runner's facts: its state, whether it counts, when it ends. Nothing here is stored."""

from collections.abc import Iterable

from krs.core.model import NEVER, Cloud, Forge, Instant, Name, OpKind, Pool, PoolId, Probe, Runner, World
from krs.core.policy import Policy
from krs.core.vocabulary import JobState, Lifecycle, Reason, RunnerState

FAILURES = {
    Reason.BOOT_TIMEOUT: RunnerState.FAILED,
    Reason.CREATE_REFUSED: RunnerState.FAILED,
    Reason.LOST: RunnerState.LOST,
}


def is_ahead(instant: Instant | None, now: Instant) -> bool:
    """There is such an instant, and it is still to come."""
    return instant is not None and instant > now


def is_busy(runner: Runner) -> bool:
    """A job runs on it: our own table says so, or GitHub does."""
    return runner.busy_job is not None or runner.forge is Forge.BUSY


def is_up(runner: Runner) -> bool:
    """Koyeb runs its service, as far as we know."""
    return runner.cloud is Cloud.UP


def is_idle(runner: Runner) -> bool:
    """It is up, came online once, and no job runs on it."""
    return is_up(runner) and runner.online_at is not None and not is_busy(runner)


def state_of(runner: Runner) -> RunnerState:  # noqa: PLR0911 - one row a state
    """The one word for a runner."""
    if runner.cloud is Cloud.GONE:
        return RunnerState.GONE
    if runner.cloud is Cloud.DELETING:
        return RunnerState.DELETING
    if not runner.wanted:
        return _leaving(runner)
    if runner.cloud is Cloud.NONE:
        return RunnerState.CREATING if runner.op and runner.op.kind is OpKind.CREATE else RunnerState.PLANNED
    if runner.draining:
        return RunnerState.DRAINING
    if is_busy(runner):
        return RunnerState.BUSY
    return RunnerState.IDLE if runner.online_at is not None else RunnerState.BOOTING


def _leaving(runner: Runner) -> RunnerState:
    if is_busy(runner) and not runner.force:
        return RunnerState.DRAINING
    return FAILURES.get(runner.why, RunnerState.DELETING) if runner.why else RunnerState.DELETING


UNTOLD = 60.0
"""Seconds for which a runner that GitHub calls busy counts for the job that is surely still called queued: the flag
comes at times before the delivery, and a second runner would be bought for the same job."""


def is_supply(runner: Runner, now: Instant) -> bool:
    """It serves or will serve a queued job: planned, booting or idle, and not on its way out."""
    free = not is_busy(runner) or is_untold(runner, now)
    return runner.wanted and not runner.draining and runner.cloud in (Cloud.NONE, Cloud.UP) and free


def is_untold(runner: Runner, now: Instant) -> bool:
    """GitHub has just called it busy, and no job has been heard of that runs on it."""
    return runner.forge is Forge.BUSY and runner.busy_job is None and now < runner.since + UNTOLD


def is_live(runner: Runner) -> bool:
    """It costs money or may: only a confirmed deletion, or a create that never left, frees its place."""
    match runner.cloud:
        case Cloud.UP | Cloud.DELETING:
            return True
        case Cloud.NONE:
            return runner.wanted or runner.attempts > 0 or runner.op is not None
        case Cloud.GONE:
            return False


def queued_by_pool(world: World) -> dict[PoolId, int]:
    """How many jobs wait for a runner, per pool."""
    counts: dict[PoolId, int] = {}
    for job in world.jobs.values():
        if job.state is JobState.QUEUED and job.pool is not None:
            counts[job.pool] = counts.get(job.pool, 0) + 1
    return counts


def runners_by_pool(world: World) -> dict[PoolId, list[Runner]]:
    """The runners that are not gone, per pool."""
    groups: dict[PoolId, list[Runner]] = {}
    for runner in world.runners.values():
        if runner.cloud is not Cloud.GONE:
            groups.setdefault(runner.pool, []).append(runner)
    return groups


Ending = tuple[Instant, Reason]


def endings(
    pool: Pool, runners: Iterable[Runner], queued: int, policy: Policy, pressed: frozenset[Name] = frozenset()
) -> dict[Name, Ending]:
    """When each idle runner of a pool ends if nothing happens, and why, by name.

    One runner lives `ttl` after the latest of: it came up, its last job ended, its pool received a job. The surplus
    beyond one (or beyond `min_idle`) ends `surplus_ttl` after it became idle, oldest idle first. As many idle runners
    as jobs are queued, and `min_idle` more, are kept, the most recently used. Those `pressed` for their place by jobs
    of other pools end as soon as GitHub can have been asked twice.
    """
    terms = policy.pool_terms(pool)
    staying = [
        runner for runner in runners if runner.wanted and not runner.draining and runner.cloud in (Cloud.NONE, Cloud.UP)
    ]
    idle = sorted((r for r in staying if is_idle(r)), key=lambda r: (r.idle_since or 0.0, r.name))
    surplus = len(staying) - max(1, terms.min_idle)
    kept_from = len(idle) - queued - terms.min_idle
    ends: dict[Name, Ending] = {}
    for place, runner in enumerate(idle):
        if place < kept_from:
            end = _ending(runner, pool, terms.ttl, surplus=place < surplus, policy=policy)
            ends[runner.name] = _pressed_ending(runner, end, policy) if runner.name in pressed else end
    for runner in staying:
        if runner.created_at is not None:
            ends[runner.name] = min(
                ends.get(runner.name, (NEVER, Reason.EXPIRED)), (max_age_at(runner, policy), Reason.MAX_AGE)
            )
    return ends


def _ending(runner: Runner, pool: Pool, ttl: float, *, surplus: bool, policy: Policy) -> Ending:
    idle_since = runner.idle_since or runner.online_at or Instant(0)
    hold = runner.hold_until or Instant(0)
    if runner.lifecycle is Lifecycle.EPHEMERAL:
        return max(Instant(idle_since + policy.surplus_ttl), hold), Reason.NEVER_USED
    expiry = Instant(max(idle_since, pool.last_job_at) + ttl)
    if surplus:
        early = Instant(idle_since + policy.surplus_ttl)
        return max(min(early, expiry), hold), Reason.SURPLUS if early <= expiry else Reason.EXPIRED
    return max(expiry, hold), Reason.EXPIRED


def _pressed_ending(runner: Runner, end: Ending, policy: Policy) -> Ending:
    early = Instant((runner.idle_since or 0.0) + policy.idle_confirm)
    return (early, Reason.SURPLUS) if early < end[0] else end


def max_age_at(runner: Runner, policy: Policy) -> Instant:
    """When a runner is drained for its age; a hold by an operator goes further."""
    if runner.created_at is None:
        return NEVER
    return max(Instant(runner.created_at + policy.max_age), runner.hold_until or Instant(0))


def is_blind(world: World, runner: Runner, now: Instant, policy: Policy) -> bool:
    """GitHub cannot be asked about it: not allowed, or not reached for too long; our own table decides alone."""
    probe = world.github.get(runner.scope)
    if probe is not None and probe.denied:
        return True
    return runner.unreachable_since is not None and now - runner.unreachable_since >= policy.unreachable_limit


def still_asked(probe: Probe, answer_asked_at: Instant, policy: Policy) -> Instant:
    """Until when a question remains in flight after an answer, which may be the late one to an earlier question."""
    earlier = answer_asked_at < probe.asked_until - policy.op_timeout
    return probe.asked_until if earlier else Instant(0)


FRESH = 60.0


def idle_confirmed(world: World, runner: Runner, now: Instant, policy: Policy) -> bool:
    """No job runs on it, by our table and by two observations of GitHub at least `idle_confirm` apart.

    GitHub's `busy` reads false for a minute after a job started, and at times in mid-job (lessons 1 and 2).
    """
    if is_busy(runner):
        return False
    if is_blind(world, runner, now, policy):
        return True
    if runner.quiet_since is None:
        return False
    return runner.forge_at - runner.quiet_since >= policy.idle_confirm and now - runner.forge_at <= FRESH


def observe_at(runner: Runner, end: Instant, policy: Policy) -> Instant:
    """When GitHub must next be asked about an idle runner that ends at `end`."""
    if runner.quiet_since is None:
        return Instant(end - policy.idle_confirm)
    return max(end, Instant(runner.quiet_since + policy.idle_confirm))
