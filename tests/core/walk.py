"""A walk: the moves that the outside, the faults and the operator may make, and the end that every walk must come to.

A move takes its choices from a `Choose`, so that Hypothesis (which shrinks) and a seeded random number generator (which
is fast, and the same for ever) can both drive it. What must hold after each move is in `tests.core.laws`.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from msgspec.structs import replace

from krs.core import actions
from krs.core import commands as c
from krs.core import facts as f
from krs.core.deadline import next_deadline
from krs.core.model import Cloud, Instant, JobId, World
from krs.core.policy import Policy, PoolRule
from krs.core.state import UNTOLD, is_busy, is_up
from krs.core.views import DrainBody, ExtendBody, KillBody, StartBody
from krs.core.vocabulary import JobState, Lifecycle, Reason
from tests.core.answers import perform, refuse
from tests.core.build import POLICY, T0
from tests.core.outside import API, SMALL, SMALL_LINUX, WAS, WEB, Job, Outside, Service
from tests.core.scheduler import Scheduler

POOLS = ((API, SMALL), (API, SMALL_LINUX), (API, WAS), (WEB, SMALL))
JOBS = 25
"""Jobs in one walk, so that it can end."""
WAS_ALONE = PoolRule(label="koyeb-was-*", lifecycle=Lifecycle.EPHEMERAL, maximum=2, min_idle=0, ttl=300.0)
HOUSES: tuple[dict[str, object], ...] = (
    {},
    {"lifecycle": Lifecycle.EPHEMERAL},
    {"min_idle": 1},
    {"lifecycle": Lifecycle.EPHEMERAL, "min_idle": 1},
    {"rules": (WAS_ALONE,)},
    {"rules": (WAS_ALONE,), "lifecycle": Lifecycle.EPHEMERAL, "ttl": 300.0},
    {"creates_per_hour": 3, "max_age": 3600.0},
    {"max_hourly_cost": 0.025, "rules": (PoolRule(label="koyeb-fra-*", maximum=2),)},
)
"""What an operator may have configured."""


class Choose(Protocol):
    """Where choices come from."""

    def __call__(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""


class Walk:
    """The outside, the schedulers on it, and what was done to them."""

    def __init__(self, house: int, net: float) -> None:
        common = {"max_per_pool": 3, "max_total": 5, "ttl": 1800.0}
        self.policy: Policy = replace(POLICY, **(common | HOUSES[house]))
        self.outside = Outside(T0, net)
        self.schedulers = [Scheduler(self.policy, self.outside)]
        self.stores = 1
        """How many stores there ever were at a time: each keeps the limits by itself."""
        self.troubles = 0
        """Faults and orders each of which may cost one more runner."""
        self.honest = True
        """Whether no list omitted a service and no disk was lost: then services being deleted are counted too."""
        self.slow: set[object] = set()
        """Services that did not come online in time, and jobs of whose start krs was not told in time."""
        self.aged: set[str] = set()
        """Services that their maximum age ended before they had done what they were bought for."""
        self.guarded: set[JobId] = set()
        """Running jobs whose runner krs could have kept from Koyeb's net."""
        self.kills = 0
        """How often a process was killed."""
        self._turns = 0

    @property
    def now(self) -> float:
        """The true time."""
        return self.outside.now

    def turns(self) -> int:
        """How many turns all schedulers took."""
        return self._turns + sum(scheduler.turns for scheduler in self.schedulers)

    def end(self, scheduler: Scheduler) -> None:
        """A process ends for good."""
        self._turns += scheduler.turns
        self.schedulers.remove(scheduler)

    def any(self, choose: Choose) -> Scheduler:
        """One of the schedulers."""
        return self.schedulers[choose(len(self.schedulers))]

    def _command(self, choose: Choose) -> tuple[Scheduler, c.Command | None]:
        scheduler = self.any(choose)
        return scheduler, scheduler.take(choose(1 + len(scheduler.pending)))

    def _service(self, choose: Choose) -> Service | None:
        found = self.outside.ours()
        return found[choose(len(found))] if found else None

    def turn(self) -> None:
        """Every scheduler wakes."""
        for scheduler in self.schedulers:
            scheduler.hear()

    # --- the outside ---

    def queue(self, choose: Choose) -> None:
        """A job is queued."""
        if len(self.outside.jobs) < JOBS:
            self.outside.queue(*POOLS[choose(len(POOLS))])

    def boot(self, choose: Choose) -> None:
        """A container comes up."""
        if (service := self._service(choose)) is not None:
            self.outside.boot(service)

    def assign(self, choose: Choose) -> None:
        """GitHub gives a queued job to any matching runner, whoever it was started for."""
        queued = self.outside.queued()
        if queued:
            self._assign(queued[choose(len(queued))], choose)

    def _assign(self, job: Job, choose: Choose) -> None:
        free = self.outside.candidates(job)
        if free:
            service = free[choose(len(free))]
            self.troubles += service.labels != job.labels
            self.outside.give(job, service)

    def finish(self, choose: Choose) -> None:
        """A running job ends."""
        running = self.outside.running()
        if running:
            self.outside.finish(running[choose(len(running))])

    def cancel(self, choose: Choose) -> None:
        """A queued job is withdrawn."""
        queued = self.outside.queued()
        if queued:
            self.outside.end(queued[choose(len(queued))])

    def settle(self, choose: Choose) -> None:
        """Koyeb ends a deletion."""
        if (service := self._service(choose)) is not None:
            self.outside.settle(service.name)

    def wait(self, choose: Choose) -> None:
        """Time passes: nothing, seconds, minutes, an hour, or until the next deadline."""
        steps = (0.0, 1.0, 30.0, 95.0, 400.0, 1800.0, 3600.0)
        number = choose(2 * len(steps))
        self.pass_time(steps[number] if number < len(steps) else self._to_deadline())

    def _to_deadline(self) -> float:
        instant = Instant(self.now)
        return min(next_deadline(s.world, instant, self.policy) for s in self.schedulers) - self.now

    def pass_time(self, seconds: float) -> None:
        """Time passes, and every scheduler wakes."""
        before = len(self.outside.ours())
        self.guarded = {job for scheduler in self.schedulers for job in self._guarded(scheduler)}
        self.outside.now += min(seconds, 3600.0)
        self.outside.expire()
        self.troubles += before - len(self.outside.ours())
        late = self.now - self.policy.boot_timeout
        self.slow |= {s.id for s in self.outside.ours() if s.created_at <= late and not (s.online or s.used)}
        self.slow |= {job.id for job in self.outside.jobs.values() if self._untold(job)}
        self.aged |= {service.id for service in self.outside.ours() if self._aged(service)}
        self.turn()

    def _untold(self, job: Job) -> bool:
        known = [scheduler.world.jobs.get(job.id) for scheduler in self.schedulers]
        late = job.started_at is not None and job.started_at + UNTOLD <= self.now
        return late and any(row is not None and row.state is JobState.QUEUED for row in known)

    def _aged(self, service: Service) -> bool:
        """Whether it came to its maximum age with what it was bought for still to do: a job, or to be a warm spare."""
        spares = self.policy.terms(service.labels[0], service.scope).min_idle
        return service.created_at + self.policy.max_age <= self.now and not (service.used and not spares)

    def _guarded(self, scheduler: Scheduler) -> Iterator[JobId]:
        for runner in scheduler.world.runners.values():
            free = runner.op is None and runner.not_before <= self.now and not runner.force
            service = self.outside.services.get(runner.name)
            if service is not None and service.job is not None and is_up(runner) and is_busy(runner) and free:
                yield service.job

    # --- deliveries and commands, well or badly ---

    def deliver(self, choose: Choose) -> None:
        """A delivery arrives: in any order, once, twice, or once more later."""
        waiting = self.outside.deliveries
        if not waiting:
            return
        index, times = choose(len(waiting)), (1, 1, 2)[choose(3)]
        fact = waiting[index] if choose(4) == 0 else waiting.pop(index)
        moved_on = self.outside.jobs[fact.id].state is not fact.state
        self.troubles += moved_on and fact.state is JobState.QUEUED
        self.any(choose).hear(*[fact] * times)

    def lose(self, choose: Choose) -> None:
        """A delivery never arrives."""
        if self.outside.deliveries:
            self.outside.deliveries.pop(choose(len(self.outside.deliveries)))
            self.troubles += 1

    def perform(self, choose: Choose) -> None:
        """A command is carried out and answered."""
        scheduler, command = self._command(choose)
        if command is not None:
            scheduler.hear(*perform(self.outside, command))

    def perform_unanswered(self, choose: Choose) -> None:
        """A command is carried out, its answer lost."""
        _, command = self._command(choose)
        if command is not None:
            perform(self.outside, command)

    def perform_answered_late(self, choose: Choose) -> None:
        """A command is carried out, its answer comes later (stale lists among them)."""
        scheduler, command = self._command(choose)
        if command is not None:
            scheduler.late += [(command, fact) for fact in perform(self.outside, command)]

    def answer_late(self, choose: Choose) -> None:
        """A late answer arrives."""
        scheduler = self.any(choose)
        if scheduler.late:
            scheduler.hear_late(choose(len(scheduler.late)))

    def perform_with_omissions(self, choose: Choose) -> None:
        """A list comes without some rows; only a fresh disk's first list, all that it will ever know, is complete."""
        scheduler, command = self._command(choose)
        if command is None:
            return
        rows = sorted(self.outside.registrations)
        omitted = {name for name in rows if choose(2)}
        if isinstance(command, c.ListServices):
            fresh = scheduler.world.koyeb.answered_at is None and not scheduler.world.runners
            omitted = set() if fresh else {name for name in sorted(self.outside.services) if choose(2)}
            self.honest = False
        self.troubles += len(omitted)
        scheduler.hear(*perform(self.outside, command, omitted))

    def refuse(self, choose: Choose) -> None:
        """A command fails before it did anything."""
        scheduler, command = self._command(choose)
        if command is not None:
            reasons = (Reason.UNREACHED, Reason.THROTTLED, Reason.UNKNOWN, Reason.QUOTA, Reason.REFUSED)
            stage = ("github", "koyeb")[choose(2)]
            if isinstance(command, c.ListRegistrations | c.ObserveRunner):
                self.troubles += len(self.outside.ours())  # unseen for long, they count as never come up
            scheduler.hear(*refuse(command, reasons[choose(len(reasons))], stage))

    def deny(self, choose: Choose) -> None:
        """GitHub says that the token may not see a scope's runners."""
        scheduler = self.any(choose)
        scope = (API, WEB)[choose(2)]
        self.troubles += len(self.outside.ours())
        scheduler.hear(f.GithubFailed(scope=scope, message="no", denied=True))

    def calm(self, choose: Choose) -> None:
        """For a moment all goes well: what is under way is done, answered, booted and told."""
        for scheduler in self.schedulers:
            scheduler.hear(*self.outside.deliveries)
            for command in scheduler.take_all():
                scheduler.hear(*perform(self.outside, command))
        self.outside.deliveries.clear()
        for service in self.outside.ours():
            self.outside.boot(service)
            self.outside.settle(service.name)

    # --- lies and losses ---

    def stillborn(self, choose: Choose) -> None:
        """A container will never come up."""
        if (service := self._service(choose)) is not None and not service.online:
            service.boots = False
            self.troubles += 1

    def lie(self, choose: Choose) -> None:
        """GitHub's busy flag of a runner is late, or wrong either way, for a while; DELETE follows the flag."""
        if (service := self._service(choose)) is not None:
            seconds = (60.0, 600.0, 3600.0)[choose(3)]
            self.outside.lies[service.name] = (bool(choose(2)), self.now + seconds)
            self.troubles += 2

    def vanish(self, choose: Choose) -> None:
        """Somebody deletes a service in Koyeb's console, or its host dies."""
        if (service := self._service(choose)) is not None:
            self.troubles += 1
            self.outside.vanish(service, "stranger")

    def unregister(self, choose: Choose) -> None:
        """A registration vanishes at GitHub."""
        if (service := self._service(choose)) is not None and service.job is None:
            self.troubles += 1
            self.outside.registrations.pop(service.name, None)
            service.online, service.used = False, True

    def crash(self, choose: Choose) -> None:
        """A process dies and starts again from its disk."""
        self.kills += 1
        self.any(choose).crash()

    def lose_disk(self, choose: Choose) -> None:
        """A process moves to a fresh disk. It may buy again for what it cannot know of."""
        self.honest = False
        self.troubles += 1 + len(self.outside.ours())
        self.kills += 1
        self.any(choose).lose_disk()

    def overlap(self, choose: Choose) -> None:
        """A redeploy: a second process with a store of its own starts on the same app; or the first ends."""
        if self.stores == 1:
            self.stores = 2
            for service in self.outside.ours():
                service.unwary = False
            self.schedulers.append(Scheduler(self.policy, self.outside))
        elif len(self.schedulers) == 2:
            self.end(self.any(choose))

    # --- the operator ---

    def drain(self, choose: Choose) -> None:
        """An operator drains a runner, or takes that back."""
        body = DrainBody(cancel=not choose(3))
        self._order(choose, lambda world, name: actions.drain(world, name, body, ""))

    def kill(self, choose: Choose) -> None:
        """An operator kills a runner, with force or without."""
        body = KillBody(force=not choose(3))
        self._order(choose, lambda world, name: actions.kill(world, name, body, ""))

    def extend(self, choose: Choose) -> None:
        """An operator holds a runner, for an hour or for ten, or lifts the hold."""
        body = ExtendBody(until=(0.0, self.now + 3600.0, self.now + 36_000.0)[choose(3)])
        now = Instant(self.now)
        self._order(choose, lambda world, name: actions.extend(world, name, body, "", now, self.policy))

    def _order(self, choose: Choose, check: Callable[[World, str], f.Fact | actions.Refusal]) -> None:
        scheduler = self.any(choose)
        names = sorted(scheduler.world.runners)
        if names:
            name = names[choose(len(names))]
            self.troubles += 1
            scheduler.ask(lambda world, _now, _policy: check(world, name))

    def start(self, choose: Choose) -> None:
        """An operator starts a runner."""
        scope, labels = POOLS[choose(len(POOLS))]
        self.troubles += 1
        body = StartBody(label=labels[0], scope=scope)
        self.any(choose).ask(lambda world, now, policy: actions.start(world, body, "", now, policy))

    def pause(self, choose: Choose) -> None:
        """An operator pauses a pool, or everything; a machine that krs cannot know that it has is given up then."""
        scheduler = self.any(choose)
        pools = [None, *sorted(scheduler.world.pools)]
        pool = pools[choose(len(pools))]
        paused = [runner for runner in scheduler.world.runners.values() if pool in (None, runner.pool)]
        self.troubles += sum(runner.cloud is Cloud.NONE and runner.attempts > 0 for runner in paused)
        scheduler.hear(f.PauseAsked(pool=pool))

    def resume(self, choose: Choose) -> None:
        """An operator resumes a pool, or everything."""
        scheduler = self.any(choose)
        pools = [None, *sorted(scheduler.world.pools)]
        scheduler.hear(f.ResumeAsked(pool=pools[choose(len(pools))]))


Move = Callable[[Walk, Choose], None]

ORDINARY: tuple[Move, ...] = (
    Walk.queue, Walk.deliver, Walk.perform, Walk.boot, Walk.assign, Walk.finish, Walk.wait, Walk.settle, Walk.calm,
)  # fmt: skip
FAULTS: tuple[Move, ...] = (
    Walk.cancel, Walk.lose, Walk.perform_unanswered, Walk.perform_answered_late, Walk.answer_late,
    Walk.perform_with_omissions, Walk.refuse, Walk.deny, Walk.stillborn, Walk.lie, Walk.vanish, Walk.unregister,
    Walk.crash, Walk.lose_disk, Walk.overlap, Walk.drain, Walk.kill, Walk.extend, Walk.start, Walk.pause, Walk.resume,
)  # fmt: skip
