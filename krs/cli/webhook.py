"""`krs webhook`: the hooks at GitHub that deliver to a daemon, and what became of their deliveries."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from krs.cli.daemon import read_settings
from krs.cli.errors import FAILED, USAGE, CliError
from krs.cli.options import CONFIG
from krs.cli.remote import AS_JSON, finish, show_json, show_table
from krs.cli.send import send
from krs.config import Settings
from krs.config.values import duration, page
from krs.core.model import Instant
from krs.errors import Refused
from krs.github import Denied, GithubClient, Hooks, identity
from krs.github.hooks import (
    APP,
    EVENT,
    KEPT,
    Delivery,
    Hook,
    HookRef,
    Installed,
    Outcome,
    faults,
    install,
    once,
    same_daemon,
)
from krs.words import ago

T = TypeVar("T")

HEADS = ("HOOK", "SCOPE", "ADDRESS", "ACTIVE", "EVENTS", "FAILED", "WRONG")
LOG_HEADS = ("DELIVERY", "HOOK", "AGE", "EVENT", "ACTION", "STATUS", "GUID")
MOST = 1000
"""Failures that are counted at most."""
PACE = 0.5
"""Seconds between two orders to send something again."""
SCOPE = click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="owner/repository, or an organization; else the App's hook, or what github.scopes and github.allow name.",
)
URL = click.option("--url", default="", help="Public address of the daemon; else webhook.url.")
HOOK = click.option("--hook", "number", type=int, default=0, help="Number of the hook, where several would do.")


class Status(msgspec.Struct, frozen=True):
    """A hook and how it does: `wrong` is what `install` would mend, `failed` counts the failures of three days."""

    hook: Hook
    wrong: tuple[str, ...]
    failed: int
    deliveries: tuple[Delivery, ...]


class Order(msgspec.Struct, frozen=True):
    """A delivery that GitHub was asked to send again."""

    hook: HookRef
    delivery: Delivery


@click.group()
def webhook() -> None:
    """Look at, install and try the webhook, and have failed deliveries sent again."""


webhook.add_command(send)


class Place(msgspec.Struct, frozen=True):
    """Where to look: whose hooks, of which daemon, and which number if one was named."""

    settings: Settings
    scopes: tuple[str, ...]
    url: str
    number: int = 0


def place_of(path: Path | None, scopes: Sequence[str], url: str, number: int = 0) -> Place:
    """The place that the options and the configuration name."""
    from krs.daemon.roster import scopes as likely

    settings = read_settings(path, {}).settings
    github = settings.github
    if not (github.token or github.app_id):
        raise CliError("github.token is missing: set GITHUB_TOKEN to a token that may use webhooks", USAGE)
    try:
        address = page(url) or settings.webhook.url
    except ValueError as problem:
        raise CliError(f"--url: {problem}", USAGE) from None
    known = (APP.scope,) if github.app_id else likely(github.mode, github.allow, github.scopes)
    named = tuple(scopes or known)
    if not named:
        raise CliError("say whose webhook: --scope owner/repository, or --scope organization", USAGE)
    return Place(settings, named, address, number)


def ask_hooks(place: Place, question: Callable[[Hooks], Awaitable[T]]) -> T:
    """Ask GitHub; a failure ends the command with its exit code."""
    from krs.daemon.clock import SystemClock

    github, now = place.settings.github, SystemClock().now

    async def run() -> T:
        try:
            auth = identity(
                token=github.token,
                app_id=github.app_id,
                private_key=github.private_key,
                api_url=github.api_url,
                now=now,
            )
        except ValueError as problem:
            raise CliError(f"github.private_key: {problem}", USAGE) from None
        client = GithubClient(auth=auth, api_url=github.api_url, now=now)
        try:
            return await question(Hooks(client))
        finally:
            await client.aclose()

    return finish(run())


def _now() -> Instant:
    from krs.daemon.clock import SystemClock

    return SystemClock().now()


async def _found(hooks: Hooks, place: Place) -> list[Hook]:
    """The hooks of the daemon if its address is known, else all that hear of jobs; with a number, that one."""
    found: list[Hook] = []
    for scope in place.scopes:
        rows = await hooks.list(scope) if scope else [await hooks.get(APP)]
        found += [hook for hook in rows if _meant(hook, place)]
    return found


def _meant(hook: Hook, place: Place) -> bool:
    if place.number:
        return hook.ref.id == place.number
    return same_daemon(hook.url, place.url) if place.url else hook.hears or hook.ref == APP


def _none(place: Place) -> CliError:
    whose = ", ".join(scope or "the App" for scope in place.scopes)
    what = (
        f"hook {place.number}" if place.number else f"hook that delivers {EVENT}{' to ' * bool(place.url)}{place.url}"
    )
    return CliError(f"there is no {what} at {whose}: make one with krs webhook install", FAILED)


@webhook.command()
@SCOPE
@URL
@HOOK
@click.option("--last", default=5, show_default=True, type=click.IntRange(0, 100), help="Latest deliveries to show.")
@CONFIG
@AS_JSON
def status(scopes: tuple[str, ...], url: str, number: int, last: int, path: Path | None, as_json: bool) -> None:
    """Show the hooks, what is wrong with them, and their latest deliveries."""
    place, now = place_of(path, scopes, url, number), _now()

    async def read(hooks: Hooks) -> list[Status]:
        return [await _status(hooks, hook, place.url, last, now) for hook in await _found(hooks, place)]

    rows = ask_hooks(place, read)
    if as_json:
        show_json(rows)
    if not rows:
        raise _none(place)
    if not as_json:
        _show(rows, now)


async def _status(hooks: Hooks, hook: Hook, url: str, last: int, now: Instant) -> Status:
    failed = await hooks.deliveries(hook.ref, since=now - KEPT, failed=True, limit=MOST)
    latest = await hooks.deliveries(hook.ref, limit=last) if last else ()
    return Status(hook, faults(hook, url or hook.url), len(failed), latest)


def _show(rows: Sequence[Status], now: Instant) -> None:
    show_table(
        HEADS,
        [
            (
                str(row.hook.ref.id or "-"),
                row.hook.ref.scope or "the App",
                row.hook.url,
                "yes" if row.hook.active else "no",
                ",".join(row.hook.events),
                f"{row.failed}{'+' * (row.failed >= MOST)}",
                "; ".join(row.wrong) or "-",
            )
            for row in rows
        ],
    )
    log = [(row.hook, delivery) for row in rows for delivery in row.deliveries]
    if log:
        click.echo()
        show_table(LOG_HEADS, [_line(hook.ref, delivery, now) for hook, delivery in log])


def _line(ref: HookRef, row: Delivery, now: Instant) -> tuple[str, ...]:
    again = " (again)" if row.redelivery else ""
    what = (row.event, row.action or "-", f"{row.code} {row.status}{again}", row.guid)
    return (str(row.id), str(ref.id or "-"), ago(now - row.at), *what)


@webhook.command("install")
@SCOPE
@URL
@HOOK
@CONFIG
@AS_JSON
def install_(scopes: tuple[str, ...], url: str, number: int, path: Path | None, as_json: bool) -> None:
    """Create the webhook, or repair what is wrong with it; to be run again at will."""
    place = place_of(path, scopes, url, number)
    secret = place.settings.webhook.secret
    if not place.url:
        raise CliError("say where GitHub delivers: --url https://..., or set webhook.url", USAGE)
    if not secret:
        raise CliError("webhook.secret is missing: set API_SECRET to the secret that the daemon has", USAGE)

    async def act(hooks: Hooks) -> list[Installed]:
        try:
            return [
                await install(hooks, scope, place.url, secret, hook_id=place.number if scope else 0)
                for scope in place.scopes
            ]
        except ValueError as problem:
            raise CliError(f"--hook: {problem} at {', '.join(place.scopes)}", USAGE) from None

    done = ask_hooks(place, act)
    if as_json:
        show_json(done)
        return
    for one in done:
        _tell(one)


def _tell(done: Installed) -> None:
    ref, plan = done.hook.ref, done.plan
    match plan.outcome:
        case Outcome.CREATED:
            click.echo(f"created {ref}: it delivers {EVENT} to {done.hook.url}")
        case Outcome.REPAIRED:
            click.echo(f"repaired {ref}: {'; '.join(plan.wrong)}")
        case Outcome.CONFIRMED:
            click.echo(f"{ref} was right; its secret was set again, since GitHub does not show it")
    for other in plan.others:
        click.echo(f"{other.ref} delivers to {other.url} too: one is enough")
    for text in done.missing:
        click.echo(text)


@webhook.command()
@click.argument("guid", required=False)
@SCOPE
@URL
@HOOK
@click.option("--since", default="1h", show_default=True, help="How far back failures are sent again: 30m, 1h, 3d.")
@CONFIG
@AS_JSON
def redeliver(
    guid: str | None, scopes: tuple[str, ...], url: str, number: int, since: str, path: Path | None, as_json: bool
) -> None:
    """Have GitHub send failed deliveries of jobs again, or the one of GUID, failed or not."""
    place, now = place_of(path, scopes, url, number), _now()
    try:
        span = KEPT if guid else min(KEPT, duration(since))
    except ValueError as problem:
        raise CliError(f"--since: {problem}", USAGE) from None

    async def act(hooks: Hooks) -> list[Order]:
        found = await _found(hooks, place)
        if not found:
            raise _none(place)
        return [order for hook in found for order in await _again(hooks, hook.ref, now - span, guid)]

    orders = ask_hooks(place, act)
    if as_json:
        show_json(orders)
    elif orders:
        show_table(LOG_HEADS, [_line(order.hook, order.delivery, now) for order in orders])
    if guid and not orders:
        raise CliError(f"no delivery {guid} in the last three days", FAILED)
    click.echo(f"asked GitHub for {len(orders)} again", err=True)


async def _again(hooks: Hooks, ref: HookRef, since: float, guid: str | None) -> list[Order]:
    """Each event once, the newest first, unless a try of it arrived; what GitHub refuses is said and passed over."""
    log = await hooks.deliveries(ref, since=since)
    arrived = {row.guid for row in log if not row.failed}
    lost = [row for row in log if row.event == EVENT and row.guid not in arrived]
    orders: list[Order] = []
    for row in once([row for row in log if row.guid == guid] if guid else lost):
        if orders:
            await asyncio.sleep(PACE)
        try:
            await hooks.redeliver(ref, row.id)
        except Denied:
            raise
        except Refused as problem:
            click.echo(f"krs: {problem.message}", err=True)
        else:
            orders.append(Order(ref, row))
    return orders


@webhook.command()
@click.argument("delivery", type=int)
@SCOPE
@URL
@HOOK
@CONFIG
@AS_JSON
def show(delivery: int, scopes: tuple[str, ...], url: str, number: int, path: Path | None, as_json: bool) -> None:
    """Show what one delivery said, and how it was answered."""
    place = place_of(path, scopes, url, number)

    async def read(hooks: Hooks) -> object:
        for hook in await _found(hooks, place):
            try:
                return await hooks.delivery(hook.ref, delivery)
            except Refused as problem:
                if problem.status != 404:
                    raise
        raise CliError(f"no hook has a delivery {delivery}: see krs webhook status", FAILED)

    shown = ask_hooks(place, read)
    if as_json:
        show_json(shown)
    else:
        click.echo(msgspec.json.format(msgspec.json.encode(shown)).decode())
