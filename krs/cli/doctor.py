"""`krs doctor`: what is wrong with an installation, why, and what to do."""

import os
import shutil
import sys
import textwrap
from pathlib import Path

import click

from krs.cli.daemon import read_settings
from krs.cli.errors import FAILED, UNREACHABLE, USAGE, CliError
from krs.cli.remote import AS_JSON, ask, connection, finish, names_daemon, show_json
from krs.core.views import Check, Diagnosis
from krs.core.vocabulary import CheckName, Finding

STYLES = {Finding.OK: "green", Finding.WARN: "yellow", Finding.FAIL: "red", Finding.SKIPPED: "bright_black"}
NAME_WIDTH = max(map(len, CheckName)) + 2
FINDING_WIDTH = max(map(len, Finding)) + 2
NARROWEST = 40
"""Columns that a message gets at least."""


@click.command()
@click.option("--offline", is_flag=True, help="Ask no daemon: check this machine's configuration.")
@click.option("--scope", "scopes", multiple=True, help="With --offline: a repository or organization to look at.")
@click.option("--config", "path", type=click.Path(path_type=Path), help="With --offline: its file (KRS_CONFIG).")
@connection
@AS_JSON
def doctor(offline: bool, scopes: tuple[str, ...], path: Path | None, url: str, token: str, as_json: bool) -> None:
    """Check tokens, webhook, quotas, limits and the daemon; exit 1 when something fails."""
    found = _offline(path, scopes) if offline else _online(url, token, path, scopes)
    if as_json:
        show_json(found)
    else:
        width = shutil.get_terminal_size().columns
        click.echo("\n".join(line for check in found.checks for line in lines(check, width)))
        click.echo(summary(found))
    if any(check.finding is Finding.FAIL for check in found.checks):
        raise SystemExit(FAILED)


def _online(url: str, token: str, path: Path | None, scopes: tuple[str, ...]) -> Diagnosis:
    """Ask the daemon; where none was named and none answers here, look at the configuration."""
    try:
        return ask(url, token, lambda api: api.doctor())
    except CliError as problem:
        if problem.code != UNREACHABLE or names_daemon(url):
            raise
        click.echo(f"krs: {problem.message}: checking the configuration of this machine alone", err=True)
        return _offline(path, scopes)


def _offline(path: Path | None, scopes: tuple[str, ...]) -> Diagnosis:
    from krs.config.paths import state_path
    from krs.daemon.checkup import offline

    loaded = read_settings(path, {})
    settings = loaded.settings
    try:
        return finish(offline(settings, state_path(settings), scopes, loaded.warnings))
    except ValueError as problem:
        raise CliError(str(problem), USAGE) from None


def lines(check: Check, width: int) -> list[str]:
    """A check as lines: finding, name and message, then what to do, wrapped under the message."""
    indent = " " * (FINDING_WIDTH + NAME_WIDTH)
    room = max(NARROWEST, width - len(indent))
    subject = f"{check.subject}: " if check.subject else ""
    said = _wrapped(f"{subject}{check.message}", room) or [""]
    advice = _wrapped(f"-> {check.advice}", room) if check.advice else []
    mark = f"{check.finding:{FINDING_WIDTH}}"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        mark = click.style(mark, fg=STYLES[check.finding])
    return [f"{mark}{check.name:{NAME_WIDTH}}{said[0]}", *(indent + line for line in (*said[1:], *advice))]


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of a width at most, but for a word that is longer: addresses stay whole, to be copied."""
    return textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False)


def summary(found: Diagnosis) -> str:
    """One line: how many checks came to what."""
    counts = ((finding, sum(check.finding is finding for check in found.checks)) for finding in Finding)
    return ", ".join(f"{number} {finding}" for finding, number in counts if number)
