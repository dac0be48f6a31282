"""Rules RETIRE and FORGET: what is over.

A runner becomes unwanted once and for good; whether it may be deleted yet is ACT's question.
"""

from msgspec.structs import replace

from krs.core.draft import Draft
from krs.core.endings import all_endings
from krs.core.model import Cloud, Forge, Instant, OpKind, Pool, Runner
from krs.core.policy import Policy
from krs.core.state import (
    idle_confirmed,
    is_blind,
    is_busy,
    max_age_at,
)
from krs.core.vocabulary import EventKind, JobState, Level, Reason

WORDS = {
    Reason.BOOT_TIMEOUT: "never came online",
    Reason.LOST: "is unknown to GitHub or offline",
    Reason.MAX_AGE: "has reached its maximum age",
    Reason.EXPIRED: "has been idle for its time-to-live",
    Reason.SURPLUS: "is idle beyond what its pool needs",
    Reason.NEVER_USED: "was never given a job",
    Reason.DRAINED: "is drained",
}


def retire(draft: Draft, policy: Policy) -> None:
    """Forget expired ops, then give up what failed, is lost, aged or expired."""
    for runner in tuple(draft.runners.values()):
        _expire_op(draft, runner, policy)
    ends = all_endings(draft.done(), draft.now, policy)
    for runner in tuple(draft.runners.values()):
        if not runner.wanted or runner.cloud is not Cloud.UP:
            continue
        why = _failure(draft, runner, policy) or _ending(draft, runner, ends.get(runner.name), policy)
        if why is not None:
            _give_up(draft, runner, why, policy)


def _expire_op(draft: Draft, runner: Runner, policy: Policy) -> None:
    op = runner.op
    if op is None or op.expires > draft.now:
        return
    wait = policy.delay(runner.attempts) if op.kind is OpKind.DELETE else 0.0
    draft.change(runner, op=None, not_before=max(runner.not_before, Instant(draft.now + wait)))


def _failure(draft: Draft, runner: Runner, policy: Policy) -> Reason | None:
    """Why a runner will never be of use; every rule needs an answer of GitHub given after the deadline."""
    if runner.busy_job is not None:
        return None
    deadline = boot_deadline(runner, policy)
    if runner.online_at is None:
        answered = runner.forge_at >= deadline or is_blind(draft.done(), runner, draft.now, policy)
        return Reason.BOOT_TIMEOUT if draft.now >= deadline and answered else None
    offline = runner.offline_since
    if offline is not None and runner.forge_at - offline >= policy.boot_timeout:
        return Reason.LOST
    return Reason.LOST if runner.unknown_sweeps >= 2 and runner.forge is not Forge.BUSY else None


def boot_deadline(runner: Runner, policy: Policy) -> Instant:
    """When a runner should have come online, counted from its creation, not from its plan."""
    return Instant((runner.created_at or runner.planned_at) + policy.boot_timeout)


def _ending(draft: Draft, runner: Runner, end: tuple[Instant, Reason] | None, policy: Policy) -> Reason | None:
    if draft.now >= max_age_at(runner, policy):
        return Reason.MAX_AGE
    if runner.draining:
        return Reason.DRAINED if idle_confirmed(draft.done(), runner, draft.now, policy) else None
    if end is None or end[0] > draft.now:
        return None
    return end[1] if idle_confirmed(draft.done(), runner, draft.now, policy) else None


def _give_up(draft: Draft, runner: Runner, why: Reason, policy: Policy) -> None:
    runner = draft.change(runner, wanted=False, why=why, not_before=draft.now, attempts=0)
    failed = why in (Reason.BOOT_TIMEOUT, Reason.LOST)
    level = Level.WARN if failed else Level.INFO
    after = " once its job ends" if is_busy(runner) else ""
    message = f"{runner.name} {WORDS[why]}: it is deleted{after}"
    draft.say(EventKind.RUNNER_RETIRED, message, level=level, reason=why, runner=runner, by=runner.by)
    pool = draft.pools.get(runner.pool)
    if why is Reason.BOOT_TIMEOUT and pool is not None:
        _count_failure(draft, pool, policy)


def _count_failure(draft: Draft, pool: Pool, policy: Policy) -> None:
    failures = pool.failures + 1
    if failures < policy.trip_after:
        draft.put_pool(replace(pool, failures=failures))
        return
    until = Instant(draft.now + policy.trip_for)
    draft.put_pool(replace(pool, failures=failures, tripped_until=until))
    message = f"the last {failures} runners never came online: no more for {round(policy.trip_for / 60)} min"
    draft.say(EventKind.POOL_TRIPPED, message, level=Level.ERROR, reason=Reason.TRIPPED, pool=pool.id)


def forget(draft: Draft, policy: Policy) -> None:
    """Drop rows whose end is `keep_gone` ago (pools stay: they are few)."""
    horizon = draft.now - policy.keep_gone
    for runner in tuple(draft.runners.values()):
        settled = runner.deregistered or is_blind(draft.done(), runner, draft.now, policy)
        if runner.cloud is Cloud.GONE and settled and (runner.gone_at or 0.0) <= horizon:
            draft.drop_runner(runner.name)
    draft.drop_jobs(
        job.id
        for job in tuple(draft.jobs.values())
        if job.state is JobState.DONE and (job.ended_at or 0.0) <= horizon and job.confirmed_at <= horizon
    )
    recent = tuple(at for at in draft.creates if at > draft.now - 3600.0)
    draft.put_creates(recent)
