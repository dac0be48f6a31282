"""`krs config profile`: named daemons for the console and the commands."""

from collections.abc import Callable

import click

from krs.cli.errors import USAGE, CliError
from krs.profiles import Profile, ProfileError, Profiles, default_path


def profiles() -> Profiles:
    """The user's profiles; a broken file ends the command."""
    try:
        return Profiles(default_path())
    except ProfileError as problem:
        raise CliError(str(problem), USAGE) from None


@click.group()
def profile() -> None:
    """Name daemons: where they are and with which token."""


@profile.command()
@click.argument("name")
@click.option("--url", required=True, help="Where the daemon is.")
@click.option("--token", default="", help="Its token: env:NAME, file:PATH, or the token itself.")
@click.option("--read-only", is_flag=True, help="Let the console look only.")
def add(name: str, url: str, token: str, read_only: bool) -> None:
    """Add or change a profile; the first one becomes the default."""
    if not url.startswith(("http://", "https://")):
        raise CliError(f"--url: {url!r} is not an http:// or https:// address", USAGE)
    _do(lambda known: known.add(name, Profile(url=url, token=token, read_only=read_only)))
    click.echo(f"{name} is {url}")


@profile.command("list")
def list_() -> None:
    """List profiles; the default is marked."""
    known = profiles()
    for name in known.names():
        click.echo(f"{'*' if name == known.default else ' '} {name}\t{known.get(name).url}")


@profile.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget a profile."""
    _do(lambda known: known.remove(name))


@profile.command()
@click.argument("name")
def use(name: str) -> None:
    """Make a profile the default."""
    _do(lambda known: known.use(name))


def _do(change: Callable[[Profiles], None]) -> None:
    try:
        change(profiles())
    except ProfileError as problem:
        raise CliError(str(problem), USAGE) from None
