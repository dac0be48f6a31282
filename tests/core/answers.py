"""What Koyeb and GitHub do and say when krs sends them a command, as the daemon's executor would report it."""

from collections.abc import Container, Iterable

from krs.core import commands as c
from krs.core import facts as f
from krs.core.model import Instant, Name
from krs.core.names import RUNNER_PREFIX
from krs.core.vocabulary import Reason
from tests.core.outside import Outside, Registration, Service

NOBODY: frozenset[Name] = frozenset()


def perform(outside: Outside, command: c.Command, omitted: Container[Name] = NOBODY) -> tuple[f.Fact, ...]:  # noqa: C901
    """Do what a command says; its true answer, save for the rows that a list omits."""
    now = Instant(outside.now)
    match command:
        case c.CreateRunner():
            return (_create(outside, command),)
        case c.DeleteRunner():
            return _delete(outside, command)
        case c.ObserveRunner():
            found = outside.registrations.get(command.name)
            observed = outside.observed(command.name)
            return (f.RegistrationObserved(name=command.name, asked_at=now, observed=observed, id=_id(found)),)
        case c.LookUpService():
            service = outside.services.get(command.name)
            row = seen(service) if service is not None and service.id == command.service_id else None
            return (f.ServiceFound(name=command.name, asked_at=now, service=row),)
        case c.ProtectRunner():
            if (service := outside.services.get(command.name)) is not None:
                service.deletes_at = command.deletes_at
            return (f.Protected(name=command.name, deletes_at=command.deletes_at),)
        case c.CheckJob():
            job = outside.jobs.get(command.id)
            return (outside.fact(job) if job else f.JobGone(id=command.id),)
        case c.ListServices():
            return (_list_services(outside, command, omitted),)
        case c.ListRegistrations():
            return (_list_registrations(outside, command, omitted),)
        case c.RemoveRegistration():
            return (_remove_registration(outside, command),)


def refuse(command: c.Command, reason: Reason, stage: str) -> tuple[f.Fact, ...]:
    """A command fails before it did anything."""
    match command:
        case c.CreateRunner():
            return (f.CreateFailed(name=command.name, reason=reason, message="no"),)
        case c.DeleteRunner():
            return (f.DeleteFailed(name=command.name, reason=reason, message="no", stage=stage),)
        case c.ObserveRunner():
            return (f.GithubFailed(scope=command.scope, message="no", name=command.name),)
        case c.ListRegistrations():
            return (f.GithubFailed(scope=command.scope, message="no"),)
        case c.ListServices():
            return (f.KoyebFailed(message="no"),)
        case c.ProtectRunner():
            return (f.Protected(name=command.name, deletes_at=None, message="no"),)
        case c.CheckJob():
            return (f.JobUnanswered(id=command.id, message="no"),)
        case c.LookUpService() | c.RemoveRegistration():
            return ()


def seen(service: Service) -> f.ServiceSeen:
    """A service as Koyeb shows it."""
    return f.ServiceSeen(
        id=service.id,
        name=service.name,
        status="DELETING" if service.deleting else "HEALTHY",
        created_at=Instant(service.created_at),
        deletes_at=Instant(service.deletes_at),
    )


def _id(found: Registration | None) -> int | None:
    return found.id if found is not None else None


def _create(outside: Outside, command: c.CreateRunner) -> f.Fact:
    found = outside.services.get(command.name)
    runners = sum(name.startswith(RUNNER_PREFIX) for name in outside.services)
    if found is None and command.at_most is not None and runners >= command.at_most:
        return f.CreateFailed(name=command.name, reason=Reason.MAX_TOTAL, message="crowded", after=10.0)
    if found is None:
        service = Service(
            name=command.name,
            id=f"id-{command.name}-{outside.number()}",
            scope=command.scope,
            labels=command.labels,
            created_at=outside.now,
            deletes_at=outside.now + outside.net,
            lifecycle=command.lifecycle,
            unwary=command.at_most is None,
        )
        outside.create(service)
    else:
        service = found
    return f.RunnerCreated(
        name=service.name,
        service_id=service.id,
        created_at=Instant(service.created_at),
        deletes_at=Instant(service.deletes_at),
        found=found is not None,
    )


def _delete(outside: Outside, command: c.DeleteRunner) -> tuple[f.Fact, ...]:
    """As the daemon does it: the jobs, GitHub's 422, and the jobs again; then the service."""
    service = outside.services.get(command.name)
    busy = f.DeleteFailed(name=command.name, reason=Reason.BUSY, message="busy", stage="github")
    running = outside.jobs[service.job] if service is not None and service.job is not None else None
    if running is not None and command.ask_jobs:
        return (outside.fact(running), busy)
    if command.deregister:
        if outside.observed(command.name) is f.Observed.BUSY and not command.force:
            return (busy,)
        outside.registrations.pop(command.name, None)
    known = service is not None and (not command.service_id or service.id == command.service_id)
    if service is not None and known:
        outside.stop(service, _hand(command))
        service.deleting = True
    return (f.DeleteAccepted(name=command.name, gone=not known, deregistered=command.deregister),)


def _hand(command: c.DeleteRunner) -> str:
    if command.force:
        return "force"
    return "krs" if command.deregister or command.ask_jobs else "blind"


def _list_services(outside: Outside, command: c.ListServices, omitted: Container[Name]) -> f.Fact:
    shown = [service for service in outside.services.values() if service.name not in omitted]
    return f.ServicesListed(
        asked_at=Instant(outside.now),
        services=tuple(seen(service) for service in shown),
        adoptable=tuple(
            f.Adoptable(service=seen(service), scope=service.scope, labels=service.labels, lifecycle=service.lifecycle)
            for service in shown
            if service.ours and service.name not in command.known
        ),
    )


def _list_registrations(outside: Outside, command: c.ListRegistrations, omitted: Container[Name]) -> f.Fact:
    rows: Iterable[Registration] = (
        found for found in outside.registrations.values() if found.scope == command.scope and found.name not in omitted
    )
    return f.RegistrationsListed(
        scope=command.scope,
        asked_at=Instant(outside.now),
        runners=tuple(
            f.RegistrationSeen(name=row.name, id=row.id, observed=outside.observed(row.name), labels=row.labels)
            for row in rows
        ),
    )


def _remove_registration(outside: Outside, command: c.RemoveRegistration) -> f.Fact:
    service = outside.services.get(command.name)
    busy = service is not None and service.job is not None
    found = outside.registrations.get(command.name)
    if not busy and found is not None and found.id == command.id:
        del outside.registrations[command.name]
    return f.RegistrationRemoved(scope=command.scope, name=command.name, id=command.id, busy=busy)
