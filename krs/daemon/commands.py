"""Carrying out every command but `CreateRunner`: one call or a few, and the facts that come of it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import assert_never

from krs.core import commands as c
from krs.core import facts as f
from krs.core.model import Instant, Name, Scope
from krs.core.names import RUNNER_PREFIX
from krs.core.vocabulary import Reason
from krs.daemon.clock import Clock
from krs.daemon.create import Creator, reason_of
from krs.daemon.finder import JobFinder
from krs.daemon.site import Site, adoptable, seen
from krs.daemon.vault import Vault
from krs.errors import CallError, Refused, Throttled
from krs.github import Denied, GithubClient, Registration, Removal
from krs.koyeb import KoyebClient, Service


class Commands:
    """The hands of the daemon."""

    def __init__(
        self,
        *,
        koyeb: KoyebClient,
        github: GithubClient,
        creator: Creator,
        vault: Vault | None,
        finder: JobFinder,
        site: Site,
        app_id: Callable[[], Awaitable[str]],
        clock: Clock,
    ) -> None:
        self._koyeb = koyeb
        self._github = github
        self._creator = creator
        self._vault = vault
        self._finder = finder
        self._site = site
        self._app_id = app_id
        self._clock = clock
        self._judged: dict[str, f.Adoptable | None] = {}

    async def handle(self, command: c.Command) -> Iterable[f.Fact]:  # noqa: PLR0911 - one row a command
        """Do what a command says; gives what was learnt."""
        match command:
            case c.CreateRunner():
                return (await self._creator.create(command),)
            case c.DeleteRunner():
                return await self._delete(command)
            case c.ObserveRunner():
                return (await self._observe(command),)
            case c.LookUpService():
                return await self._look_up(command)
            case c.ProtectRunner():
                return (await self._protect(command),)
            case c.CheckJob():
                return (await self._check_job(command),)
            case c.ListServices():
                return (await self._list_services(command),)
            case c.ListRegistrations():
                return (await self._list_registrations(command),)
            case c.RemoveRegistration():
                return await self._remove_registration(command)
            case _:
                assert_never(command)

    async def _delete(self, command: c.DeleteRunner) -> Iterable[f.Fact]:
        """Only when nobody knows of a job on it: the jobs, GitHub's 422, and the jobs again.

        Once the registration is gone no job can begin, so the second look at the jobs is the last word.
        """
        deregistered = False
        try:
            if (job := await self._job_on(command)) is not None:
                return (job, _busy(command))
            if command.deregister:
                deregistered = await self._deregister(command)
                if not deregistered and not command.force:
                    return (_busy(command),)
            if (job := await self._job_on(command)) is not None:
                return (job, _busy(command))
        except CallError as problem:
            if not isinstance(problem, Denied) and not command.force:
                return (_delete_failed(command, problem, "github"),)
        try:
            gone = not await self._delete_service(command)
        except CallError as problem:
            return (_delete_failed(command, problem, "koyeb"),)
        if self._vault is not None:
            await self._vault.drop(command.name)
        return (f.DeleteAccepted(name=command.name, gone=gone, deregistered=deregistered),)

    async def _job_on(self, command: c.DeleteRunner) -> f.JobFact | None:
        """The job that runs on it, as far as GitHub lets us ask."""
        if not command.ask_jobs:
            return None
        try:
            return await self._finder.running_on(command.name, command.scope, self._clock.now())
        except Denied:
            return None

    async def _deregister(self, command: c.DeleteRunner) -> bool:
        """False when GitHub refuses since a job runs."""
        runner_id = command.github_id
        if runner_id is None:
            found = await self._github.find_runner(command.scope, command.name)
            if found is None:
                return True
            runner_id = found.id
        return await self._github.delete_runner(command.scope, runner_id) is not Removal.BUSY

    async def _delete_service(self, command: c.DeleteRunner) -> bool:
        """False when Koyeb has no such service."""
        service_id = command.service_id
        if not service_id:
            found = await self._koyeb.find_service(await self._app_id(), command.name)
            if found is None:
                return False
            service_id = found.id
        return await self._koyeb.delete_service(service_id)

    async def _observe(self, command: c.ObserveRunner) -> f.Fact:
        asked_at = self._clock.now()
        try:
            if command.github_id is None:
                found = await self._github.find_runner(command.scope, command.name)
            else:
                found = await self._github.get_runner(command.scope, command.github_id)
        except CallError as problem:
            return github_failed(command.scope, problem, command)
        observed = observed_of(found) if found is not None else f.Observed.ABSENT
        return f.RegistrationObserved(
            name=command.name, asked_at=asked_at, observed=observed, id=found.id if found is not None else None
        )

    async def _look_up(self, command: c.LookUpService) -> Iterable[f.Fact]:
        asked_at = self._clock.now()
        try:
            service = await self._koyeb.get_service(command.service_id)
        except CallError:
            return ()
        return (f.ServiceFound(name=command.name, asked_at=asked_at, service=seen(service) if service else None),)

    async def _protect(self, command: c.ProtectRunner) -> f.Fact:
        seconds = int(command.deletes_at - command.created_at)
        try:
            await self._koyeb.set_delete_after_create(command.service_id, seconds)
        except CallError as problem:
            message = f"{command.name} keeps the end that Koyeb has for it: {problem.message}"
            return f.Protected(name=command.name, deletes_at=None, message=message)
        return f.Protected(name=command.name, deletes_at=Instant(command.created_at + seconds))

    async def _check_job(self, command: c.CheckJob) -> f.Fact:
        try:
            job = await self._github.get_job(command.repo, command.id)
        except CallError as problem:
            return f.JobUnanswered(id=command.id, message=problem.message)
        return job if job is not None else f.JobGone(id=command.id)

    async def _list_services(self, command: c.ListServices) -> f.Fact:
        asked_at = self._clock.now()
        try:
            services = await self._koyeb.list_services(await self._app_id())
            found = [await self._judge(service) for service in services if service.name not in command.known]
        except CallError as problem:
            after = problem.after if isinstance(problem, Throttled) else None
            return f.KoyebFailed(message=problem.message, after=after)
        return f.ServicesListed(
            asked_at=asked_at,
            services=tuple(seen(service) for service in services),
            adoptable=tuple(adoptable for adoptable in found if adoptable is not None),
        )

    async def _judge(self, service: Service) -> f.Adoptable | None:
        """Whether a service that no row knows is a runner of ours; asked once per service."""
        if not service.name.startswith(RUNNER_PREFIX):
            return None
        if service.id not in self._judged:
            definition = await self._koyeb.definition(service)
            if definition is None:
                return None
            self._judged[service.id] = adoptable(service, definition, self._site)
        return self._judged[service.id]

    async def _list_registrations(self, command: c.ListRegistrations) -> f.Fact:
        asked_at = self._clock.now()
        try:
            runners = await self._github.list_runners(command.scope)
        except CallError as problem:
            return github_failed(command.scope, problem, None)
        return f.RegistrationsListed(
            scope=command.scope,
            asked_at=asked_at,
            runners=tuple(
                f.RegistrationSeen(
                    name=Name(runner.name), id=runner.id, observed=observed_of(runner), labels=runner.labels
                )
                for runner in runners
            ),
        )

    async def _remove_registration(self, command: c.RemoveRegistration) -> Iterable[f.Fact]:
        try:
            removal = await self._github.delete_runner(command.scope, command.id)
        except CallError:
            return ()
        busy = removal is Removal.BUSY
        return (f.RegistrationRemoved(scope=command.scope, name=command.name, id=command.id, busy=busy),)


def observed_of(runner: Registration) -> f.Observed:
    """One look at a registration; busy counts even when the connection is down."""
    if runner.busy:
        return f.Observed.BUSY
    return f.Observed.IDLE if runner.online else f.Observed.OFFLINE


def github_failed(scope: Scope, problem: CallError, command: c.ObserveRunner | None) -> f.GithubFailed:
    """A question to GitHub that failed; a refusal means that the token may not ask."""
    return f.GithubFailed(
        scope=scope,
        message=problem.message,
        denied=isinstance(problem, Refused),
        name=command.name if command else None,
        after=problem.after if isinstance(problem, Throttled) else None,
    )


def _busy(command: c.DeleteRunner) -> f.DeleteFailed:
    message = f"{command.name} is not deleted: GitHub says a job runs on it"
    return f.DeleteFailed(name=command.name, reason=Reason.BUSY, message=message, stage="github")


def _delete_failed(command: c.DeleteRunner, problem: CallError, stage: str) -> f.DeleteFailed:
    after = problem.after if isinstance(problem, Throttled) else None
    return f.DeleteFailed(
        name=command.name, reason=reason_of(problem), message=problem.message, stage=stage, after=after
    )
