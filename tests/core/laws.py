"""What must hold of the outside after every move, and what every walk must come to once the faults stop."""

from krs.core.deadline import next_deadline
from krs.core.facts import ResumeAsked
from krs.core.model import NEVER, Instant
from krs.core.vocabulary import JobState
from tests.core.answers import perform
from tests.core.outside import BUILDER, STRANGERS
from tests.core.scheduler import Scheduler
from tests.core.walk import POOLS, Walk

PATIENCE = 40 * 3600.0
"""Seconds within which every known job must have been served once the faults have stopped."""
PRICE = 0.01
"""USD an hour for one service of any of the pools."""
TIDY = 3600.0
"""Seconds within which, beyond its time-to-live, all that is not needed must be gone."""


def check(walk: Walk) -> None:
    """The laws of every moment."""
    no_job_is_killed(walk)
    no_limit_is_broken(walk)
    no_more_is_bought_than_needed(walk)
    strangers_are_left_alone(walk)


def no_job_is_killed(walk: Walk) -> None:
    """A running job dies only by force, by another's hand, or where krs could not know or not help.

    Where GitHub may not be asked, krs goes by its own table; it then decides nothing against a job that it knows.
    """
    for key, hand in walk.outside.killed:
        assert hand != "krs", f"job {key} was killed by krs"
        assert hand != "net" or key not in walk.guarded, f"job {key} was left to Koyeb's net"
    walk.outside.killed.clear()


def no_limit_is_broken(walk: Walk) -> None:
    """Money, counted at Koyeb: services per pool and in all, and their cost; each store keeps them by itself.

    A store never plans above a limit what it has in its books, and a service stays in the books of the store that made
    it until Koyeb says that it is gone. So two stores that know nothing of each other reach twice a limit at most.
    In all there are fewer: a store that has met a runner of the other has Koyeb's count looked at before each create,
    and such a create ends at the limit, whatever there was. So only what was made unwarily beside another store, and
    is still there, can be above it.
    """
    alive = [service for service in walk.outside.ours() if walk.honest or not service.deleting]
    unwary = sum(service.unwary for service in alive) if walk.stores > 1 else 0
    most = walk.policy.max_total + min(unwary, walk.policy.max_total)
    assert len(alive) <= most, f"{len(alive)} services, {unwary} of them made unwarily"
    if walk.policy.max_hourly_cost is not None:
        cost = PRICE * len(alive)
        assert cost <= walk.stores * walk.policy.max_hourly_cost, f"{cost} USD an hour"
    for scope, labels in POOLS:
        mine = sum((service.scope, service.labels) == (scope, labels) for service in alive)
        most = walk.policy.terms(labels[0], scope).maximum
        assert mine <= walk.stores * most, f"{mine} services of {scope} {labels}"


def no_more_is_bought_than_needed(walk: Walk) -> None:
    """Money over time: one runner a job and one a warm spare, and one more for each trouble.

    Rules of krs end a runner with its work undone, and the work then buys another. A runner that reaches its
    maximum age is drained, though a job may wait that GitHub has not yet handed out. And under a pause nothing may be
    started, so a create that was never answered is given up: if it was kept, its job would wait without a reason for a
    runner that may not exist, and may not be ordered again. A third is of those that GitHub may not be asked about: one
    that nobody saw come up in its time to boot counts as failed, though it may be well.
    """
    spares = sum(walk.policy.terms(labels[0], scope).min_idle for scope, labels in POOLS)
    most = len(walk.outside.jobs) + spares + walk.troubles + len(walk.slow) + len(walk.aged)
    assert len(walk.outside.created) <= walk.stores * most, f"{len(walk.outside.created)} created, {most} needed"


def strangers_are_left_alone(walk: Walk) -> None:
    """Services and registrations of others are where they were."""
    assert set(STRANGERS) <= set(walk.outside.services)
    assert {*STRANGERS, BUILDER} <= set(walk.outside.registrations)
    assert not any(walk.outside.services[name].deleting for name in STRANGERS)


# --- the end ---


def finish(walk: Walk) -> None:
    """Every fault ends; the process is killed; undelivered webhooks stay lost. All known jobs end, nothing is left."""
    _stop_the_faults(walk)
    (scheduler,) = walk.schedulers
    until = walk.now + PATIENCE
    while not _served(walk, scheduler):
        assert walk.now < until, f"never served: {_open(scheduler)}"
        _advance(walk, scheduler)
    longest = max(walk.policy.ttl, *(rule.ttl or 0.0 for rule in walk.policy.rules), 0.0)
    held = max((runner.hold_until or 0.0 for runner in scheduler.world.runners.values()), default=0.0)
    until = max(walk.now + longest, held) + TIDY
    while left := _left(walk, scheduler):
        assert walk.now < until, f"left behind: {left}"
        _advance(walk, scheduler)


def _stop_the_faults(walk: Walk) -> None:
    walk.troubles += len(walk.outside.deliveries)
    walk.outside.deliveries.clear()
    walk.outside.lies.clear()
    for scheduler in walk.schedulers[:-1]:
        walk.end(scheduler)
    (scheduler,) = walk.schedulers
    scheduler.crash()
    walk.kills += 1
    for pool in (None, *sorted(scheduler.world.pools)):
        scheduler.hear(ResumeAsked(pool=pool))


def _advance(walk: Walk, scheduler: Scheduler) -> None:
    """Everything is done and answered at once; then time jumps to the next deadline."""
    _live(walk, scheduler)
    while commands := scheduler.take_all():
        scheduler.hear(*(fact for command in commands for fact in perform(walk.outside, command)))
        check(walk)
        _live(walk, scheduler)
    deadline = next_deadline(scheduler.world, Instant(walk.now), walk.policy)
    assert deadline < NEVER
    walk.outside.now = deadline
    walk.outside.expire()
    scheduler.hear()
    check(walk)


def _live(walk: Walk, scheduler: Scheduler) -> None:
    """Machines come up, GitHub hands out jobs, jobs run and end; of those that krs knows it is told."""
    outside = walk.outside
    for service in outside.ours():
        outside.boot(service)
        outside.settle(service.name)
    for job in outside.queued():
        if free := outside.candidates(job):
            outside.give(job, free[0])
    told = []
    for job in outside.running():
        outside.finish(job)
        if job.id in scheduler.world.jobs:
            told.append(outside.fact(job))
    if told:
        scheduler.hear(*told)
    outside.deliveries.clear()


def _open(scheduler: Scheduler) -> list[object]:
    return [job for job in scheduler.world.jobs.values() if job.state is not JobState.DONE]


def _served(walk: Walk, scheduler: Scheduler) -> bool:
    return scheduler.world.koyeb.answered_at is not None and not _open(scheduler) and not walk.outside.running()


def _left(walk: Walk, scheduler: Scheduler) -> list[object]:
    """Services beyond the warm spares, and registrations of ours without a service.

    With a fresh disk nobody can know of a scope that has no service and no job any more: GitHub cleans up there.
    """
    services = walk.outside.ours()
    spares = sum(walk.policy.pool_terms(pool).min_idle for pool in scheduler.world.pools.values())
    names = {service.name for service in services} | {*STRANGERS, BUILDER}
    looked_at = scheduler.world.github
    registrations = [
        found for found in walk.outside.registrations.values() if found.name not in names and found.scope in looked_at
    ]
    return [*services[spares:], *registrations]
