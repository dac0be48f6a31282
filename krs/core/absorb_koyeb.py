"""What Koyeb says of services, and how our creates and deletes of them ended.

Absence in a list refutes only facts older than the moment the list was asked for. A list never clears an op: a late
create could otherwise be overtaken by a delete.
"""

from msgspec.structs import replace

from krs.core import facts as f
from krs.core.absorb_jobs import ensure_pool, meet_runner
from krs.core.draft import Draft
from krs.core.labels import Placement, place
from krs.core.model import Cloud, Foreign, Forge, Instant, OpKind, Pool, Probe, Runner
from krs.core.names import pool_labels
from krs.core.policy import Policy
from krs.core.state import still_asked
from krs.core.vocabulary import EventKind, Level, Reason

DELETING = frozenset({"DELETING", "DELETED"})
REDELETE_AFTER = 60.0
"""Seconds after which a service that Koyeb promised to delete, and still shows as running, is asked for again."""
OVERLAP = 15 * 60.0
"""Seconds for which two daemons of one controller may be at work after one has met a runner of the other: a
redeployment on Koyeb starts the new one before it stops the old one."""


def services_listed(draft: Draft, fact: f.ServicesListed, policy: Policy) -> None:
    """Compare Koyeb's world with ours, both ways; a list no newer than the last one says nothing."""
    probe = draft.koyeb
    if probe.answered_at is not None and probe.answered_at >= fact.asked_at:
        return
    if probe.failed_since is not None:
        draft.say(EventKind.KOYEB_BACK, "Koyeb answers again")
    draft.put_koyeb(
        Probe(
            answered_at=fact.asked_at,
            not_before=Instant(fact.asked_at + policy.sweep),
            asked_until=still_asked(probe, fact.asked_at, policy),
            others_until=probe.others_until,
        )
    )
    seen = {service.name: service for service in fact.services}
    for name, runner in tuple(draft.runners.items()):
        if runner.cloud_at > fact.asked_at:
            continue
        if name in seen:
            _seen(draft, runner, seen[name], fact.asked_at)
        else:
            _missed(draft, runner, fact.asked_at)
    for adoptable in fact.adoptable:
        _adopt(draft, adoptable, fact.asked_at, policy)
    _note_foreign(draft, fact)


def _seen(draft: Draft, runner: Runner, service: f.ServiceSeen, asked_at: Instant) -> None:
    if service.status in DELETING:
        _seen_deleting(draft, runner, service, asked_at)
        return
    if runner.cloud is Cloud.DELETING and asked_at < runner.cloud_at + REDELETE_AFTER:
        return
    found = draft.change(
        runner,
        cloud=Cloud.UP,
        cloud_at=asked_at,
        service_id=service.id,
        service_status=service.status,
        created_at=service.created_at,
        deletes_at=service.deletes_at,
        misses=0,
        gone_at=None,
        error=service.messages[-1] if service.messages else "",
    )
    if runner.cloud is Cloud.NONE:
        draft.say(EventKind.RUNNER_CREATED, f"{found.name} is at Koyeb", runner=found, reason=found.origin)
    probe = draft.github.get(runner.scope)
    if service.status == "HEALTHY" and runner.online_at is None and probe is not None and probe.denied:
        came_online(draft, found, draft.now)


def _seen_deleting(draft: Draft, runner: Runner, service: f.ServiceSeen, asked_at: Instant) -> None:
    if runner.cloud in (Cloud.GONE, Cloud.DELETING):
        return
    why = runner.why or Reason.VANISHED
    draft.change(runner, cloud=Cloud.DELETING, cloud_at=asked_at, service_status=service.status, wanted=False, why=why)


def _missed(draft: Draft, runner: Runner, asked_at: Instant) -> None:
    if runner.cloud is Cloud.UP:
        draft.change(runner, misses=runner.misses + 1)
    elif runner.cloud is Cloud.DELETING:
        gone(draft, runner, asked_at)


def gone(draft: Draft, runner: Runner, at: Instant) -> None:
    """Koyeb has no such service any more."""
    why = runner.why or Reason.VANISHED
    level = Level.WARN if why is Reason.VANISHED else Level.INFO
    runner = draft.change(
        runner, cloud=Cloud.GONE, cloud_at=at, wanted=False, why=why, gone_at=draft.now, misses=0, attempts=0
    )
    draft.say(EventKind.RUNNER_GONE, f"{runner.name} is gone", level=level, reason=why, runner=runner, by=runner.by)


def _adopt(draft: Draft, found: f.Adoptable, asked_at: Instant, policy: Policy) -> None:
    service = found.service
    placement = place(found.labels, found.scope, policy)
    if service.name in draft.runners or service.status in DELETING or not isinstance(placement, Placement):
        return
    pool = ensure_pool(draft, found.scope, pool_labels(placement.label, found.labels), placement)
    draft.put_runner(
        Runner(
            name=service.name,
            pool=pool.id,
            scope=found.scope,
            region=pool.region,
            instance_type=pool.instance_type,
            lifecycle=found.lifecycle,
            credential=found.credential,
            origin=Reason.ADOPTED,
            planned_at=service.created_at,
            cloud=Cloud.UP,
            cloud_at=asked_at,
            service_id=service.id,
            service_status=service.status,
            created_at=service.created_at,
            deletes_at=service.deletes_at,
        )
    )
    draft.put_koyeb(replace(draft.koyeb, others_until=Instant(draft.now + OVERLAP)))
    adopted = draft.runners[service.name]
    draft.say(EventKind.RUNNER_ADOPTED, f"{adopted.name} was found at Koyeb and adopted", runner=adopted)
    meet_runner(draft, adopted)


def _note_foreign(draft: Draft, fact: f.ServicesListed) -> None:
    known = draft.foreign
    foreign = {
        service.id: Foreign(
            service_id=service.id, name=service.name, status=service.status, created_at=service.created_at
        )
        for service in fact.services
        if service.name not in draft.runners and service.status not in DELETING
    }
    for key, service in foreign.items():
        if key not in known:
            draft.say(EventKind.SERVICE_FOREIGN, f"{service.name} is not ours: left alone", level=Level.DEBUG)
    draft.put_foreign(foreign)


def service_found(draft: Draft, fact: f.ServiceFound) -> None:
    """The answer about one service that a list did not show."""
    runner = draft.runners.get(fact.name)
    if runner is None:
        return
    runner = draft.answered(runner, OpKind.LOOKUP)
    if fact.service is not None and fact.service.status != "DELETED":
        draft.change(runner, misses=0, cloud_at=fact.asked_at, service_status=fact.service.status)
    elif runner.cloud in (Cloud.UP, Cloud.DELETING):
        gone(draft, runner, fact.asked_at)


def koyeb_failed(draft: Draft, fact: f.KoyebFailed, policy: Policy) -> None:
    """The list could not be had: nothing is learnt, nothing is deleted."""
    probe = draft.koyeb
    if probe.failed_since is None:
        draft.say(EventKind.KOYEB_LOST, fact.message, level=Level.ERROR)
    failures = probe.failures + 1
    wait = fact.after or policy.delay(failures)
    draft.put_koyeb(
        replace(
            probe,
            asked_until=Instant(0),
            failures=failures,
            failed_since=probe.failed_since or draft.now,
            not_before=Instant(draft.now + wait),
        )
    )


def runner_created(draft: Draft, fact: f.RunnerCreated) -> None:
    """Koyeb has the service: just made, or found under its name after a lost answer."""
    runner = draft.runners.get(fact.name)
    if runner is None:
        return
    runner = draft.answered(runner, OpKind.CREATE)
    if runner.cloud is not Cloud.NONE:
        return
    runner = draft.change(
        runner,
        cloud=Cloud.UP,
        cloud_at=draft.now,
        service_id=fact.service_id,
        created_at=fact.created_at,
        deletes_at=fact.deletes_at,
        attempts=0,
        error="",
    )
    _unblock(draft, draft.pools.get(runner.pool))
    how = "was found at Koyeb" if fact.found else "started"
    draft.say(EventKind.RUNNER_CREATED, f"{runner.name} {how}", reason=runner.origin, runner=runner, by=runner.by)


def _unblock(draft: Draft, pool: Pool | None) -> None:
    if pool is not None and pool.blocked_reason is not None:
        draft.put_pool(replace(pool, blocked_until=None, blocked_reason=None, blocked_message=""))


def create_failed(draft: Draft, fact: f.CreateFailed, policy: Policy) -> None:
    """A create did not happen: refused (the pool is blocked for a while), or to be tried again under the same name."""
    runner = draft.runners.get(fact.name)
    if runner is None or runner.cloud is not Cloud.NONE:
        return
    level = Level.WARN if fact.reason is Reason.MAX_TOTAL else Level.ERROR
    draft.say(EventKind.RUNNER_CREATE_FAILED, fact.message, level=level, reason=fact.reason, runner=runner)
    if fact.reason in (Reason.REFUSED, Reason.QUOTA):
        if runner.attempts > 1:  # an earlier attempt was never answered: Koyeb is asked before the place is free
            draft.change(draft.answered(runner, OpKind.CREATE), wanted=False, why=Reason.CREATE_REFUSED)
        else:
            draft.drop_runner(runner.name)
        _block(draft, draft.pools.get(runner.pool), fact, policy)
        return
    if fact.reason is Reason.NAME_TAKEN:
        # The row stays for a while as one that is gone, so that the next attempt has another name.
        runner = draft.answered(runner, OpKind.CREATE)
        gone(draft, draft.change(runner, wanted=False, why=Reason.NAME_TAKEN, deregistered=True), draft.now)
        return
    wait = fact.after or policy.delay(runner.attempts)
    draft.change(draft.answered(runner, OpKind.CREATE), not_before=Instant(draft.now + wait), error=fact.message)


def _block(draft: Draft, pool: Pool | None, fact: f.CreateFailed, policy: Policy) -> None:
    if pool is None:
        return
    until = Instant(draft.now + (fact.after or policy.block_for))
    draft.put_pool(replace(pool, blocked_until=until, blocked_reason=fact.reason, blocked_message=fact.message))
    draft.say(EventKind.POOL_BLOCKED, fact.message, level=Level.WARN, reason=fact.reason, pool=pool.id)


def delete_accepted(draft: Draft, fact: f.DeleteAccepted) -> None:
    """The registration is gone, and Koyeb took the deletion."""
    runner = draft.runners.get(fact.name)
    if runner is None:
        return
    done = draft.change(
        draft.answered(runner, OpKind.DELETE),
        deregistered=fact.deregistered or runner.deregistered,
        forge=Forge.GONE,
        forge_at=draft.now,
        attempts=0,
        error="",
        busy_job=None,
    )
    if runner.cloud is not Cloud.GONE:
        draft.say(EventKind.RUNNER_DELETED, f"{done.name} deleted", reason=done.why, runner=done, by=done.by)
        done = draft.change(done, cloud=Cloud.DELETING, cloud_at=draft.now)
        if fact.gone:
            gone(draft, done, draft.now)


def delete_failed(draft: Draft, fact: f.DeleteFailed, policy: Policy) -> None:
    """A deletion did not happen; that GitHub says busy is a fact about the runner, not a failure."""
    runner = draft.runners.get(fact.name)
    if runner is None:
        return
    runner = draft.answered(runner, OpKind.DELETE)
    if fact.reason is Reason.BUSY:
        runner = draft.change(
            runner,
            forge=Forge.BUSY,
            forge_at=draft.now,
            quiet_since=None,
            idle_since=None,
            not_before=Instant(draft.now + policy.linger),
        )
        draft.say(EventKind.RUNNER_DELETE_REFUSED, fact.message, reason=Reason.BUSY, runner=runner, by=runner.by)
        return
    attempts = runner.attempts + 1
    since = runner.unreachable_since or (draft.now if fact.stage == "github" else None)
    draft.change(
        runner,
        attempts=attempts,
        unreachable_since=since,
        not_before=Instant(draft.now + (fact.after or policy.delay(attempts))),
        error=fact.message,
    )
    draft.say(EventKind.RUNNER_DELETE_FAILED, fact.message, level=Level.WARN, reason=fact.reason, runner=runner)


def protected(draft: Draft, fact: f.Protected, policy: Policy) -> None:
    """Koyeb moved its own deletion of the service, or refused to."""
    runner = draft.runners.get(fact.name)
    if runner is None:
        return
    runner = draft.answered(runner, OpKind.PROTECT)
    if fact.deletes_at is not None:
        draft.change(runner, deletes_at=fact.deletes_at, attempts=0)
        return
    draft.change(runner, not_before=Instant(draft.now + policy.block_for), error=fact.message)
    draft.say(EventKind.WARNING, fact.message, level=Level.WARN, reason=Reason.REFUSED, runner=runner)


def came_online(draft: Draft, runner: Runner, at: Instant) -> Runner:
    """A runner's first sign of life: its pool works, so its failures are forgotten."""
    runner = draft.change(runner, online_at=at, idle_since=at)
    pool = draft.pools.get(runner.pool)
    if pool is not None:
        draft.put_pool(replace(pool, failures=0, tripped_until=None))
    draft.say(EventKind.RUNNER_ONLINE, f"{runner.name} is online", runner=runner)
    return runner
