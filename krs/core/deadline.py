"""`next_deadline(world, now, policy)`: when `decide` could next say something new by itself.

Timers are a function of the world, so there are none to set, cancel or lose. Waking too early costs one `decide`.
"""

from collections.abc import Iterator

from krs.core import strays
from krs.core.act import BUSY_WATCH, LOOKUP_AFTER, PROTECT_AHEAD, question_due
from krs.core.ask import job_due, registrations_due, scopes
from krs.core.draft import Draft
from krs.core.endings import all_endings
from krs.core.model import NEVER, Cloud, Instant, Runner, World
from krs.core.policy import HOUR, Policy
from krs.core.state import UNTOLD, is_busy, max_age_at
from krs.core.vocabulary import JobState, Reason


def next_deadline(world: World, now: Instant, policy: Policy) -> Instant:
    """The earliest instant after `now` at which a rule could fire with no new fact."""
    draft = Draft(world, now)
    candidates = (at for source in (_probes, _jobs, _pools, _runners, _endings) for at in source(draft, policy))
    return min((at for at in candidates if at > now), default=NEVER)


def _probes(draft: Draft, policy: Policy) -> Iterator[Instant]:
    yield max(draft.koyeb.not_before, draft.koyeb.asked_until)
    for scope in scopes(draft):
        yield registrations_due(draft, scope, policy)
    for probe in draft.github.values():
        for stray in probe.strays:
            yield strays.due(stray, policy)
    if draft.creates:
        yield Instant(draft.creates[0] + HOUR)


def _jobs(draft: Draft, policy: Policy) -> Iterator[Instant]:
    for job in draft.jobs.values():
        if job.state is JobState.DONE:
            yield Instant(max(job.ended_at or 0.0, job.confirmed_at) + policy.keep_gone)
        else:
            yield job_due(job, policy)


def _pools(draft: Draft, _policy: Policy) -> Iterator[Instant]:
    for pool in draft.pools.values():
        yield pool.tripped_until or NEVER
        yield pool.blocked_until or NEVER


def _runners(draft: Draft, policy: Policy) -> Iterator[Instant]:
    for runner in draft.runners.values():
        if runner.op is not None:
            yield runner.op.expires
        else:
            yield runner.not_before
        yield from _runner(runner, policy)


def _runner(runner: Runner, policy: Policy) -> Iterator[Instant]:
    match runner.cloud:
        case Cloud.GONE:
            yield Instant((runner.gone_at or 0.0) + policy.keep_gone)
        case Cloud.DELETING:
            yield Instant(runner.cloud_at + LOOKUP_AFTER)
        case Cloud.UP:
            yield max_age_at(runner, policy)
            if runner.unreachable_since is not None:
                yield Instant(runner.unreachable_since + policy.unreachable_limit)
            if is_busy(runner):
                yield Instant(runner.forge_at + BUSY_WATCH)
                yield Instant(runner.since + UNTOLD)
            if runner.why is Reason.JOB_DONE and runner.idle_since is not None:
                yield Instant(runner.idle_since + policy.linger)
            if runner.deletes_at is not None:
                yield Instant(runner.deletes_at - PROTECT_AHEAD)
        case Cloud.NONE:
            return


def _endings(draft: Draft, policy: Policy) -> Iterator[Instant]:
    ends = all_endings(draft.done(), draft.now, policy)
    for runner in draft.runners.values():
        ending = ends.get(runner.name)
        yield ending[0] if ending is not None else NEVER
        if runner.wanted and runner.cloud is Cloud.UP:
            yield question_due(draft, runner, ending, policy) or NEVER
