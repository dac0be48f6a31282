"""`krs events`: the journal, and following it across cuts and restarts without a gap or a repeat."""

import asyncio
import random
import sys
from datetime import datetime

import click
import msgspec

from krs.cli.remote import AS_JSON, ask, client, connection, finish
from krs.client import ApiClient, Reset
from krs.core.model import Event, Name
from krs.core.vocabulary import EventKind
from krs.errors import CallError, Refused

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0
"""Seconds before the first and the later attempts to connect again."""


class Wanted(msgspec.Struct, frozen=True):
    """Which events: of some kinds (none means all), and of one runner."""

    kinds: tuple[EventKind, ...]
    runner: Name | None


@click.command()
@connection
@AS_JSON
@click.option("--follow", "-f", is_flag=True, help="Go on with events as they happen.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice([k.value for k in EventKind]), help="Only this kind.")
@click.option("--runner", help="Only what speaks of this runner: its whole name.")
@click.option("--after", type=click.IntRange(0), help="Begin after this number.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000), help="So many at most.")
def events(
    url: str,
    token: str,
    as_json: bool,
    follow: bool,
    kinds: tuple[str, ...],
    runner: str | None,
    after: int | None,
    limit: int,
) -> None:
    """Show the journal; with --json one object a line."""
    wanted = Wanted(tuple(EventKind(kind) for kind in kinds), Name(runner) if runner else None)
    if follow:
        finish(_follow(client(url, token), after, wanted, as_json=as_json))
        return
    page = ask(url, token, lambda api: _latest(api, after, wanted, limit))
    for event in page:
        _show(event, as_json=as_json)


async def _latest(api: ApiClient, after: int | None, wanted: Wanted, limit: int) -> tuple[Event, ...]:
    """The slice after a number, or the newest events; those of a runner since its beginning."""
    if after is not None:
        return (await api.events(after, limit=limit, kinds=wanted.kinds, runner=wanted.runner)).events
    cursor = 0 if wanted.runner else max(0, (await api.state()).seq - 10 * limit)
    found: list[Event] = []
    while True:
        page = await api.events(cursor, limit=1000, kinds=wanted.kinds, runner=wanted.runner)
        found += page.events
        if not page.more:
            return tuple(found[-limit:])
        cursor = page.next


async def _follow(api: ApiClient, after: int | None, wanted: Wanted, *, as_json: bool) -> None:
    """Until ctrl-c. A connection that is lost is made again, from the last event on."""
    pause = FIRST_PAUSE
    if after is None:
        after = (await api.state()).seq
    while True:
        try:
            async for item in api.stream(after, wanted.kinds):
                if pause > FIRST_PAUSE:
                    _say(f"back at {api.url}")
                pause = FIRST_PAUSE
                if isinstance(item, Reset):
                    _say(f"events before {item.oldest} are no longer kept")
                    after = item.last
                else:
                    after = item.seq
                    if wanted.runner in (None, item.runner):
                        _show(item, as_json=as_json)
        except Refused:
            raise
        except CallError as problem:
            if pause == FIRST_PAUSE:
                _say(f"{problem.message}; trying again")
        await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spreads readers, keeps no secret
        pause = min(LONGEST_PAUSE, pause * 2)


def _say(text: str) -> None:
    click.echo(f"krs: {text}", err=True)


def _show(event: Event, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(event).decode())
    else:
        at = datetime.fromtimestamp(event.at).astimezone()
        by = f" [{event.by}]" if event.by else ""
        reason = f" ({event.reason.value})" if event.reason else ""
        click.echo(f"{at:%H:%M:%S} {event.level.value:<5} {event.kind.value:<21} {event.message}{reason}{by}")
    sys.stdout.flush()
