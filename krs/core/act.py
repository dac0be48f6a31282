"""Rule ACT: what each runner needs now; at most one command in flight per runner.

Intent is marked on the row (`op`) and committed before the call leaves; the mark expires with the command, and the
same rule then fires again with the same name.
"""

from collections.abc import Iterator

from krs.core import commands as c
from krs.core.draft import Draft
from krs.core.endings import all_endings
from krs.core.model import Cloud, Instant, Op, OpKind, Runner
from krs.core.policy import HOUR, Policy
from krs.core.retire import boot_deadline
from krs.core.state import (
    Ending,
    idle_confirmed,
    is_blind,
    is_busy,
    is_idle,
    observe_at,
)
from krs.core.vocabulary import JobState, Reason

BUSY_WATCH = 60.0
"""Seconds between two questions about an unwanted runner that is busy with a job we do not know."""
LOOKUP_AFTER = 10.0
"""Seconds after a deletion before Koyeb is asked whether a place is free that a job waits for."""
PROTECT_AHEAD = 2 * HOUR
PROTECT_BY = 6 * HOUR


def act(draft: Draft, policy: Policy) -> Iterator[c.Command]:
    """The commands for runners; each is marked in flight in the draft."""
    ends = all_endings(draft.done(), draft.now, policy)
    starved = _starved_pools(draft)
    for runner in tuple(draft.runners.values()):
        if runner.op is not None or runner.not_before > draft.now:
            continue
        command = (
            _begin(draft, runner, policy)
            or _end(draft, runner, policy)
            or _protect(draft, runner, policy)
            or _look_up(draft, runner, policy, starved=runner.pool in starved)
            or _observe(draft, runner, ends.get(runner.name), policy)
        )
        if command is not None:
            yield command


def _starved_pools(draft: Draft) -> set[object]:
    full = (Reason.MAX_PER_POOL, Reason.MAX_TOTAL)
    waiting = [job for job in draft.jobs.values() if job.state is JobState.QUEUED and job.reason in full]
    everywhere = any(job.reason is Reason.MAX_TOTAL for job in waiting)
    return set(draft.pools) if everywhere else {job.pool for job in waiting}


def _mark(draft: Draft, runner: Runner, kind: OpKind, policy: Policy, **fields: object) -> Instant:
    expires = Instant(draft.now + policy.op_timeout)
    draft.change(runner, op=Op(kind, expires), **fields)
    return expires


def _begin(draft: Draft, runner: Runner, policy: Policy) -> c.Command | None:
    """Create a planned runner."""
    pool = draft.pools.get(runner.pool)
    if not runner.wanted or runner.cloud is not Cloud.NONE or pool is None:
        return None
    if (pool.paused or draft.paused) and runner.origin is not Reason.OPERATOR:
        return None
    expires = _mark(draft, runner, OpKind.CREATE, policy, attempts=runner.attempts + 1)
    return c.CreateRunner(
        name=runner.name,
        pool=pool.id,
        scope=runner.scope,
        labels=pool.labels,
        region=runner.region,
        instance_type=runner.instance_type,
        lifecycle=runner.lifecycle,
        credential=runner.credential,
        expires=expires,
        retry=runner.attempts > 0,
        at_most=policy.max_total if draft.koyeb.others_until > draft.now else None,
    )


def _end(draft: Draft, runner: Runner, policy: Policy) -> c.Command | None:
    """Delete an unwanted runner once no job runs on it; or forget one that was never bought."""
    if runner.wanted or runner.cloud is Cloud.DELETING:
        return None
    if runner.cloud is Cloud.NONE and runner.attempts == 0:
        draft.drop_runner(runner.name)
        return None
    blind = is_blind(draft.done(), runner, draft.now, policy)
    if runner.cloud is Cloud.GONE and (runner.deregistered or blind):
        return None
    if is_busy(runner) and not runner.force and runner.cloud is not Cloud.GONE:
        return _watch(draft, runner, policy)
    if _lingering(draft, runner, policy):
        return None
    expires = _mark(draft, runner, OpKind.DELETE, policy)
    return c.DeleteRunner(
        name=runner.name,
        scope=runner.scope,
        service_id="" if runner.cloud is Cloud.GONE else runner.service_id,
        github_id=runner.github_id,
        deregister=not blind and not runner.deregistered,
        ask_jobs=not (blind or runner.force or runner.cloud is Cloud.GONE or runner.why is Reason.JOB_DONE),
        force=runner.force,
        expires=expires,
    )


def _lingering(draft: Draft, runner: Runner, policy: Policy) -> bool:
    """`completed` may be early: an ephemeral runner keeps its machine a little longer (lessons 4)."""
    ended = runner.idle_since
    done = runner.cloud is Cloud.UP and runner.why is Reason.JOB_DONE
    return done and ended is not None and draft.now < ended + policy.linger


def _watch(draft: Draft, runner: Runner, policy: Policy) -> c.Command | None:
    """Wait for the end of a job on an unwanted runner: GitHub is asked when our own table does not know the job."""
    blind = is_blind(draft.done(), runner, draft.now, policy)
    if runner.busy_job is not None or blind or draft.now < runner.forge_at + BUSY_WATCH:
        return None
    return _ask_github(draft, runner, policy)


def _ask_github(draft: Draft, runner: Runner, policy: Policy) -> c.Command:
    expires = _mark(draft, runner, OpKind.OBSERVE, policy)
    return c.ObserveRunner(name=runner.name, scope=runner.scope, github_id=runner.github_id, expires=expires)


def _protect(draft: Draft, runner: Runner, policy: Policy) -> c.Command | None:
    """Move Koyeb's own deletion away from a job or a hold."""
    due = protection(draft, runner)
    if due is None or runner.created_at is None or not runner.service_id:
        return None
    expires = _mark(draft, runner, OpKind.PROTECT, policy)
    return c.ProtectRunner(
        name=runner.name,
        service_id=runner.service_id,
        created_at=runner.created_at,
        deletes_at=due,
        expires=expires,
    )


def protection(draft: Draft, runner: Runner) -> Instant | None:
    """Until when Koyeb must leave a runner alone, if its own deletion comes before that."""
    if runner.deletes_at is None or runner.cloud is not Cloud.UP or runner.force:
        return None
    hold = runner.hold_until if runner.wanted and runner.hold_until is not None else Instant(0)
    near = is_busy(runner) and runner.deletes_at <= draft.now + PROTECT_AHEAD
    return Instant(max(hold + HOUR, draft.now + PROTECT_BY)) if near or runner.deletes_at < hold + HOUR else None


def _look_up(draft: Draft, runner: Runner, policy: Policy, *, starved: bool) -> c.Command | None:
    """Ask for a service that two lists did not show, or whose deletion frees a place that a job waits for."""
    missing = runner.cloud is Cloud.UP and runner.misses >= 2
    waited_for = runner.cloud is Cloud.DELETING and starved and draft.now >= runner.cloud_at + LOOKUP_AFTER
    if not (missing or waited_for):
        return None
    again = Instant(draft.now + LOOKUP_AFTER)
    expires = _mark(draft, runner, OpKind.LOOKUP, policy, not_before=again)
    return c.LookUpService(name=runner.name, service_id=runner.service_id, expires=expires)


def _observe(draft: Draft, runner: Runner, end: Ending | None, policy: Policy) -> c.Command | None:
    """Ask GitHub about a runner whose end is near, or which should be online by now."""
    if not runner.wanted or runner.cloud is not Cloud.UP:
        return None
    if is_blind(draft.done(), runner, draft.now, policy):
        return None
    due = question_due(draft, runner, end, policy)
    return _ask_github(draft, runner, policy) if due is not None and due <= draft.now else None


def question_due(draft: Draft, runner: Runner, ending: Ending | None, policy: Policy) -> Instant | None:
    """When GitHub must be asked about a runner; None when nothing depends on the answer."""
    if runner.online_at is None:
        deadline = boot_deadline(runner, policy)
        return deadline if runner.forge_at < deadline else None
    if not is_idle(runner):
        return None
    end = ending[0] if ending is not None and ending[1] is not Reason.MAX_AGE else None
    end = draft.now if runner.draining else end
    if end is None or idle_confirmed(draft.done(), runner, draft.now, policy):
        return None
    return observe_at(runner, end, policy)
