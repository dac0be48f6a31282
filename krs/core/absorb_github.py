"""What GitHub's runner lists and single answers say of registrations.

`busy: false` is weak evidence (lessons 1 to 3): it only starts or continues an unbroken run of quiet observations, and
never contradicts our own table of running jobs. A runner that is not listed is not listed busy.
"""

from msgspec.structs import replace

from krs.core import strays
from krs.core.absorb_koyeb import came_online
from krs.core.draft import Draft
from krs.core.facts import GithubFailed, Observed, RegistrationObserved, RegistrationsListed
from krs.core.model import Cloud, Forge, Instant, OpKind, Probe, Runner
from krs.core.policy import Policy
from krs.core.state import still_asked
from krs.core.vocabulary import EventKind, Level, Reason


def registrations_listed(draft: Draft, fact: RegistrationsListed, policy: Policy) -> None:
    """Compare a scope's registrations with our runners; those of others are none of our business.

    A list no newer than the last one says nothing.
    """
    probe = draft.github.get(fact.scope, Probe())
    if probe.answered_at is not None and probe.answered_at >= fact.asked_at:
        return
    if probe.failed_since is not None or probe.denied:
        draft.say(EventKind.GITHUB_BACK, f"GitHub answers again for {fact.scope}")
    asked_until = still_asked(probe, fact.asked_at, policy)
    left = strays.found(draft, fact, policy)
    draft.put_github(fact.scope, Probe(answered_at=fact.asked_at, asked_until=asked_until, strays=left))
    seen = {registration.name: registration for registration in fact.runners}
    for runner in tuple(draft.runners.values()):
        if runner.scope == fact.scope and runner.cloud is Cloud.GONE and runner.name not in seen:
            draft.change(runner, deregistered=True)
    for runner in tuple(draft.runners.values()):
        if runner.scope != fact.scope or runner.cloud is not Cloud.UP:
            continue
        found = seen.get(runner.name)
        if found is None:
            observe(draft, runner, Observed.ABSENT, None, fact.asked_at)
        else:
            observe(draft, runner, found.observed, found.id, fact.asked_at)


def registration_observed(draft: Draft, fact: RegistrationObserved) -> None:
    """The answer to a question about one runner."""
    runner = draft.runners.get(fact.name)
    if runner is not None:
        observe(draft, draft.answered(runner, OpKind.OBSERVE), fact.observed, fact.id, fact.asked_at)


def observe(draft: Draft, runner: Runner, observed: Observed, github_id: int | None, at: Instant) -> None:
    """One look at a registration, as asked for at `at`; older than what we know, it says nothing."""
    if runner.forge_at > at or runner.cloud is Cloud.GONE:
        return
    runner = draft.change(runner, unreachable_since=None, github_id=github_id or runner.github_id)
    match observed:
        case Observed.BUSY:
            _busy(draft, runner, at)
        case Observed.IDLE:
            _quiet(draft, _online(draft, runner), Forge.IDLE, at)
        case Observed.OFFLINE:
            offline_since = runner.offline_since or (at if runner.online_at is not None else None)
            _quiet(draft, draft.change(runner, offline_since=offline_since), Forge.OFFLINE, at)
        case Observed.ABSENT:
            unknown = runner.unknown_sweeps + (runner.online_at is not None and at > runner.forge_at)
            forge = Forge.UNSEEN if runner.online_at is None else Forge.OFFLINE
            _quiet(draft, draft.change(runner, unknown_sweeps=unknown), forge, at)


def _online(draft: Draft, runner: Runner) -> Runner:
    if runner.online_at is None:
        runner = came_online(draft, runner, draft.now)
    return draft.change(runner, offline_since=None, unknown_sweeps=0)


def _busy(draft: Draft, runner: Runner, at: Instant) -> None:
    if runner.online_at is None:
        runner = came_online(draft, runner, draft.now)
    changed = runner.forge is not Forge.BUSY and runner.busy_job is None
    runner = draft.change(
        runner, forge=Forge.BUSY, forge_at=at, quiet_since=None, idle_since=None, offline_since=None, unknown_sweeps=0
    )
    if changed:
        draft.say(EventKind.RUNNER_BUSY, f"{runner.name} runs a job, GitHub says", runner=runner)


def _quiet(draft: Draft, runner: Runner, forge: Forge, at: Instant) -> None:
    if runner.busy_job is not None:
        draft.change(runner, forge_at=at)
        return
    was_busy = runner.forge is Forge.BUSY
    idle_since = runner.idle_since or (draft.now if runner.online_at is not None else None)
    runner = draft.change(runner, forge=forge, forge_at=at, quiet_since=runner.quiet_since or at, idle_since=idle_since)
    if was_busy:
        draft.say(EventKind.RUNNER_IDLE, f"{runner.name} is idle, GitHub says", runner=runner)


def github_failed(draft: Draft, fact: GithubFailed, policy: Policy) -> None:
    """Nothing was learnt; that a token may not ask is said once, and our own table then decides alone."""
    probe = draft.github.get(fact.scope, Probe())
    if fact.denied and not probe.denied:
        draft.say(EventKind.GITHUB_DENIED, fact.message, level=Level.WARN, reason=Reason.DENIED)
    elif not fact.denied and probe.failed_since is None:
        draft.say(EventKind.GITHUB_LOST, fact.message, level=Level.ERROR)
    failures = probe.failures + 1
    wait = fact.after or (policy.github_sweep if fact.denied else policy.delay(failures))
    draft.put_github(
        fact.scope,
        replace(
            probe,
            asked_until=Instant(0) if fact.name is None else probe.asked_until,
            denied=probe.denied or fact.denied,
            failures=failures,
            failed_since=probe.failed_since or draft.now,
            not_before=Instant(draft.now + wait),
        ),
    )
    for runner in tuple(draft.runners.values()):
        if runner.scope == fact.scope and runner.cloud is Cloud.UP:
            _unreachable(draft, runner, Instant(draft.now + wait), asked=runner.name == fact.name)


def _unreachable(draft: Draft, runner: Runner, again: Instant, *, asked: bool) -> None:
    runner = draft.change(runner, unreachable_since=runner.unreachable_since or draft.now)
    if asked:
        draft.change(draft.answered(runner, OpKind.OBSERVE), not_before=again)
