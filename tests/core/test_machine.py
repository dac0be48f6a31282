"""The core against an outside world whose truth it cannot see; the rules of the machine are the faults."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from krs.core.absorb import absorb
from krs.core.commands import Command, CreateRunner, DeleteRunner
from krs.core.deadline import next_deadline
from krs.core.decide import decide
from krs.core.facts import CreateFailed, DeleteFailed, Fact, KoyebFailed, ServicesListed
from krs.core.model import NEVER, Instant, Name, World
from krs.core.vocabulary import JobState, Lifecycle, Reason
from tests.core.build import POLICY, T0
from tests.core.outside import Outside, Service

LABELS = ("koyeb-fra-small", "koyeb-was-small")
MAXIMUM = 3


class Machine(RuleBasedStateMachine):
    """Drives the real core; `disk` is what survives a crash."""

    def __init__(self) -> None:
        super().__init__()
        self.outside = Outside(T0)
        self.world = World()
        self.disk = World()
        self.pending: list[Command] = []
        self.late: list[Fact] = []
        self.policy = POLICY

    @initialize(lifecycle=st.sampled_from(Lifecycle), min_idle=st.sampled_from([0, 0, 1]))
    def configure(self, lifecycle: Lifecycle, min_idle: int) -> None:
        """Reusable or ephemeral runners, warm spares or none."""
        self.policy = replace(
            POLICY, lifecycle=lifecycle, min_idle=min_idle, max_per_pool=MAXIMUM, max_total=2 * MAXIMUM - 1
        )
        self.hear()

    # --- how krs runs ---

    def hear(self, *facts: Fact) -> None:
        """One turn."""
        now = Instant(self.outside.now)
        for fact in facts:
            self.world = absorb(self.world, fact, now, self.policy)
        self.world, commands = decide(self.world, now, self.policy)
        again, more = decide(self.world, now, self.policy)
        assert more == (), f"decide is not at a fixed point: {more}"
        assert again == self.world
        self.world = replace(self.world, news=())
        self.disk = replace(self.world, koyeb=World().koyeb, github={}, foreign={})
        self.pending += commands

    def take(self, data: st.DataObject) -> Command | None:
        """One of the commands in flight; those past their time are dropped, as the executor does."""
        self.pending = [command for command in self.pending if command.expires > self.outside.now]
        if not self.pending:
            return None
        return self.pending.pop(data.draw(st.integers(0, len(self.pending) - 1)))

    # --- the faults ---

    @rule(label=st.sampled_from(LABELS))
    def queue(self, label: str) -> None:
        """A job is queued."""
        if len(self.outside.jobs) < 25:
            self.outside.queue(label)

    @rule(data=st.data(), times=st.sampled_from([1, 1, 2]), keep=st.booleans())
    def deliver(self, data: st.DataObject, times: int, keep: bool) -> None:
        """A delivery arrives: in any order, once, twice, or again later."""
        if self.outside.deliveries:
            index = data.draw(st.integers(0, len(self.outside.deliveries) - 1))
            fact = self.outside.deliveries[index] if keep else self.outside.deliveries.pop(index)
            for _ in range(times):
                self.hear(fact)

    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """A delivery never arrives."""
        if self.outside.deliveries:
            self.outside.deliveries.pop(data.draw(st.integers(0, len(self.outside.deliveries) - 1)))

    @rule(data=st.data())
    def perform(self, data: st.DataObject) -> None:
        """A command is carried out and answered."""
        command = self.take(data)
        if command is not None:
            self.hear(*self.outside.perform(command))

    @rule(data=st.data())
    def perform_unanswered(self, data: st.DataObject) -> None:
        """A command is carried out, its answer lost."""
        command = self.take(data)
        if command is not None:
            tuple(self.outside.perform(command))

    @rule(data=st.data())
    def perform_answered_late(self, data: st.DataObject) -> None:
        """A command is carried out, its answer comes later (stale lists among them)."""
        command = self.take(data)
        if command is not None:
            self.late += self.outside.perform(command)

    @rule()
    def answer_late(self) -> None:
        """The oldest late answer arrives."""
        if self.late:
            self.hear(self.late.pop(0))

    @rule(data=st.data(), reason=st.sampled_from([Reason.UNREACHED, Reason.THROTTLED, Reason.UNKNOWN, Reason.QUOTA]))
    def fail(self, data: st.DataObject, reason: Reason) -> None:
        """A command fails before it did anything."""
        match self.take(data):
            case CreateRunner() as command:
                self.hear(CreateFailed(name=command.name, reason=reason, message="no"))
            case DeleteRunner() as command:
                self.hear(DeleteFailed(name=command.name, reason=reason, message="no", stage="github"))
            case None:
                pass
            case _:
                self.hear(KoyebFailed(message="no"))

    @rule()
    def omit(self) -> None:
        """Koyeb's list omits everything (absence from one list proves nothing)."""
        self.hear(ServicesListed(asked_at=Instant(self.outside.now), services=()))

    @rule(data=st.data())
    def boot(self, data: st.DataObject) -> None:
        """A container comes up, and GitHub hands out jobs."""
        if self.outside.services:
            self.outside.boot(data.draw(st.sampled_from(sorted(self.outside.services))))
            self.outside.assign()

    @rule(data=st.data(), cancel=st.booleans())
    def finish(self, data: st.DataObject, cancel: bool) -> None:
        """A job ends, or is cancelled before it began."""
        if self.outside.jobs:
            key = data.draw(st.sampled_from(sorted(self.outside.jobs)))
            (self.outside.cancel if cancel else self.outside.finish)(key)
            self.outside.assign()

    @rule(data=st.data())
    @precondition(lambda self: self.outside.services)
    def vanish(self, data: st.DataObject) -> None:
        """Somebody deletes an idle service in Koyeb's console."""
        name = data.draw(st.sampled_from(sorted(self.outside.services)))
        if self.outside.services[name].job is None:
            self.outside.vanish(name, killing=False)

    @rule(seconds=st.sampled_from([0.0, 1.0, 30.0, 95.0, 400.0, 1800.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.outside.now += seconds
        self.outside.expire()
        self.outside.assign()
        self.hear()

    @rule()
    def crash(self) -> None:
        """The process dies: memory and what was in flight are gone, the disk is kept."""
        self.world, self.pending, self.late = self.disk, [], []
        self.hear()

    @rule()
    def lose_disk(self) -> None:
        """The process moves to a fresh disk: only Koyeb and GitHub remember."""
        self.world = self.disk = World()
        self.pending, self.late = [], []
        self.hear()

    # --- what always holds, of the outside ---

    @invariant()
    def no_job_is_killed(self) -> None:
        """No running job dies by our hand."""
        assert self.outside.killed == []

    @invariant()
    def no_pool_is_above_its_maximum(self) -> None:
        """Money: services per pool, in the real cloud, never exceed the maximum."""
        for label in LABELS:
            alive = sum(service.label == label for service in self.outside.services.values())
            assert alive <= MAXIMUM, f"{alive} services of {label}"

    # --- and what must come in the end ---

    def teardown(self) -> None:
        """Every fault ends; undelivered webhooks stay lost. All known jobs end, and nothing is left but the spares."""
        self.crash()
        for _ in range(600):
            self._settle()
            step = next_deadline(self.world, Instant(self.outside.now), self.policy)
            self.outside.now = min(step, self.outside.now + 1800.0) if step < NEVER else self.outside.now + 1800.0
            self.outside.expire()
            self.hear()
            if self._quiet():
                break
        self._check_the_end()

    def _settle(self) -> None:
        """Answer everything at once; machines boot, jobs run and end."""
        for _ in range(200):
            self.pending = [command for command in self.pending if command.expires > self.outside.now]
            for name in tuple(self.outside.services):
                self.outside.boot(name)
            self.outside.assign()
            for key, job in tuple(self.outside.jobs.items()):
                if job.state is JobState.RUNNING:
                    self.outside.finish(key)
                    if self._known(key):
                        self.hear(self.outside.fact(self.outside.jobs[key]))
            if not self.pending:
                return
            self.hear(*self.outside.perform(self.pending.pop(0)))

    def _known(self, key: int) -> bool:
        return key in self.world.jobs

    def _quiet(self) -> bool:
        open_jobs = [job for job in self.world.jobs.values() if job.state is not JobState.DONE]
        spares = len(self.world.pools) * self.policy.min_idle
        busy = [service for service in self.outside.services.values() if service.job is not None]
        return not open_jobs and not busy and len(self.outside.services) <= spares

    def _check_the_end(self) -> None:
        open_jobs = [job for job in self.world.jobs.values() if job.state is not JobState.DONE]
        assert not open_jobs, f"never served: {open_jobs}"
        left = set(self.outside.services)
        pools = len(self.world.pools)
        assert len(left) <= pools * self.policy.min_idle, f"left behind: {left}"


FAST: dict[str, Any] = {"max_examples": 60, "stateful_step_count": 40}
TestMachine = Machine.TestCase
TestMachine.settings = settings(
    **FAST, deadline=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck), derandomize=True
)


def test_the_machine_can_see_a_killed_job() -> None:
    """The invariant bites: a deletion of a busy service is noticed."""
    outside = Outside(T0)
    key = outside.queue(LABELS[0])
    name = Name("runner-fra-small-1")
    outside.services[name] = Service(name, LABELS[0], T0, T0 + 86_400, Lifecycle.REUSABLE)
    outside.boot(name)
    outside.assign()
    outside.vanish(name, killing=True)
    assert outside.killed == [key]
