"""`krs console`: the scheduler with its console in one process; `krs tui`: the console of a scheduler elsewhere."""

import asyncio
import getpass
import logging
import os
import sys
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

import click
import platformdirs

from krs import logs
from krs.cli.daemon import daemon, given, read_settings, secrets_of
from krs.cli.errors import FAILED, USAGE, CliError
from krs.cli.remote import URL
from krs.config import Loaded, Settings
from krs.config.load import missing
from krs.core.model import Instant

if TYPE_CHECKING:
    from krs.http.ports import Scheduler
    from tui.backend.remote import RemoteBackend
    from tui.embed import Ending
    from tui.settings import SettingsFile

LOG_SIZE = 5 * 1024 * 1024
"""Bytes of the log file before it is rotated, once."""

log = logging.getLogger("krs.console")


def refuse_without_terminal() -> None:
    """End with one line where no console can be shown: no terminal, or one that knows no cursor."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CliError("the console needs a terminal; `krs daemon` runs without one", USAGE)
    if os.environ.get("TERM", "dumb") in {"", "dumb", "unknown"}:
        raise CliError(f"the console needs a real terminal, TERM is {os.environ.get('TERM', 'not set')!r}", USAGE)


async def show(
    scheduler: "Scheduler", *, now: Callable[[], Instant], profile: str, afterwards: Callable[[], None]
) -> "Ending":
    """Show the console of a scheduler in this loop until it ends. After that SIGTERM and SIGINT call `afterwards`."""
    from krs.profiles import default_path
    from tui import embed
    from tui.app import ConsoleApp
    from tui.backend.embedded import EmbeddedBackend
    from tui.driver import StallSafeDriver
    from tui.settings import SettingsFile

    app = ConsoleApp(
        EmbeddedBackend(scheduler, now=now, by=_user(), profile=profile),
        settings=SettingsFile(default_path()),
        environ=os.environ,
        report_crash=log.error,
        driver=StallSafeDriver,
    )
    return await embed.run(app, afterwards=afterwards)


@click.command(params=[*daemon.params])
@click.option("--log-file", type=click.Path(path_type=Path), help="Where the log goes while the screen is taken.")
def console(path: Path | None, log_file: Path | None, **options: str | bool | None) -> None:
    """Run the scheduler with its console on this terminal."""
    refuse_without_terminal()
    loaded = read_settings(path, given(options))
    if lacks := missing(loaded.settings):
        raise CliError("\n".join(lacks), USAGE)
    log_to_file(log_file or platformdirs.user_log_path("krs") / "console.log", loaded.settings)
    asyncio.run(_run(loaded))


def log_to_file(path: Path, settings: Settings) -> None:
    """Send all logging to a file: a line on standard error would be painted over the screen."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = RotatingFileHandler(path, maxBytes=LOG_SIZE, backupCount=1, encoding="utf-8")
    except OSError as problem:
        raise CliError(f"{path}: {problem.strerror}: give another place with --log-file", USAGE) from None
    logs.set_up(settings.log.level, settings.log.format, secrets_of(settings))
    root = logging.getLogger()
    for other in list(root.handlers):
        handler.setFormatter(other.formatter)
        root.removeHandler(other)
    root.addHandler(handler)


async def _run(loaded: Loaded) -> None:
    from krs.daemon import Daemon, StartError
    from krs.daemon.clock import SystemClock
    from krs.store import StoreError
    from tui.embed import Ending

    clock = SystemClock()
    try:
        scheduler = Daemon(loaded.settings, clock=clock, warnings=loaded.warnings)
        await scheduler.start()
    except (StartError, StoreError) as problem:
        raise CliError(str(problem), USAGE) from None
    stopped = asyncio.Event()
    try:
        ending = await show(scheduler.scheduler, now=clock.now, profile="embedded", afterwards=stopped.set)
        log.info("the console ended: %s", ending.name.lower())
        if ending not in {Ending.STOP, Ending.TERMINATED}:
            _say(f"krs goes on without a console on port {scheduler.port}; ctrl+c or SIGTERM stops it")
            await stopped.wait()
    finally:
        await scheduler.stop()


@click.command()
@click.option("--url", envvar="KRS_URL", help=f"The daemon (KRS_URL).  [default: {URL}]")
@click.option("--profile", envvar="KRS_PROFILE", help="A profile of console.toml that names its url and token.")
@click.option("--token", envvar="KRS_TOKEN", default="", help="Its token, env:NAME or file:PATH (KRS_TOKEN).")
@click.option("--read-only", is_flag=True, help="Look, do not act.")
def tui(url: str | None, profile: str | None, token: str, read_only: bool) -> None:
    """Show the console of a daemon that runs elsewhere."""
    refuse_without_terminal()
    from krs.profiles import default_path
    from tui.settings import SettingsFile

    settings = SettingsFile(default_path())
    connect = Connector(settings, token=token, read_only=read_only)
    try:
        asyncio.run(connect.show(url or profile or settings.settings.default or URL))
    except ValueError as problem:
        raise CliError(str(problem), USAGE) from None


class Connector:
    """Makes backends by the name of a profile or by an address; `token` is for addresses, profiles name their own."""

    def __init__(self, settings: "SettingsFile", *, token: str, read_only: bool) -> None:
        self._settings = settings
        self._token = token
        self._read_only = read_only

    async def show(self, which: str) -> None:
        """Show the console of one scheduler; it can switch to others."""
        from tui import embed
        from tui.app import ConsoleApp
        from tui.driver import StallSafeDriver

        logging.basicConfig(handlers=[logging.NullHandler()], force=True)
        app = ConsoleApp(
            self.backend(which),
            settings=self._settings,
            environ=os.environ,
            connect=self.backend,
            profiles=self._settings.known,
            driver=StallSafeDriver,
        )
        await embed.run(app)
        await app.backend.aclose()
        if app.return_code:
            raise CliError("the console crashed", FAILED)

    def backend(self, which: str) -> "RemoteBackend":
        """The backend of a profile or an address. Raises `ValueError` with one line."""
        from krs.cli.remote import client
        from tui.backend.remote import RemoteBackend

        address = which.startswith(("http://", "https://"))
        looks = self._settings.looks(which)
        if not address and not looks.url:
            known = ", ".join(self._settings.known()) or "none"
            raise ValueError(f"profile {which!r} has no url in {self._settings.path}; known: {known}")
        url = which if address else looks.url
        try:
            api = client(url, self._token if address or not looks.token else looks.token)
        except CliError as problem:
            raise ValueError(problem.message) from None
        return RemoteBackend(
            api,
            where=url,
            profile=which.partition("//")[2].rstrip("/") if address else which,
            clock=time.time,  # noqa: TID251 - the local clock, to measure how far it is off
            read_only=self._read_only or looks.read_only,
        )


def _say(text: str) -> None:
    """Print, to a terminal that may be gone."""
    try:
        click.echo(text)
    except OSError:
        log.info("%s", text)


def _user() -> str:
    """Who acts, for the journal: the account of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "console"
