"""`krs pools`: demand and supply, and pausing them."""

import click

from krs.cli.remote import AS_JSON, ask, confirm, connection, show_json, show_table
from krs.core.model import PoolId
from krs.core.views import PauseBody, PoolView

HEADS = ("ID", "QUEUED", "BOOTING", "IDLE", "BUSY", "MAXIMUM", "CONDITION")


@click.group(invoke_without_command=True)
@connection
@AS_JSON
@click.pass_context
def pools(ctx: click.Context, url: str, token: str, as_json: bool) -> None:
    """List pools, or pause and resume them."""
    if ctx.invoked_subcommand is None:
        _list(url, token, as_json=as_json)


def _list(url: str, token: str, *, as_json: bool) -> None:
    now = ask(url, token, lambda api: api.state())
    if as_json:
        show_json(now.pools)
        return
    rows = [
        (
            p.id,
            str(p.queued),
            str(p.booting),
            str(p.idle),
            str(p.busy),
            str(p.maximum),
            _condition(p, now.at, now.paused),
        )
        for p in now.pools
    ]
    show_table(HEADS, rows)


def _condition(pool: PoolView, now: float, everything: bool) -> str:
    if everything or pool.paused:
        return f"paused by {pool.paused_by}" if pool.paused else "paused"
    if pool.tripped_until is not None and pool.tripped_until > now:
        return "tripped"
    return f"blocked: {pool.blocked_message}" if pool.blocked_reason is not None else "-"


@pools.command("list")
@connection
@AS_JSON
def list_(url: str, token: str, as_json: bool) -> None:
    """List pools."""
    _list(url, token, as_json=as_json)


@pools.command()
@click.argument("pool")
@click.option("--reason", default="", help="Why, for the journal.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@connection
@AS_JSON
def pause(pool: str, reason: str, yes: bool, url: str, token: str, as_json: bool) -> None:
    """Start no more runners of POOL, or of `all`."""
    if pool == "all":
        confirm("Pause every pool? Jobs wait until it is resumed.", yes=yes)
    done = ask(url, token, lambda api: api.pause(_id(pool), PauseBody(reason=reason)))
    show_json(done) if as_json else click.echo(done.message)


@pools.command()
@click.argument("pool")
@click.option("--reason", default="", help="Why, for the journal.")
@connection
@AS_JSON
def resume(pool: str, reason: str, url: str, token: str, as_json: bool) -> None:
    """Lift the pause of POOL, or of `all`; of a pool also its trip and its block."""
    done = ask(url, token, lambda api: api.resume(_id(pool), PauseBody(reason=reason)))
    show_json(done) if as_json else click.echo(done.message)


def _id(pool: str) -> PoolId | None:
    return None if pool == "all" else PoolId(pool)
