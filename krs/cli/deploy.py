"""`krs deploy`: put the daemon on Koyeb, look at it, read its log, take it away. The work is in `krs.deploy`."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import click
import httpx
import msgspec

from krs.cli.daemon import read_settings
from krs.cli.errors import FAILED, REFUSED, USAGE, CliError
from krs.cli.options import CONFIG
from krs.cli.remote import AS_JSON, confirm, finish, show_fields, show_json
from krs.config import Settings
from krs.config.load import missing
from krs.deploy.deployer import Deployer, Stopped
from krs.deploy.site import Found, Names, look
from krs.koyeb import KoyebClient
from krs.koyeb.catalog import fallback
from krs.secret import Secret
from krs.words import count

T = TypeVar("T")

APP, SERVICE = "krs", "krs"
LOG_SINCE, LOG_LINES = 3600.0, 200
"""Seconds that a log goes back, and its lines at most."""
READY_TIMEOUT = 5.0
NAMES = (
    click.option("--app", default=APP, show_default=True, help="The Koyeb app of the daemon, not that of the runners."),
    click.option("--service", default=SERVICE, show_default=True, help="The name of its service."),
)


class View(msgspec.Struct, frozen=True):
    """What `krs deploy status` shows."""

    app: str
    service: str
    status: str
    url: str
    ready: bool
    image: str
    region: str
    instance_type: str
    volume: str
    messages: tuple[str, ...]
    usd_a_month: float | None


def named(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which deployment."""
    for option in (CONFIG, *NAMES):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@named
@click.option("--image", default="", help="Container image of krs; else the one that runs.")
@click.option("--region", default="", help="Where it runs; else as before, fra at first.")
@click.option("--instance-type", default="", help="On what it runs; else as before, eco-nano at first.")
@click.option("--volume", default="", help="Id of a Koyeb volume for the state file.")
@click.option("--scope", "scopes", multiple=True, help="Whose webhook is pointed at it; else what github.scopes names.")
@click.option("--no-webhook", is_flag=True, help="Leave the webhooks alone.")
@click.option("--dry-run", is_flag=True, help="Show each call and change nothing.")
@click.pass_context
def deploy(
    context: click.Context, /, path: Path | None, scopes: tuple[str, ...], no_webhook: bool, dry_run: bool, **names: str
) -> None:
    """Put the daemon on Koyeb, with your settings; again to change what differs."""
    if context.invoked_subcommand is not None:
        return
    settings = read_settings(path, {}).settings
    if lacks := missing(settings):
        raise CliError("\n".join(lacks), USAGE)
    if dry_run:
        _rehearse(settings, Names(**names))
        return
    url = _ask(settings, lambda koyeb: _deploy(koyeb, settings, Names(**names)))
    if not no_webhook:
        _point(path, scopes, f"{url}/webhook", settings.webhook.secret)


async def _deploy(koyeb: KoyebClient, settings: Settings, names: Names) -> str:
    """Deploy and wait; gives the public address."""
    deployer = Deployer(koyeb, settings, names, tell=click.echo)
    await deployer.deploy()
    found = await deployer.healthy()
    if not found.url:
        raise Stopped(f"Koyeb names no public address of app {names.app}: look at its domains")
    async with httpx.AsyncClient(timeout=READY_TIMEOUT, trust_env=False) as http:
        await deployer.ready(http, found.url)
    return found.url


def _rehearse(settings: Settings, names: Names) -> None:
    from krs.setup.rehearsal import Rehearsal

    transport = Rehearsal(click.echo, lambda: _secrets(settings), httpx.AsyncHTTPTransport(trust_env=False))
    _ask(settings, lambda koyeb: Deployer(koyeb, settings, names, tell=lambda _: None).deploy(), transport)
    click.echo("then: wait until it is healthy and ready, and point the webhook at its address")
    click.echo("nothing was changed: this was a dry run")


def _secrets(settings: Settings) -> tuple[Secret, ...]:
    found = [getattr(table, name) for table in _tables(settings) for name in table.__struct_fields__]
    return tuple(value for value in found if isinstance(value, Secret) and value)


def _tables(settings: Settings) -> list[msgspec.Struct]:
    given = [getattr(settings, name) for name in settings.__struct_fields__]
    return [table for table in given if isinstance(table, msgspec.Struct)]


def _point(path: Path | None, scopes: tuple[str, ...], url: str, secret: Secret) -> None:
    """Have GitHub deliver to the daemon."""
    from krs.cli.webhook import ask_hooks, place_of
    from krs.github.hooks import install

    try:
        place = place_of(path, scopes, url)
    except CliError as problem:
        click.echo(f"the webhook is left alone: {problem.message}: then krs webhook install --url {url}")
        return
    for scope in place.scopes:
        done = ask_hooks(place, lambda hooks, scope=scope: install(hooks, scope, url, secret))  # type: ignore[misc]
        click.echo(f"webhook of {scope or 'the App'}: {done.plan.outcome.value}: it delivers to {url}")


@deploy.command()
@named
@AS_JSON
def status(path: Path | None, as_json: bool, **names: str) -> None:
    """Show the service, its deployment and address, and whether it is ready."""
    settings = read_settings(path, {}).settings
    view = _ask(settings, lambda koyeb: _view(koyeb, Names(**names)))
    if as_json:
        show_json(view)
        return
    show_fields(view)


async def _view(koyeb: KoyebClient, names: Names) -> View:
    found = await _there(koyeb, names)
    deployment = found.deployment
    price = fallback().price(found.instance_type)
    return View(
        app=names.app,
        service=names.service,
        status=(deployment.status if deployment is not None else "PENDING").lower(),
        url=found.url,
        ready=await _is_ready(found.url),
        image=found.image,
        region=found.region,
        instance_type=found.instance_type,
        volume=found.volume,
        messages=tuple(deployment.messages or ()) if deployment is not None else (),
        usd_a_month=round(price * 730, 2) if price is not None else None,
    )


async def _is_ready(url: str) -> bool:
    async with httpx.AsyncClient(timeout=READY_TIMEOUT, trust_env=False) as http:
        try:
            return bool(url) and (await http.get(f"{url}/readyz")).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


@deploy.command()
@named
@click.option("--follow", "-f", is_flag=True, help="Go on with lines as they come.")
def logs(path: Path | None, follow: bool, **names: str) -> None:
    """Show the daemon's log of the last hour at Koyeb."""
    from krs.daemon.clock import SystemClock

    since = SystemClock().now() - LOG_SINCE

    async def read(koyeb: KoyebClient) -> None:
        found = await _there(koyeb, Names(**names))
        assert found.service is not None
        lines = await koyeb.logs(found.service.id, since, LOG_LINES)
        for line in lines:
            click.echo(line.text)
        if follow:
            async with aclosing(koyeb.tail(found.service.id, since, lines)) as coming:
                async for line in coming:
                    click.echo(line.text)

    _ask(read_settings(path, {}).settings, read)


@deploy.command()
@named
@click.option("--force", is_flag=True, help="Even while runners run: nobody deletes them then but Koyeb.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy(path: Path | None, force: bool, yes: bool, **names: str) -> None:
    """Take the daemon away: service, secrets, and its app if nothing else is in it."""
    settings = read_settings(path, {}).settings

    def deployer(koyeb: KoyebClient) -> Deployer:
        return Deployer(koyeb, settings, Names(**names), tell=click.echo)

    async def ask(koyeb: KoyebClient) -> tuple[Found, tuple[str, ...], tuple[str, ...]]:
        found = await look(koyeb, Names(**names))
        runners = tuple(service.name for service in await deployer(koyeb).runners())
        return found, await deployer(koyeb).doomed(found), runners

    found, doomed, runners = _ask(settings, ask)
    if not doomed:
        raise CliError(f"there is no service {names['service']} in app {names['app']}", FAILED)
    if runners and not force:
        shown = ", ".join(runners[:5]) + (" ..." if len(runners) > 5 else "")
        raise CliError(f"{count(len(runners), 'runner')} still up ({shown}): drain them first, or say --force", REFUSED)
    for line in doomed:
        click.echo(f"goes: {line}")
    confirm("Delete all of this?", yes=yes)
    _ask(settings, lambda koyeb: deployer(koyeb).destroy(found))
    click.echo("the webhook stays: GitHub goes on delivering to an address that is no more, until you delete it there")


async def _there(koyeb: KoyebClient, names: Names) -> Found:
    found = await look(koyeb, names)
    if found.service is None:
        raise Stopped(f"there is no service {names.service} in app {names.app}: krs deploy makes it")
    return found


def _ask(
    settings: Settings, work: Callable[[KoyebClient], Awaitable[T]], transport: httpx.AsyncBaseTransport | None = None
) -> T:
    """Ask Koyeb; a failure ends the command with its exit code."""
    if not settings.koyeb.token:
        raise CliError("koyeb.token is missing: set KOYEB_TOKEN", USAGE)

    async def run() -> T:
        client = KoyebClient(token=settings.koyeb.token.reveal(), api_url=settings.koyeb.api_url, transport=transport)
        async with aclosing(client):
            return await work(client)

    try:
        return finish(run())
    except Stopped as problem:
        raise CliError(str(problem), FAILED) from None
