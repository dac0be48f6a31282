"""The world outside krs: the truth about services, registrations and jobs, which krs sees only in glimpses.

Deterministic: every choice is made by the caller. Nothing here looks at krs's own state.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from krs.core import commands as c
from krs.core import facts as f
from krs.core.model import Instant, JobId, Name, Scope
from krs.core.vocabulary import JobState, Lifecycle, Reason
from tests.core.build import job as job_fact

SCOPE = Scope("acme/api")


@dataclass
class Service:
    """A machine that costs money."""

    name: Name
    label: str
    created_at: float
    deletes_at: float
    lifecycle: Lifecycle
    online: bool = False
    registered: bool = False
    job: JobId | None = None
    used: bool = False
    dead: bool = False


@dataclass
class Job:
    """A job at GitHub."""

    id: JobId
    label: str
    state: JobState = JobState.QUEUED
    runner: Name | None = None
    at: float = 0.0
    killed: bool = False


@dataclass
class Outside:
    """The truth. `now` is moved by the caller."""

    now: float
    services: dict[Name, Service] = field(default_factory=dict)
    jobs: dict[JobId, Job] = field(default_factory=dict)
    deliveries: list[f.JobFact] = field(default_factory=list)
    registrations: dict[Name, int] = field(default_factory=dict)
    killed: list[JobId] = field(default_factory=list)
    created: int = 0

    def queue(self, label: str) -> JobId:
        """Somebody pushes."""
        key = JobId(len(self.jobs) + 1)
        self.jobs[key] = Job(key, label, at=self.now)
        self._announce(self.jobs[key])
        return key

    def _announce(self, job: Job) -> None:
        self.deliveries.append(self.fact(job))

    def fact(self, job: Job) -> f.JobFact:
        """What GitHub says of a job now."""
        return job_fact(
            job.id,
            job.state,
            labels=(job.label,),
            at=Instant(job.at),
            queued_at=Instant(0.0),
            runner=job.runner,
            ended_at=Instant(job.at) if job.state is JobState.DONE else None,
            conclusion=("cancelled" if job.killed else "success") if job.state is JobState.DONE else None,
            killed=job.killed,
        )

    def boot(self, name: Name) -> None:
        """A container comes up and registers."""
        service = self.services.get(name)
        if service is not None and not service.dead and not service.online:
            service.online = service.registered = True
            self.registrations[name] = len(self.registrations) + 1

    def assign(self) -> None:
        """GitHub gives queued jobs to idle runners, any matching one."""
        for job in self.jobs.values():
            if job.state is JobState.QUEUED:
                self._assign(job)

    def _assign(self, job: Job) -> None:
        for service in self.services.values():
            free = service.online and service.registered and service.job is None
            if free and service.label == job.label and not (service.used and service.lifecycle is Lifecycle.EPHEMERAL):
                service.job, service.used = job.id, True
                job.state, job.runner, job.at = JobState.RUNNING, service.name, self.now
                self._announce(job)
                return

    def finish(self, key: JobId) -> None:
        """A running job ends."""
        job = self.jobs[key]
        if job.state is not JobState.RUNNING or job.runner is None:
            return
        service = self.services.get(job.runner)
        if service is not None:
            service.job = None
            if service.lifecycle is Lifecycle.EPHEMERAL:
                service.registered = service.online = False
                service.dead = True
                self.registrations.pop(service.name, None)
        job.state, job.at = JobState.DONE, self.now
        self._announce(job)

    def cancel(self, key: JobId) -> None:
        """A queued job is withdrawn."""
        job = self.jobs[key]
        if job.state is JobState.QUEUED:
            job.state, job.at = JobState.DONE, self.now
            self._announce(job)

    def vanish(self, name: Name, *, killing: bool) -> None:
        """A machine goes; a job on it dies with it."""
        service = self.services.pop(name, None)
        if service is None or service.job is None:
            return
        job = self.jobs[service.job]
        job.state, job.at, job.killed = JobState.DONE, self.now, True
        if killing:
            self.killed.append(job.id)
        self._announce(job)

    def expire(self) -> None:
        """Koyeb's own net: services past their life cycle go."""
        for name in [name for name, service in self.services.items() if service.deletes_at <= self.now]:
            self.vanish(name, killing=True)

    def perform(self, command: c.Command) -> Iterable[f.Fact]:  # noqa: C901 - one row a command
        """What a command does, and its true answer."""
        match command:
            case c.CreateRunner():
                return self._create(command)
            case c.DeleteRunner():
                return self._delete(command)
            case c.ListServices():
                return (self.list_services(command),)
            case c.ListRegistrations():
                return (self.list_registrations(command.scope),)
            case c.ObserveRunner():
                return (self._observe(command),)
            case c.LookUpService():
                found = self.services.get(command.name)
                seen = self._seen(found) if found else None
                return (f.ServiceFound(name=command.name, asked_at=Instant(self.now), service=seen),)
            case c.CheckJob():
                known = self.jobs.get(command.id)
                return (self.fact(known) if known else f.JobGone(id=command.id),)
            case c.ProtectRunner():
                service = self.services.get(command.name)
                if service is not None:
                    service.deletes_at = command.deletes_at
                return (f.Protected(name=command.name, deletes_at=command.deletes_at),)
            case c.RemoveRegistration():
                service = self.services.get(command.name)
                busy = service is not None and service.job is not None
                if not busy:
                    self.registrations.pop(command.name, None)
                return (f.RegistrationRemoved(scope=command.scope, name=command.name, id=command.id, busy=busy),)

    def _create(self, command: c.CreateRunner) -> Iterable[f.Fact]:
        found = command.name in self.services
        if not found:
            self.created += 1
            self.services[command.name] = Service(
                command.name, command.labels[0], self.now, self.now + 86_400, command.lifecycle
            )
        service = self.services[command.name]
        return (
            f.RunnerCreated(
                name=service.name,
                service_id=f"id-{service.name}",
                created_at=Instant(service.created_at),
                deletes_at=Instant(service.deletes_at),
                found=found,
            ),
        )

    def _delete(self, command: c.DeleteRunner) -> Iterable[f.Fact]:
        service = self.services.get(command.name)
        if command.deregister:
            if service is not None and service.job is not None and not command.force:
                return (f.DeleteFailed(name=command.name, reason=Reason.BUSY, message="busy", stage="github"),)
            self.registrations.pop(command.name, None)
            if service is not None:
                service.registered = False
        self.vanish(command.name, killing=not command.force)
        return (f.DeleteAccepted(name=command.name, gone=service is None, deregistered=command.deregister),)

    def _seen(self, service: Service) -> f.ServiceSeen:
        return f.ServiceSeen(
            id=f"id-{service.name}",
            name=service.name,
            status="HEALTHY",
            created_at=Instant(service.created_at),
            deletes_at=Instant(service.deletes_at),
        )

    def list_services(self, command: c.ListServices) -> f.ServicesListed:
        """Koyeb's list now; what krs did not know can be adopted."""
        return f.ServicesListed(
            asked_at=Instant(self.now),
            services=tuple(self._seen(service) for service in self.services.values()),
            adoptable=tuple(
                f.Adoptable(
                    service=self._seen(service), scope=SCOPE, labels=(service.label,), lifecycle=service.lifecycle
                )
                for service in self.services.values()
                if service.name not in command.known
            ),
        )

    def list_registrations(self, scope: Scope) -> f.RegistrationsListed:
        """GitHub's list now."""
        return f.RegistrationsListed(
            scope=scope,
            asked_at=Instant(self.now),
            runners=tuple(
                f.RegistrationSeen(name=name, id=number, observed=self._observed(name), labels=(label_of(name),))
                for name, number in self.registrations.items()
            ),
        )

    def _observed(self, name: Name) -> f.Observed:
        service = self.services.get(name)
        if name not in self.registrations:
            return f.Observed.ABSENT
        if service is None or not service.online:
            return f.Observed.OFFLINE
        return f.Observed.BUSY if service.job is not None else f.Observed.IDLE

    def _observe(self, command: c.ObserveRunner) -> f.Fact:
        return f.RegistrationObserved(
            name=command.name,
            asked_at=Instant(self.now),
            observed=self._observed(command.name),
            id=self.registrations.get(command.name),
        )


def label_of(name: Name) -> str:
    """The krs label of a runner of this name."""
    return f"koyeb-{'-'.join(name.split('-')[1:3])}"
