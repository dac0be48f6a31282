"""`krs runners`: what runs, and the operator's actions on it."""

from datetime import datetime

import click
import msgspec

from krs.cli.errors import USAGE, CliError
from krs.cli.remote import AS_JSON, ask, client, confirm, connection, finish, show_fields, show_json, show_table
from krs.client import ApiClient
from krs.config.values import duration
from krs.core.model import Name
from krs.core.views import Done, DrainBody, ExtendBody, KillBody, RunnerView, StartBody
from krs.core.vocabulary import RunnerState
from krs.words import ago

HEADS = ("NAME", "STATE", "REGION", "TYPE", "REPOSITORY", "JOB", "AGE", "LEFT", "COST")
INSTANTS = ("since", "created_at", "online_at", "idle_since", "expires_at", "hold_until", "max_age_at")
"""The fields of a runner that `show` writes as dates."""


@click.group(invoke_without_command=True)
@connection
@AS_JSON
@click.pass_context
def runners(ctx: click.Context, url: str, token: str, as_json: bool) -> None:
    """List runners, or act on one."""
    if ctx.invoked_subcommand is None:
        _list(url, token, as_json=as_json)


def _list(url: str, token: str, *, as_json: bool) -> None:
    now = ask(url, token, lambda api: api.state())
    if as_json:
        show_json(now.runners)
        return
    show_table(HEADS, [_row(runner, now.at) for runner in now.runners])


def _row(runner: RunnerView, now: float) -> tuple[str, ...]:
    age = now - runner.created_at if runner.created_at is not None else None
    left = runner.expires_at - now if runner.expires_at is not None else None
    place = (runner.region, runner.instance_type, runner.repo or runner.scope, runner.job_name or "-")
    return (runner.name, runner.state.value, *place, ago(age), ago(left), f"{runner.cost:.3f}")


@runners.command("list")
@connection
@AS_JSON
def list_(url: str, token: str, as_json: bool) -> None:
    """List runners."""
    _list(url, token, as_json=as_json)


@runners.command()
@click.argument("name")
@connection
@AS_JSON
def show(name: str, url: str, token: str, as_json: bool) -> None:
    """Show all that is known of one runner."""
    runner = ask(url, token, lambda api: _find(api, name))
    if as_json:
        show_json(runner)
        return
    show_fields(msgspec.structs.replace(runner, cost=round(runner.cost, 4)), instants=INSTANTS)


async def _find(api: ApiClient, name: str) -> RunnerView:
    """The runner of this name, or the only one whose name begins so."""
    found = await api.runners()
    exact = [runner for runner in found if runner.name == name]
    near = exact or [runner for runner in found if runner.name.startswith(name)]
    if len(near) > 1:
        raise CliError(f"{name} could be any of {', '.join(runner.name for runner in near)}", USAGE)
    return near[0] if near else await api.runner(name)


def _done(done: Done, *, as_json: bool) -> None:
    if as_json:
        show_json(done)
    else:
        click.echo(done.message)


@runners.command()
@click.argument("label")
@click.option("--scope", required=True, help="owner/repository, or the owner in organization mode.")
@click.option("--reason", default="", help="Why, for the journal.")
@connection
@AS_JSON
def start(label: str, scope: str, reason: str, url: str, token: str, as_json: bool) -> None:
    """Start a runner for a label."""
    body = StartBody(label=label, scope=scope, reason=reason)
    _done(ask(url, token, lambda api: api.start(body)), as_json=as_json)


@runners.command()
@click.argument("name")
@click.argument("length", required=False)
@click.option("--until", help="An instant, such as 2026-11-24T15:00 (local time).")
@click.option("--lift", is_flag=True, help="Take the hold away.")
@click.option("--reason", default="", help="Why, for the journal.")
@connection
@AS_JSON
def extend(
    name: str, length: str | None, until: str | None, lift: bool, reason: str, url: str, token: str, as_json: bool
) -> None:
    """Keep a runner LENGTH (30m, 2h) longer, or until an instant."""
    if (length is not None) + (until is not None) + lift != 1:
        raise CliError("give one of LENGTH, --until and --lift", USAGE)
    try:
        minutes = duration(length) / 60 if length else None
        instant = 0.0 if lift else datetime.fromisoformat(until).astimezone().timestamp() if until else None
    except ValueError as problem:
        raise CliError(str(problem), USAGE) from None

    async def act(api: ApiClient) -> Done:
        runner = await _find(api, name)
        body = ExtendBody(minutes=minutes, until=instant, version=runner.version, reason=reason)
        return await api.extend(runner.name, body)

    _done(ask(url, token, act), as_json=as_json)


@runners.command()
@click.argument("name")
@click.option("--cancel", is_flag=True, help="Take a drain back.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--reason", default="", help="Why, for the journal.")
@connection
@AS_JSON
def drain(name: str, cancel: bool, yes: bool, reason: str, url: str, token: str, as_json: bool) -> None:
    """Let a runner end its job, then delete it."""

    async def act() -> Done:
        api = client(url, token)
        try:
            runner = await _find(api, name)
            if not cancel:
                confirm(f"Drain {runner.name} ({_job(runner)})? It takes no new job.", yes=yes)
            body = DrainBody(cancel=cancel, version=runner.version, reason=reason)
            return await api.drain(Name(runner.name), body)
        finally:
            await api.aclose()

    _done(finish(act()), as_json=as_json)


@runners.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Even while a job runs on it: the job fails.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--reason", default="", help="Why, for the journal.")
@connection
@AS_JSON
def kill(name: str, force: bool, yes: bool, reason: str, url: str, token: str, as_json: bool) -> None:
    """Delete a runner now."""

    async def act() -> Done:
        api = client(url, token)
        try:
            runner = await _find(api, name)
            busy = runner.state is RunnerState.BUSY
            fate = "Its job fails on GitHub." if busy else "No job is harmed."
            if force or not busy:
                confirm(f"Kill {runner.name} ({_job(runner)})? {fate}", yes=yes)
            body = KillBody(force=force, version=runner.version, reason=reason)
            return await api.kill(Name(runner.name), body)
        finally:
            await api.aclose()

    _done(finish(act()), as_json=as_json)


@runners.command()
@click.argument("name")
@click.option("--follow", "-f", is_flag=True, help="Go on with lines as they come.")
@connection
@AS_JSON
def logs(name: str, follow: bool, url: str, token: str, as_json: bool) -> None:
    """Show a runner's log at Koyeb; with --json one object a line."""

    async def read() -> None:
        api = client(url, token)
        try:
            runner = await _find(api, name)
            async for line in api.logs(runner.name, follow=follow):
                click.echo(msgspec.json.encode(line).decode() if as_json else line.text)
        finally:
            await api.aclose()

    finish(read())


def _job(runner: RunnerView) -> str:
    return f"busy with {runner.repo} {runner.job_name}" if runner.job is not None else runner.state.value
