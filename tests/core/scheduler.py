"""One krs as the daemon runs it, without its transports: a world, a disk, commands in flight, and late answers.

What must hold of the core's own answers is checked at every turn: `decide` is at a fixed point and quiet until its
next deadline, no runner and no question has two commands in flight, every command has time left, every waiting job has
a runner on the way or says why not, and beside another store no create leaves without its limit.
"""

from collections import Counter
from collections.abc import Callable

from msgspec.structs import replace

from krs.core import commands as c
from krs.core.absorb import absorb
from krs.core.actions import Refusal
from krs.core.deadline import next_deadline
from krs.core.decide import decide
from krs.core.facts import DeleteFailed, Fact, GithubFailed
from krs.core.model import Instant, Pool, World
from krs.core.policy import Policy
from krs.core.state import is_idle, is_supply
from krs.core.vocabulary import JobState, Reason
from tests.core.outside import Outside

WARY = 15 * 60.0
"""Seconds for which a store that met a runner of another has Koyeb's count looked at before each create."""

Check = Callable[[World, Instant, Policy], Fact | Refusal]


class Scheduler:
    """One process and its store."""

    def __init__(self, policy: Policy, outside: Outside) -> None:
        self.policy = policy
        self.outside = outside
        self.world = World()
        self.disk = World()
        self.pending: list[c.Command] = []
        self.late: list[tuple[c.Command, Fact]] = []
        self.overtaken: set[tuple[str, object]] = set()
        """What a late answer was about: the question asked since then is no longer known to be in flight."""
        self.wary_until = 0.0
        """Until when another store may be at work, for all that this process has met."""
        self.turns = 0
        self.hear()

    @property
    def now(self) -> Instant:
        """The time; its clock is right."""
        return Instant(self.outside.now)

    def hear(self, *facts: Fact) -> None:
        """One turn."""
        for fact in facts:
            self.world = self._absorbed(fact)
        self.world, commands = decide(self.world, self.now, self.policy)
        again, more = decide(self.world, self.now, self.policy)
        assert more == (), f"decide is not at a fixed point: {more}"
        assert again == self.world, "decide is not at a fixed point"
        self.turns += 1
        self.world = replace(self.world, news=())
        self.disk = replace(self.world, koyeb=World().koyeb, github={}, foreign={})
        self._issue(commands)
        self._nothing_is_due_early()
        self._every_waiting_job_is_accounted_for()

    def _absorbed(self, fact: Fact) -> World:
        once = absorb(self.world, fact, self.now, self.policy)
        if not isinstance(fact, DeleteFailed | GithubFailed):  # failures are counted, and answers are never doubled
            twice = absorb(once, fact, self.now, self.policy)
            assert (once.jobs, once.runners, once.pools) == (twice.jobs, twice.runners, twice.pools), f"twice: {fact}"
        if any(once.runners[name].origin is Reason.ADOPTED for name in set(once.runners) - set(self.world.runners)):
            self.wary_until = self.now + WARY
        return once

    def _issue(self, commands: tuple[c.Command, ...]) -> None:
        for command in commands:
            assert command.expires > self.now, f"came too late: {command}"
            if isinstance(command, c.CreateRunner):
                stopped = self.world.paused or self.world.pools[command.pool].paused
                operator = self.world.runners[command.name].origin is Reason.OPERATOR
                assert operator or not stopped, f"started while paused: {command}"
                most = self.policy.max_total if self.now < self.wary_until else None
                assert command.at_most == most, f"beside another store: {command}"
            if isinstance(command, c.DeleteRunner):
                self._no_known_job_is_in_danger(command)
        self.pending = [command for command in self.pending if command.expires > self.now]
        self.pending += commands
        about = Counter(map(subject, self.pending))
        self.overtaken &= set(about)
        doubled = [key for key, count in about.items() if count > 1 and key not in self.overtaken]
        assert not doubled, f"two commands in flight: {doubled}"

    def _no_known_job_is_in_danger(self, command: c.DeleteRunner) -> None:
        """Our own table vetoes: a deletion that will not ask GitHub's jobs is not for a runner whose job we know."""
        service = self.outside.services.get(command.name)
        job = self.world.jobs.get(service.job) if service is not None and service.job is not None else None
        known = job is not None and (job.state, job.runner) == (JobState.RUNNING, command.name)
        assert command.force or command.ask_jobs or not known, f"{command} although {job} runs"

    def _nothing_is_due_early(self) -> None:
        """Half-way to the next deadline nothing may be due, or the loop would sleep too long."""
        if self.turns % 2:
            return
        now = self.now
        deadline = next_deadline(self.world, now, self.policy)
        assert deadline > now
        between = Instant(now + (min(deadline, now + 7200.0) - now) / 2)
        world, commands = decide(self.world, between, self.policy)
        assert commands == (), f"due at +{between - now:.0f} s, the deadline is +{deadline - now:.0f} s: {commands}"
        assert world.runners == self.world.runners

    def _every_waiting_job_is_accounted_for(self) -> None:
        """No silent queue: jobs that wait without a reason are no more than the runners that can come for them."""
        if self.world.koyeb.answered_at is None:
            return
        for pool in self.world.pools.values():
            waiting = [job for job in self.world.jobs.values() if job.pool == pool.id and job.state is JobState.QUEUED]
            silent = sum(job.reason is None for job in waiting)
            coming = sum(
                is_supply(runner, self.now) and (runner.pool == pool.id or is_idle(runner))
                for runner in self.world.runners.values()
                if _covers(self.world.pools[runner.pool], pool)
            )
            assert silent <= coming, f"{silent} jobs of {pool.id} wait for {coming} runners, and say nothing"

    def ask(self, check: Check) -> None:
        """An operator's action, checked on the world as it is."""
        answer = check(self.world, self.now, self.policy)
        if not isinstance(answer, Refusal):
            self.hear(answer)

    def take(self, index: int) -> c.Command | None:
        """One of the commands in flight; those past their time are dropped, as the executor does."""
        self.pending = [command for command in self.pending if command.expires > self.now]
        return self.pending.pop(index % len(self.pending)) if self.pending else None

    def take_all(self) -> list[c.Command]:
        """All commands in flight that still have time."""
        taken = [command for command in self.pending if command.expires > self.now]
        self.pending = []
        return taken

    def hear_late(self, index: int) -> None:
        """One of the answers that were held back arrives."""
        command, fact = self.late.pop(index)
        if command.expires <= self.now and not isinstance(command, c.ListServices | c.ListRegistrations):
            self.overtaken.add(subject(command))
        self.hear(fact)

    def crash(self) -> None:
        """The process dies: memory and what was in flight are gone, the disk is kept."""
        self.world, self.pending, self.late, self.wary_until = self.disk, [], [], 0.0
        self.hear()

    def lose_disk(self) -> None:
        """The process moves to a fresh disk: only Koyeb and GitHub remember."""
        self.disk = World()
        self.crash()


def subject(command: c.Command) -> tuple[str, object]:
    """What a command is about; only one at a time may be in flight about it."""
    match command:
        case c.ListServices():
            return "services", ""
        case c.ListRegistrations():
            return "registrations", command.scope
        case c.CheckJob():
            return "job", command.id
        case c.RemoveRegistration():
            return "registration", command.id
        case _:
            return "runner", command.name


def _covers(supplier: Pool, pool: Pool) -> bool:
    return supplier.scope == pool.scope and set(pool.labels) <= set(supplier.labels)
