"""`krs setup`: its flags, its questions on a terminal, and how it ends. The work is in `krs.setup`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from krs.cli.errors import FAILED, UNREACHABLE, USAGE, CliError
from krs.config import ConfigError, Given

if TYPE_CHECKING:
    from krs.setup.asker import Asker
    from krs.setup.wizard import Wizard

STOPPED = 130
"""What a shell calls a program that ctrl-c ended."""
FLAGS = {
    "koyeb_token": "koyeb.token",
    "app": "koyeb.app",
    "github_token": "github.token",
    "app_id": "github.app_id",
    "private_key": "github.private_key",
    "mode": "github.mode",
    "api_secret": "webhook.secret",
}
"""Options and the settings that they give."""


@click.command()
@click.argument("scopes", nargs=-1, metavar="[SCOPE]...")
@click.option("--config", "path", type=click.Path(path_type=Path), help="The file to write (KRS_CONFIG; krs.toml).")
@click.option("--url", default="", help="Public https:// address of the daemon, where GitHub delivers.")
@click.option("--koyeb-token", help="Koyeb API key, better given as KOYEB_TOKEN, env:NAME or file:PATH.")
@click.option("--github-token", help="GitHub token, better given as GITHUB_TOKEN, env:NAME or file:PATH.")
@click.option("--app-id", help="Instead of a token: the App ID or client ID of a GitHub App.")
@click.option("--private-key", help="The App's private key: file:PATH or env:NAME.")
@click.option("--mode", help="repository or organization; else as SCOPE says.")
@click.option("--app", help="Name of the Koyeb app that holds the runners.")
@click.option("--api-secret", help="Secret of the webhook; one is made when there is none.")
@click.option("--yes", is_flag=True, help="Ask nothing: take the defaults, and repair what is there.")
@click.option("--dry-run", is_flag=True, help="Show each call and change nothing.")
@click.option("--show-secrets", is_flag=True, help="Print secrets that are made.")
def setup(
    scopes: tuple[str, ...],
    path: Path | None,
    url: str,
    yes: bool,
    dry_run: bool,
    show_secrets: bool,
    **options: str | None,
) -> None:
    """Set everything up: keys, krs.toml, webhook. SCOPE is owner/repo, or an organization. Run it again at will."""
    from krs.daemon.clock import SystemClock
    from krs.setup.draft import Draft
    from krs.setup.wizard import Options, Wizard

    asker = _asker(silent=yes or dry_run)
    flags = {FLAGS[name]: Given(text, f"--{name.replace('_', '-')}") for name, text in options.items() if text}
    try:
        draft = Draft(flags, os.environ, path)
        wizard = Wizard(
            draft,
            asker,
            Options(scopes=scopes, url=url, dry_run=dry_run, show_secrets=show_secrets),
            show=click.echo,
            now=SystemClock().now,
        )
        _run(wizard)
    except ConfigError as wrong:
        raise CliError("\n".join(wrong.problems), USAGE) from None


def _asker(*, silent: bool) -> "Asker":
    if silent:
        from krs.setup.asker import Nobody

        return Nobody()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CliError("there is no terminal to ask on: give --yes, or --dry-run to see what it would do", USAGE)
    from krs.cli.prompts import Prompts

    return Prompts()


def _run(wizard: "Wizard") -> None:
    from krs.setup.report import Mark

    try:
        complete = wizard.run()
    except (KeyboardInterrupt, EOFError):
        click.echo(err=True)
        raise CliError(f"stopped; {_changed(wizard)}: krs setup again goes on from here", STOPPED) from None
    if complete:
        return
    marks = {line.mark for line in wizard.lines}
    if not any(mark.failed for mark in marks):
        raise SystemExit(FAILED)
    code = FAILED if Mark.FAIL in marks else USAGE if Mark.WRONG in marks else UNREACHABLE
    raise CliError(f"not complete; {_changed(wizard)}: mend what fails above and run krs setup again", code)


def _changed(wizard: "Wizard") -> str:
    return f"changed so far: {', '.join(wizard.changed)}" if wizard.changed else "nothing was changed"
