"""`krs daemon`: the scheduler, headless. Its flags are those of Koyeb's Go scheduler and a few more."""

import asyncio
import gc
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click

from krs import logs
from krs.cli.errors import USAGE, CliError
from krs.cli.options import CONFIG
from krs.config import ConfigError, Given, Loaded, Settings, load
from krs.config.load import missing
from krs.secret import Secret

FLAGS = {
    "host": "server.host",
    "port": "server.port",
    "koyeb_token": "koyeb.token",
    "github_token": "github.token",
    "api_secret": "webhook.secret",
    "runners_ttl": "runners.ttl",
    "mode": "github.mode",
    "prefix": "runners.prefix",
    "disable_docker_daemon": "runners.docker",
    "disable_auth": "webhook.disable_auth",
    "state": "state.path",
    "log_level": "log.level",
    "log_format": "log.format",
}
"""Options of the command and the settings that they set."""


@click.command()
@CONFIG
@click.option("--host", help="Address to listen on.")
@click.option("--port", help="Port to listen on (PORT).")
@click.option("--koyeb-token", help="Koyeb API key, better given as KOYEB_TOKEN.")
@click.option("--github-token", help="GitHub token, better given as GITHUB_TOKEN.")
@click.option("--api-secret", help="Secret of the webhook, better given as API_SECRET.")
@click.option("--runners-ttl", help="How long an idle runner is kept: 90s, 10m, 2h, or minutes (RUNNERS_TTL).")
@click.option("--mode", help="repository or organization (MODE).")
@click.option("--prefix", help="First part of the labels that are served (PREFIX).")
@click.option("--disable-docker-daemon", is_flag=True, help="Give jobs no docker (DISABLE_DOCKER_DAEMON).")
@click.option("--disable-auth", is_flag=True, help="Accept unsigned deliveries; on a loopback address only.")
@click.option("--state", help="The state file (KRS_STATE).")
@click.option("--log-level", help="debug, info, warning or error.")
@click.option("--log-format", help="text or json.")
def daemon(path: Path | None, **options: str | bool | None) -> None:
    """Run the scheduler without a console."""
    loaded = read_settings(path, given(options))
    settings = loaded.settings
    if lacks := missing(settings):
        raise CliError("\n".join(lacks), USAGE)
    logs.set_up(settings.log.level, settings.log.format, secrets_of(settings))
    run(_run(loaded))


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where it is installed (extra `fast`), else on asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


def given(options: dict[str, str | bool | None]) -> dict[str, str]:
    """The options that were used, as text."""
    return {name: str(value) for name, value in options.items() if value}


def read_settings(path: Path | None, options: dict[str, str]) -> Loaded:
    """The settings of flags, environment and file; every mistake at once, exit 2."""
    if options.get("disable_docker_daemon"):
        options["disable_docker_daemon"] = "false"
    flags = {FLAGS[name]: Given(value, f"--{name.replace('_', '-')}") for name, value in options.items()}
    try:
        return load(flags, os.environ, path)
    except ConfigError as problem:
        raise CliError("\n".join(problem.problems), USAGE) from None


def secrets_of(settings: Settings) -> tuple[Secret, ...]:
    """Every secret of the settings, for masking."""
    return (
        settings.koyeb.token,
        settings.github.token,
        settings.github.private_key,
        settings.webhook.secret,
        settings.admin.token,
        settings.admin.read_token,
    )


async def _run(loaded: Loaded) -> None:
    from krs.daemon import Daemon, StartError
    from krs.store import StoreError

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)

    try:
        scheduler = Daemon(loaded.settings, warnings=loaded.warnings)
        await scheduler.start()
    except (StartError, StoreError) as problem:
        raise CliError(str(problem), USAGE) from None
    calm_collector()
    await stopped.wait()
    await scheduler.stop()


def calm_collector() -> None:
    """Leave what was loaded at the start out of garbage collection, and collect less often.

    A full collection walks every object of every library, which shows as a pause in the answers to webhooks.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
