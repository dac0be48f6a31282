"""Carrying out `CreateRunner`: credential, service, and what to do when either answer is lost.

Order: what costs nothing first (the credential), what costs money last; a credential whose service was refused is
taken back. Koyeb knows no idempotency key, but a name is taken once: a repeated create finds the first one.
"""

import logging
from collections.abc import Awaitable, Callable

from krs.core import commands as c
from krs.core.facts import CreateFailed, Fact, RunnerCreated
from krs.core.model import Instant, Name
from krs.core.names import RUNNER_PREFIX
from krs.core.policy import Policy, Terms
from krs.core.vocabulary import Credential, Reason
from krs.daemon.site import Site
from krs.daemon.vault import Vault
from krs.errors import CallError, Refused, Throttled, Unknown, Unreached
from krs.github import GithubClient, JitConfig, Removal, Start, bootstrap
from krs.github import NameTaken as RunnerNameTaken
from krs.koyeb import EnvVar, KoyebClient, LifeCycleRefused, NameTaken, QuotaExceeded, RunnerService, Service
from krs.koyeb.client import GONE

log = logging.getLogger(__name__)


CROWDED_FOR = 10.0
"""Seconds to the next look at whether a place is free."""


class Crowded(Throttled):
    """All places are taken by runners at Koyeb, some of which we do not know yet."""


class Creator:
    """Makes runners. `github_token` gives the plain token for the opt-in credential of that name."""

    def __init__(
        self,
        *,
        koyeb: KoyebClient,
        github: GithubClient,
        site: Site,
        app_id: Callable[[], Awaitable[str]],
        policy: Callable[[], Policy],
        github_token: Callable[[], str],
        warn: Callable[[str, str], None],
        vault: Vault | None,
    ) -> None:
        self._koyeb = koyeb
        self._github = github
        self._site = site
        self._app_id = app_id
        self._policy = policy
        self._github_token = github_token
        self._warn = warn
        self._vault = vault
        self._life_cycle = True

    async def create(self, command: c.CreateRunner) -> Fact:
        """One runner; every failure becomes a fact that says whether it may have happened."""
        try:
            return await self._create(command)
        except CallError as problem:
            return failed(command, problem)

    async def _create(self, command: c.CreateRunner) -> Fact:
        app_id = await self._app_id()
        service = await self._existing(app_id, command)
        if service is not None:
            return created(service, found=True)
        terms = self._policy().terms(command.labels[0], command.scope)
        jit = await self._jit(command) if command.credential is Credential.JIT else None
        try:
            return await self._order(app_id, command, terms, jit)
        except (Refused, Throttled, Unreached):
            if jit is not None:
                await self._take_back(command, jit)
            raise

    async def _existing(self, app_id: str, command: c.CreateRunner) -> Service | None:
        """The service, if it is there already. Raises `Crowded` when the runners of two daemons fill all places."""
        if command.at_most is None:
            return await self._koyeb.find_service(app_id, command.name) if command.retry else None
        listed = await self._koyeb.list_services(app_id)
        runners = {row.name: row for row in listed if row.name.startswith(RUNNER_PREFIX) and row.status != GONE}
        if command.name not in runners and len(runners) >= command.at_most:
            raise Crowded(
                f"{command.name} waits: with those of another daemon, {len(runners)} runners are at Koyeb",
                after=CROWDED_FOR,
            )
        return runners.get(command.name)

    async def _order(self, app_id: str, command: c.CreateRunner, terms: Terms, jit: JitConfig | None) -> Fact:
        start = await self._start(command, terms, jit)
        seconds = int(self._site.safety_ttl) if self._life_cycle else None
        env = await self._environment(command, start, terms)
        order = runner_service(command, terms, start, env, seconds)
        try:
            return created(await self._koyeb.create_service(app_id, order))
        except LifeCycleRefused as problem:
            self._life_cycle = False
            self._warn("life_cycle", f"Koyeb refuses to delete runners by itself: {problem.message}")
            order = runner_service(command, terms, start, env, None)
            return created(await self._koyeb.create_service(app_id, order))
        except NameTaken:
            service = await self._koyeb.find_service(app_id, command.name)
            if service is None:
                raise
            return created(service, found=True)

    async def _start(self, command: c.CreateRunner, terms: Terms, jit: JitConfig | None) -> Start:
        token = None
        if command.credential is Credential.REGISTRATION_TOKEN:
            token = (await self._github.registration_token(command.scope)).token.reveal()
        plain = self._github_token() if command.credential is Credential.GITHUB_TOKEN else None
        return bootstrap.start(
            command.credential,
            name=command.name,
            scope=command.scope,
            labels=command.labels,
            web_url=self._site.web_url,
            controller=self._site.controller,
            docker=terms.docker,
            lifecycle=command.lifecycle,
            registration_token=token,
            jit=jit.encoded.reveal() if jit is not None else None,
            github_token=plain,
            folder=self._site.folder,
        )

    async def _environment(self, command: c.CreateRunner, start: Start, terms: Terms) -> tuple[EnvVar, ...]:
        """The container's variables; a one-job configuration goes by the vault where there is one."""
        rows = (*start.env, *terms.env)
        given = {key: EnvVar(key=key, value=text, credential=key in bootstrap.CREDENTIALS) for key, text in rows}
        if self._vault is not None and bootstrap.JIT in given:
            secret = await self._vault.put(command.name, given[bootstrap.JIT].value)
            given[bootstrap.JIT] = EnvVar(key=bootstrap.JIT, secret=secret)
        return tuple(given.values())

    async def _jit(self, command: c.CreateRunner) -> JitConfig:
        """A just-in-time configuration; a name left over from a lost answer is freed first, if no job runs on it.

        Not at the first try: another daemon may be about to start a runner with the configuration that holds the name.
        """
        try:
            return await self._github.jit_config(command.scope, command.name, command.labels)
        except RunnerNameTaken as problem:
            if not command.retry:
                raise Unknown(problem.message) from None
            left = await self._github.find_runner(command.scope, command.name)
            if left is not None and await self._github.delete_runner(command.scope, left.id) is Removal.BUSY:
                raise
            return await self._github.jit_config(command.scope, command.name, command.labels)

    async def _take_back(self, command: c.CreateRunner, jit: JitConfig) -> None:
        try:
            await self._github.delete_runner(command.scope, jit.registration.id)
        except CallError as problem:
            log.warning("%s keeps its registration for now: %s", command.name, problem.message)
        if self._vault is not None:
            await self._vault.drop(command.name)


def runner_service(
    command: c.CreateRunner, terms: Terms, start: Start, env: tuple[EnvVar, ...], seconds: int | None
) -> RunnerService:
    """What Koyeb is asked to run."""
    return RunnerService(
        name=command.name,
        region=command.region,
        instance_type=command.instance_type,
        image=terms.image,
        privileged=terms.docker,
        entrypoint=start.entrypoint,
        args=start.args,
        env=env,
        delete_after_create=seconds,
    )


def created(service: Service, *, found: bool = False) -> RunnerCreated:
    """Koyeb has the service."""
    deletes_at = service.created_at + service.delete_after_create if service.delete_after_create else None
    return RunnerCreated(
        name=Name(service.name),
        service_id=service.id,
        created_at=Instant(service.created_at),
        deletes_at=Instant(deletes_at) if deletes_at is not None else None,
        found=found,
    )


def failed(command: c.CreateRunner, problem: CallError) -> CreateFailed:
    """Why a create did not happen, or that nobody knows."""
    reason = Reason.QUOTA if isinstance(problem, QuotaExceeded) else reason_of(problem)
    if isinstance(problem, NameTaken):
        reason = Reason.UNKNOWN
    if isinstance(problem, Crowded):
        reason = Reason.MAX_TOTAL
    if isinstance(problem, RunnerNameTaken):
        reason = Reason.NAME_TAKEN
    after = problem.after if isinstance(problem, Throttled) else None
    return CreateFailed(name=command.name, reason=reason, message=problem.message, after=after)


def reason_of(problem: CallError) -> Reason:
    """The reason code of a failed call."""
    match problem:
        case Refused():
            return Reason.REFUSED
        case Throttled():
            return Reason.THROTTLED
        case Unreached():
            return Reason.UNREACHED
        case _:
            return Reason.UNKNOWN
