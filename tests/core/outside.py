"""The world outside krs: the truth about services, registrations and jobs, which krs sees only in glimpses.

Deterministic: every choice is made by the caller. Nothing here looks at krs's own state; what krs is told of it is
written in `tests.core.answers`.
"""

from dataclasses import dataclass, field

from krs.core import facts as f
from krs.core.model import Instant, JobId, Name, Scope
from krs.core.vocabulary import JobState, Lifecycle
from tests.core.build import job as job_fact

API, WEB = Scope("acme/api"), Scope("acme/web")
SMALL, SMALL_LINUX, WAS = ("koyeb-fra-small",), ("koyeb-fra-small", "linux"), ("koyeb-was-small",)

FIRST_JOB = 57_000_000_000
"""Job ids are as long as GitHub's are, so that names are too."""
STRANGERS = (Name("database"), Name("runner-fra-small-z9z9z9"))
"""Services of others in our app; the second is a runner of another controller."""
BUILDER = Name("build-machine-7")
"""A runner of others that never was at Koyeb, and is offline for ever."""


@dataclass
class Service:
    """A machine that costs money."""

    name: Name
    id: str
    scope: Scope
    labels: tuple[str, ...]
    created_at: float
    deletes_at: float
    lifecycle: Lifecycle = Lifecycle.REUSABLE
    ours: bool = True
    boots: bool = True
    online: bool = False
    job: JobId | None = None
    used: bool = False
    deleting: bool = False
    unwary: bool = False
    """Made without a look at how many there are, while another store may have made some."""


@dataclass
class Registration:
    """What GitHub keeps of a runner."""

    id: int
    name: Name
    scope: Scope
    labels: tuple[str, ...]


@dataclass
class Job:
    """A job at GitHub."""

    id: JobId
    scope: Scope
    labels: tuple[str, ...]
    at: float
    queued_at: float
    state: JobState = JobState.QUEUED
    runner: Name | None = None
    started_at: float | None = None
    killed: bool = False


@dataclass
class Outside:
    """The truth. `now` is moved by the caller; `net` is how long Koyeb lets a service live by itself, in seconds."""

    now: float
    net: float = 86_400.0
    services: dict[Name, Service] = field(default_factory=dict)
    jobs: dict[JobId, Job] = field(default_factory=dict)
    registrations: dict[Name, Registration] = field(default_factory=dict)
    deliveries: list[f.JobFact] = field(default_factory=list)
    created: list[float] = field(default_factory=list)
    killed: list[tuple[JobId, str]] = field(default_factory=list)
    """Jobs that died with their machine, and by whose hand."""
    lies: dict[Name, tuple[bool, float]] = field(default_factory=dict)
    """What GitHub's busy flag of a runner shows in place of the truth, and until when."""
    _numbers: int = 0

    def __post_init__(self) -> None:
        for name in STRANGERS:
            self.services[name] = Service(name, f"id-{name}", API, SMALL, self.now, float("inf"), ours=False)
        for name in (*STRANGERS, BUILDER):
            self.registrations[name] = Registration(self.number(), name, API, ("gpu",))

    def number(self) -> int:
        """A number that was never given before."""
        self._numbers += 1
        return self._numbers

    def ours(self) -> list[Service]:
        """The services that krs pays for, in the order of their names."""
        return sorted((service for service in self.services.values() if service.ours), key=lambda s: s.name)

    # --- jobs ---

    def queue(self, scope: Scope, labels: tuple[str, ...]) -> Job:
        """Somebody pushes."""
        job = Job(JobId(FIRST_JOB + len(self.jobs)), scope, labels, self.now, self.now)
        self.jobs[job.id] = job
        self.announce(job)
        return job

    def announce(self, job: Job) -> None:
        """GitHub sends a delivery, which may or may not arrive."""
        self.deliveries.append(self.fact(job))

    def fact(self, job: Job) -> f.JobFact:
        """What GitHub says of a job now."""
        done = job.state is JobState.DONE
        return job_fact(
            job.id,
            job.state,
            repo=job.scope,
            labels=job.labels,
            at=Instant(job.at),
            queued_at=Instant(job.queued_at),
            runner=job.runner,
            ended_at=Instant(job.at) if done else None,
            conclusion=("cancelled" if job.killed else "success") if done else None,
            killed=job.killed,
        )

    def candidates(self, job: Job) -> list[Service]:
        """The runners to which GitHub may give a job: any idle one of its scope with all its labels."""
        return [service for service in self.ours() if self._takes(service, job)]

    def _takes(self, service: Service, job: Job) -> bool:
        spent = service.used and service.lifecycle is Lifecycle.EPHEMERAL
        free = service.online and service.name in self.registrations and service.job is None and not spent
        return free and service.scope == job.scope and set(job.labels) <= set(service.labels)

    def give(self, job: Job, service: Service) -> None:
        """A queued job begins on a runner."""
        service.job, service.used = job.id, True
        job.state, job.runner, job.at = JobState.RUNNING, service.name, self.now
        job.started_at = self.now
        self.announce(job)

    def finish(self, job: Job) -> None:
        """A running job ends; an ephemeral runner's process ends with it, its container stays."""
        service = self.services.get(job.runner) if job.runner else None
        if service is not None and service.job == job.id:
            service.job = None
            if service.lifecycle is Lifecycle.EPHEMERAL:
                service.online = False
                self.registrations.pop(service.name, None)
        self.end(job)

    def end(self, job: Job) -> None:
        """A job is over, whatever it was doing."""
        job.state, job.at = JobState.DONE, self.now
        self.announce(job)

    def running(self) -> list[Job]:
        """The jobs that run."""
        return [job for job in self.jobs.values() if job.state is JobState.RUNNING]

    def queued(self) -> list[Job]:
        """The jobs that wait."""
        return [job for job in self.jobs.values() if job.state is JobState.QUEUED]

    # --- machines ---

    def create(self, service: Service) -> None:
        """Koyeb starts a machine."""
        self.created.append(self.now)
        self.services[service.name] = service

    def boot(self, service: Service) -> None:
        """A container comes up and registers; a container that did so once does not do so again."""
        if service.boots and not service.online and not service.used and not service.deleting:
            service.online = True
            self.registrations[service.name] = Registration(self.number(), service.name, service.scope, service.labels)

    def stop(self, service: Service, by: str) -> None:
        """A machine stops; a job on it dies with it."""
        service.online = False
        if service.job is None:
            return
        job = self.jobs[service.job]
        service.job, job.killed = None, True
        self.killed.append((job.id, by))
        self.end(job)

    def vanish(self, service: Service, by: str) -> None:
        """A machine goes at once, by another hand than ours."""
        self.services.pop(service.name, None)
        self.stop(service, by)

    def expire(self) -> None:
        """Koyeb's own net: services past their life cycle go. What GitHub's busy flag hid comes to light."""
        for service in self.ours():
            if service.deletes_at <= self.now:
                self.vanish(service, "net")
        self.lies = {name: lie for name, lie in self.lies.items() if lie[1] > self.now}

    def settle(self, name: Name) -> None:
        """Koyeb ends a deletion that it began."""
        if self.services[name].deleting:
            del self.services[name]

    def observed(self, name: Name) -> f.Observed:
        """What GitHub shows of a registration, true or not."""
        if name not in self.registrations:
            return f.Observed.ABSENT
        service = self.services.get(name)
        busy = service is not None and service.job is not None
        if self.lies[name][0] if name in self.lies else busy:
            return f.Observed.BUSY
        return f.Observed.IDLE if service is not None and service.online else f.Observed.OFFLINE
