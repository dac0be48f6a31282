"""What the commands that talk to a daemon share: whom to ask, how failures end, and how results are shown."""

import asyncio
import getpass
import json
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import click
import msgspec
from click.core import ParameterSource

from krs.cli.errors import FAILED, REFUSED, UNREACHABLE, USAGE, CliError
from krs.cli.profile import profiles
from krs.client import ApiClient
from krs.config.values import token as read_token
from krs.errors import CallError, Refused, Throttled, Unknown, Unreached
from krs.profiles import ProfileError
from krs.secret import Secret
from krs.words import when

T = TypeVar("T")

URL = "http://127.0.0.1:8000"
PROFILE = "krs.profile"
"""Where the chosen profile is kept while a command runs."""


def _remember(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Keep what was typed before a subcommand for the subcommand; what is typed beats a variable."""
    key = f"krs.{parameter.name}"
    if context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE or (
        key not in context.meta and parameter.name == "profile" and value
    ):
        context.meta[key] = value
    return str(context.meta.get(key, value))


CONNECTION = (
    click.option(
        "--url",
        envvar="KRS_URL",
        default="",
        callback=_remember,
        help="The daemon (KRS_URL); else the profile's, else port 8000 here.",
    ),
    click.option(
        "--token",
        envvar="KRS_TOKEN",
        default="",
        callback=_remember,
        help="Its token, env:NAME or file:PATH (KRS_TOKEN).",
    ),
    click.option(
        "--profile",
        envvar="KRS_PROFILE",
        default="",
        expose_value=False,
        callback=_remember,
        help="A named daemon (KRS_PROFILE).",
    ),
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")


def connection(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which daemon."""
    for option in CONNECTION:
        command = option(command)
    return command


def client(url: str, token: str) -> ApiClient:
    """A client of the daemon that was named: by address, by profile, or the one on this machine."""
    url, token = _resolved(url, token)
    if not url.startswith(("http://", "https://")):
        raise CliError(f"--url: {url!r} is not an http:// or https:// address", USAGE)
    try:
        given = read_token(token, os.environ)
    except ValueError as problem:
        raise CliError(f"--token: {problem}", USAGE) from None
    return ApiClient(url, given or Secret(""), actor=_user())


def _resolved(url: str, token: str) -> tuple[str, str]:
    """Address and token: those given, then the profile's, then the default profile's, then this machine's.

    A profile's token goes to that profile's address and nowhere else.
    """
    context = click.get_current_context(silent=True)
    named = context.meta.get(PROFILE, "") if context is not None else ""
    if url and not named:
        return url, token
    known = profiles()
    name = named or known.default
    if not name:
        return url or URL, token
    try:
        chosen = known.get(name)
    except ProfileError as problem:
        raise CliError(str(problem), USAGE) from None
    at_home = not url or url.rstrip("/") == chosen.url.rstrip("/")
    return url or chosen.url, token or (chosen.token if at_home else "")


def names_daemon(url: str) -> bool:
    """Whether somebody said which daemon is meant, by address or by profile."""
    return _resolved(url, "")[0] != URL


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def ask(url: str, token: str, question: Callable[[ApiClient], Awaitable[T]]) -> T:
    """Ask the daemon one thing; a failure ends the command with its exit code."""

    async def run() -> T:
        api = client(url, token)
        try:
            return await question(api)
        finally:
            await api.aclose()

    return finish(run())


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, turning failures into one line and an exit code."""
    try:
        return asyncio.run(work)
    except Refused as problem:
        usage = problem.status in (400, 404, 415, 422)
        raise CliError(problem.message, FAILED if usage else REFUSED) from None
    except (Unreached, Unknown, Throttled) as problem:
        raise CliError(problem.message, UNREACHABLE) from None
    except CallError as problem:
        raise CliError(problem.message, FAILED) from None


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something dangerous; without a terminal only --yes will do."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CliError(f"{question} Say --yes to do it.", USAGE)
    if not click.confirm(question):
        raise CliError("nothing was done", FAILED)


def show_json(value: object) -> None:
    """One JSON document."""
    click.echo(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))


def show_fields(value: msgspec.Struct, *, instants: Collection[str] = ()) -> None:
    """The fields of a struct that say something, one a line; those of `instants` as dates."""
    width = max(map(len, value.__struct_fields__))
    for field in value.__struct_fields__:
        content = getattr(value, field)
        if content not in (None, "", ()):
            click.echo(f"{field:<{width}}  {when(content) if field in instants else _plain(content)}")


def _plain(content: object) -> str:
    if isinstance(content, bool):
        return "yes" if content else "no"
    return ", ".join(map(str, content)) if isinstance(content, tuple) else str(content)


def show_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on a terminal, tabs in a pipe."""
    if not sys.stdout.isatty():
        for row in (heads, *rows):
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
