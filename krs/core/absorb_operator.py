"""What an operator asked for. Whether it may be done was decided before (`krs.core.actions`); here it is noted."""

from msgspec.structs import replace

from krs.core import facts as f
from krs.core.absorb_jobs import ensure_pool
from krs.core.draft import Draft
from krs.core.labels import Placement, place
from krs.core.model import PoolId, Runner
from krs.core.names import pool_labels
from krs.core.policy import Policy
from krs.core.vocabulary import EventKind, Level, Reason


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def start_asked(draft: Draft, fact: f.StartAsked, policy: Policy) -> None:
    """Plan a runner that no job asked for."""
    placement = place(fact.labels, fact.scope, policy)
    if not isinstance(placement, Placement) or fact.name in draft.runners:
        return
    pool = ensure_pool(draft, fact.scope, pool_labels(placement.label, fact.labels), placement)
    terms = policy.pool_terms(pool)
    runner = Runner(
        name=fact.name,
        pool=pool.id,
        scope=fact.scope,
        region=pool.region,
        instance_type=pool.instance_type,
        lifecycle=terms.lifecycle,
        credential=terms.credential,
        origin=Reason.OPERATOR,
        planned_at=draft.now,
        by=fact.by,
    )
    draft.put_runner(runner)
    draft.put_pool(replace(pool, last_job_at=max(pool.last_job_at, draft.now)))
    draft.put_creates((*draft.creates, draft.now))
    message = f"{fact.name} planned by {fact.by}{_because(fact.reason)}"
    draft.say(EventKind.RUNNER_PLANNED, message, reason=Reason.OPERATOR, runner=runner, by=fact.by)


def extend_asked(draft: Draft, fact: f.ExtendAsked) -> None:
    """Hold a runner until an instant, or lift the hold."""
    runner = draft.runners.get(fact.name)
    if runner is None or runner.hold_until == fact.until:
        return
    runner = draft.change(runner, hold_until=fact.until)
    what = f"held for {round((fact.until - draft.now) / 60)} min" if fact.until else "no longer held"
    message = f"{runner.name} {what} by {fact.by}{_because(fact.reason)}"
    draft.say(EventKind.RUNNER_EXTENDED, message, runner=runner, reason=Reason.OPERATOR, by=fact.by)


def drain_asked(draft: Draft, fact: f.DrainAsked) -> None:
    """Let a runner go when it is idle, or take that back while it is still wanted."""
    runner = draft.runners.get(fact.name)
    if runner is None or not runner.wanted or runner.draining is not fact.cancel:
        return
    runner = draft.change(runner, draining=not fact.cancel, by="" if fact.cancel else fact.by)
    what = "no longer drained" if fact.cancel else "drained"
    message = f"{runner.name} {what} by {fact.by}{_because(fact.reason)}"
    draft.say(EventKind.RUNNER_DRAINING, message, runner=runner, reason=Reason.OPERATOR, by=fact.by)


def kill_asked(draft: Draft, fact: f.KillAsked) -> None:
    """End a runner now; the job on it dies only when forced."""
    runner = draft.runners.get(fact.name)
    if runner is None or (not runner.wanted and (runner.force or not fact.force)):
        return
    runner = _killed(draft, runner, fact)
    level = Level.WARN if fact.force else Level.INFO
    message = f"{runner.name} killed by {fact.by}{_because(fact.reason)}"
    draft.say(EventKind.RUNNER_RETIRED, message, level=level, runner=runner, reason=Reason.KILLED, by=fact.by)


def _killed(draft: Draft, runner: Runner, fact: f.KillAsked) -> Runner:
    return draft.change(
        runner, wanted=False, why=Reason.KILLED, force=fact.force, by=fact.by, not_before=draft.now, draining=False
    )


def pause_asked(draft: Draft, fact: f.PauseAsked) -> None:
    """Start no more runners for a pool, or for any."""
    if fact.pool is None:
        _pause_all(draft, paused=True, by=fact.by, reason=fact.reason)
        return
    pool = draft.pools.get(fact.pool)
    if pool is not None and not pool.paused:
        draft.put_pool(replace(pool, paused=True, paused_by=fact.by))
        message = f"{pool.id} paused by {fact.by}{_because(fact.reason)}"
        draft.say(EventKind.POOL_PAUSED, message, level=Level.WARN, pool=pool.id, by=fact.by, reason=Reason.OPERATOR)


def resume_asked(draft: Draft, fact: f.ResumeAsked) -> None:
    """Lift a pause; for a pool, its trip and its block with it."""
    if fact.pool is None:
        _pause_all(draft, paused=False, by=fact.by, reason=fact.reason)
        return
    pool = draft.pools.get(fact.pool)
    if pool is None:
        return
    resumed = replace(
        pool,
        paused=False,
        paused_by="",
        tripped_until=None,
        failures=0,
        blocked_until=None,
        blocked_reason=None,
        blocked_message="",
    )
    if resumed != pool:
        draft.put_pool(resumed)
        _say_resumed(draft, pool.id, fact)


def _say_resumed(draft: Draft, pool: PoolId, fact: f.ResumeAsked) -> None:
    message = f"{pool} resumed by {fact.by}{_because(fact.reason)}"
    draft.say(EventKind.POOL_RESUMED, message, pool=pool, by=fact.by, reason=Reason.OPERATOR)


def _pause_all(draft: Draft, *, paused: bool, by: str, reason: str) -> None:
    if draft.paused == paused:
        return
    draft.put_paused(paused=paused)
    kind = EventKind.SCHEDULER_PAUSED if paused else EventKind.SCHEDULER_RESUMED
    what = "paused" if paused else "resumed"
    level = Level.WARN if paused else Level.INFO
    draft.say(kind, f"new runners {what} by {by}{_because(reason)}", level=level, by=by, reason=Reason.OPERATOR)
