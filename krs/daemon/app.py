"""The composition root: the only place where everything is put together."""

import asyncio
import logging
from collections.abc import Sequence

import httpx

import krs
from krs.config.paths import state_path
from krs.config.policy import policy_of
from krs.config.settings import Settings
from krs.core.catalog import Catalog
from krs.core.facts import Fact
from krs.core.model import Cloud, Event
from krs.core.vocabulary import Credential, EventKind, Level
from krs.daemon.checkup import Checkup
from krs.daemon.clock import Clock, SystemClock
from krs.daemon.commands import Commands
from krs.daemon.create import Creator
from krs.daemon.desk import Desk, daemon_event
from krs.daemon.disk import DiskWatch
from krs.daemon.executor import Executor
from krs.daemon.finder import JobFinder
from krs.daemon.housekeeping import Housekeeping
from krs.daemon.intake import WebhookIntake
from krs.daemon.loop import TurnLoop
from krs.daemon.notices import Notices
from krs.daemon.orders import Orders
from krs.daemon.recovery import Recovery
from krs.daemon.redelivery import Redelivery
from krs.daemon.roster import Roster, scopes
from krs.daemon.site import Site
from krs.daemon.vault import Vault
from krs.doctor import Doctor, Meter
from krs.doctor.inside import READABLE_TOKEN
from krs.errors import CallError, Refused
from krs.github import Auth, GithubClient, Hooks, identity
from krs.http.api import routes
from krs.http.app import build, serve
from krs.http.metrics import Metrics
from krs.koyeb import KoyebClient
from krs.koyeb.catalog import fallback
from krs.koyeb.secrets import Secrets
from krs.rest import Observer, both
from krs.store import Store, StoreError

log = logging.getLogger("krs")
events_log = logging.getLogger("krs.events")

STOP_GRACE = 3.0
"""Seconds for what is under way when the daemon is told to stop."""
LEVELS = {Level.DEBUG: logging.DEBUG, Level.INFO: logging.INFO, Level.WARN: logging.WARNING, Level.ERROR: logging.ERROR}


class StartError(Exception):
    """The daemon cannot start; one line that says what to do."""


class Daemon:
    """The scheduler with its server. `start` returns once it listens; `scheduler` is what consoles talk to.

    `intake` is what takes a delivery, by whatever way it came.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        self._settings = settings
        self._warnings = warnings
        self._clock = clock or SystemClock()
        self._notices = Notices()
        self._metrics = Metrics(krs.__version__)
        self._catalog = fallback()
        self._policy = policy_of(settings, self._catalog)
        self._meter = Meter(self._clock.now)
        observe = both(self._metrics.call, self._meter.call)
        self._koyeb = KoyebClient(
            token=settings.koyeb.token.reveal(),
            api_url=settings.koyeb.api_url,
            observe=observe,
            transport=transport,
        )
        self._github = GithubClient(
            auth=self._identity(observe, transport),
            api_url=settings.github.api_url,
            now=self._clock.now,
            observe=observe,
            transport=transport,
        )
        self._app_id = ""
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0

    async def start(self) -> None:
        """Open, listen, check, run. Raises `StartError` or `StoreError`, leaving nothing behind.

        Deliveries are taken from the first moment: those that come before the checks are done wait on disk.
        """
        self._store = await asyncio.to_thread(Store.open, state_path(self._settings))
        try:
            self._compose()
            self._receive()
            self._listen()
        except BaseException:
            await self._close()
            raise
        try:
            await asyncio.gather(self._check_tokens(), self._housekeeping.refresh_catalog(self._clock.now()))
        except BaseException:
            self._server.stop()
            await self._close()
            raise
        log.info("listening on http://%s:%d", self._settings.server.host, self.port)
        self._loop.note(daemon_event(EventKind.DAEMON_STARTED, f"krs {krs.__version__} started", self._clock.now()))
        self._tasks = [
            asyncio.create_task(self._loop.run(), name="krs-loop"),
            asyncio.create_task(self._housekeeping.run(), name="krs-housekeeping"),
            asyncio.create_task(self._recovery.run(), name="krs-recovery"),
            asyncio.create_task(self._redelivery.run(), name="krs-redelivery"),
        ]

    async def stop(self) -> None:
        """Stop listening, finish the turn in hand, close; under five seconds."""
        self._server.stop()
        self._loop.stop()
        await asyncio.wait(self._tasks[:1], timeout=1.0)
        await self._executor.close(STOP_GRACE)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._loop.note(daemon_event(EventKind.DAEMON_STOPPED, "krs stopped", self._clock.now()))
        try:
            await self._loop.last_words()
        except StoreError as problem:
            log.warning("the last events were not written: %s", problem)
        await self._server.close_all_connections()
        await self._close()

    async def _close(self) -> None:
        await self._koyeb.aclose()
        await self._github.aclose()
        await asyncio.to_thread(self._store.close)

    @property
    def scheduler(self) -> Desk:
        """The operators' side."""
        return self._desk

    def ready(self) -> tuple[bool, str]:
        """Whether the state file can be written and Koyeb was listed once; until then nothing is decided."""
        if self._disk.problem:
            return False, self._disk.problem
        if self._loop.world.koyeb.answered_at is None:
            return False, "waiting for the first list of services from Koyeb"
        return True, "ready"

    def _identity(self, observe: Observer, transport: httpx.AsyncBaseTransport | None) -> Auth:
        """Who we are at GitHub: an App, or a token."""
        github = self._settings.github
        try:
            return identity(
                token=github.token,
                app_id=github.app_id,
                private_key=github.private_key,
                api_url=github.api_url,
                now=self._clock.now,
                observe=observe,
                transport=transport,
            )
        except ValueError as problem:
            raise StartError(f"github.private_key: {problem}") from None

    async def _check_tokens(self) -> None:
        github: tuple[str, str, tuple[int, ...]] = ("the token", "GITHUB_TOKEN", (401, 403))
        if self._settings.github.app_id:
            github = ("the App", "github.app_id, github.private_key and this machine's clock", (401, 403, 404))
        for name, check, (what, where, refusals) in (
            ("Koyeb", self._koyeb.check_token, ("the token", "KOYEB_TOKEN", (401, 403))),
            ("GitHub", self._github.check_token, github),
        ):
            try:
                await check()
            except Refused as problem:
                if problem.status in refusals:
                    raise StartError(f"{name} refuses {what}: {problem.message}: check {where}") from None
                log.warning("%s: the token could not be checked: %s", name, problem.message)
            except CallError as problem:
                log.warning("%s: the token could not be checked: %s", name, problem.message)

    def _commands(self) -> Commands:
        """What carries the commands out."""
        settings = self._settings
        site = Site(
            app=settings.koyeb.app,
            controller=settings.koyeb.controller,
            web_url=settings.github.web_url,
            safety_ttl=settings.koyeb.safety_ttl,
            folder=settings.runners.folder,
        )
        self._vault = Vault(Secrets(self._koyeb), site.controller) if settings.koyeb.jit_secrets else None
        creator = Creator(
            koyeb=self._koyeb,
            github=self._github,
            site=site,
            app_id=self._find_app,
            policy=lambda: self._policy,
            github_token=settings.github.token.reveal,
            warn=self._notices.warn,
            vault=self._vault,
        )
        return Commands(
            koyeb=self._koyeb,
            github=self._github,
            creator=creator,
            vault=self._vault,
            finder=self._finder,
            site=site,
            app_id=self._find_app,
            clock=self._clock,
        )

    def _compose(self) -> None:
        clock = self._clock
        self._finder = JobFinder(self._github, lambda: self._loop.world)
        self._executor = Executor(clock=clock, handle=self._commands().handle, tell=self._tell)
        saved = self._store.load()
        if saved.damaged:
            self._notices.warn("damaged", f"{saved.damaged} rows of the state file were unreadable and set aside")
        self._loop = TurnLoop(
            store=self._store,
            saved=saved,
            policy=lambda: self._policy,
            clock=clock,
            execute=self._executor.submit,
            observe=self._observe,
        )
        self._disk = DiskWatch(now=clock.now, notices=self._notices, note=self._loop.note, show=self._metrics.store)
        self._store.watch(self._disk)
        for row in self._store.unprocessed():
            self._loop.hear(row.seq, row.fact)
        self._desk = Desk(
            loop=self._loop,
            store=self._store,
            koyeb=self._koyeb,
            policy=lambda: self._policy,
            clock=clock,
            notices=self._notices,
            examine=self._checkup(),
        )
        self._metrics.mirror(self._desk.snapshot, self._loop.waiting)
        self._keep_house()

    def _checkup(self) -> Checkup:
        doctor = Doctor(
            settings=self._settings,
            koyeb=self._koyeb,
            github=self._github,
            state=state_path(self._settings),
            meter=self._meter,
            now=self._clock.now,
        )
        github = self._settings.github
        return Checkup(
            doctor,
            named=scopes(github.mode, github.allow, github.scopes),
            store=self._store,
            receipts=lambda: self.intake.receipts,
            started_at=self._clock.now(),
        )

    def _keep_house(self) -> None:
        self._housekeeping = Housekeeping(
            clock=self._clock,
            store=self._store,
            keep=self._settings.state.keep,
            sample=self._desk.sample,
            read_catalog=self._koyeb.catalog,
            take_catalog=self._take_catalog,
            sweep_vault=self._sweep_vault,
        )
        for number, warning in enumerate(self._warnings):
            self._notices.warn(f"configuration {number}", warning)
        if self._policy.credential is Credential.GITHUB_TOKEN:
            self._notices.warn("credential", READABLE_TOKEN)

    def _receive(self) -> None:
        """What takes deliveries in, and what makes up for those that did not come."""
        settings = self._settings
        roster = Roster(self._store.hooks())
        self.intake = WebhookIntake(
            secret=settings.webhook.secret,
            unsigned=settings.webhook.disable_auth,
            prefix=settings.runners.prefix,
            inbox=self._store,
            now=self._clock.now,
            world=lambda: self._loop.world,
            hear=self._loop.hear,
            roster=roster,
            note=self._loop.note,
        )
        self._recovery = Recovery(
            clock=self._clock,
            finder=self._finder,
            tell=self._tell,
            concerns_us=self.intake.concerns_us,
            seen_since=self._store.repositories,
            notices=self._notices,
        )
        self._redelivery = self._redeliver(roster)

    def _redeliver(self, roster: Roster) -> Redelivery:
        github, hooks = self._settings.github, Hooks(self._github)
        orders = Orders(
            clock=self._clock,
            hooks=hooks,
            roster=roster,
            marks=self._store,
            note=self._loop.note,
            count=self._metrics.redelivery,
        )
        return Redelivery(
            clock=self._clock,
            hooks=hooks,
            orders=orders,
            roster=roster,
            ledger=self._store,
            notices=self._notices,
            scopes=lambda now: scopes(github.mode, github.allow, (*github.scopes, *self._finder.repositories(now))),
            url=self._settings.webhook.url,
            app=bool(github.app_id),
        )

    def _listen(self) -> None:
        settings, admin = self._settings, self._settings.admin
        application = build(
            intake=self.intake,
            health=self,
            metrics=self._metrics,
            max_body=settings.webhook.max_body,
            more=routes(self._desk, self._metrics, admin.token, admin.read_token, self._clock.now),
        )
        try:
            self._server, self.port = serve(application, settings.server.host, settings.server.port)
        except OSError as problem:
            where = f"{settings.server.host}:{settings.server.port}"
            raise StartError(
                f"cannot listen on {where}: {problem.strerror}: set server.port (PORT) to a free one"
            ) from None

    async def _find_app(self) -> str:
        """The app's id, asked for once; an app that is missing is made."""
        if not self._app_id:
            self._app_id = (await self._koyeb.ensure_app(self._settings.koyeb.app)).id
        return self._app_id

    async def _sweep_vault(self) -> None:
        if self._vault is not None:
            runners = self._loop.world.runners.values()
            await self._vault.sweep(runner.name for runner in runners if runner.cloud is not Cloud.GONE)

    def _tell(self, *facts: Fact) -> None:
        self._loop.tell(*facts)

    def _take_catalog(self, catalog: Catalog) -> None:
        self._policy = policy_of(self._settings, catalog)
        self._loop.wake()

    def _observe(self, seconds: float, events: Sequence[Event]) -> None:
        if seconds:
            self._metrics.turn(seconds)
        for event in events:
            self._metrics.event(event.kind.value, event.reason.value if event.reason else "")
            if events_log.isEnabledFor(LEVELS[event.level]):
                events_log.log(LEVELS[event.level], "%s", event.message, extra={"event": event})
