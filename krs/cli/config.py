"""`krs config`: what is set and where it comes from, what is wrong with it, and a file to begin with."""

import json
import os
from pathlib import Path
from typing import Any

import click
import msgspec

from krs import private
from krs.cli.daemon import daemon, given, read_settings
from krs.cli.errors import FAILED, USAGE, CliError
from krs.cli.explain import explain
from krs.cli.options import CONFIG
from krs.cli.profile import profile
from krs.config import ConfigError, Loaded, load
from krs.config.describe import example
from krs.config.load import missing
from krs.config.settings import keys
from krs.secret import Secret


@click.group()
def config() -> None:
    """Show, check or write the configuration."""


config.add_command(profile)
config.add_command(explain)


@config.command(params=[*daemon.params])
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(path: Path | None, as_json: bool, **options: str | bool | None) -> None:
    """Print every setting, its value and where it comes from; secrets are masked. Takes the daemon's flags."""
    loaded = read_settings(path, given(options))
    settings, origins = loaded.settings, loaded.origins
    rows = {key: (_shown(getattr(settings, key.partition(".")[0]), key), origins[key]) for key in keys()}
    for number, entry in enumerate(settings.pools, 1):
        places = {key: where for key, where in origins.items() if key.startswith(f"pools[{number}].")}
        rows |= {key: (_shown(entry, key), where) for key, where in places.items()}
    if as_json:
        click.echo(json.dumps({key: {"value": value, "from": origin} for key, (value, origin) in rows.items()}))
        return
    width = max(map(len, rows))
    for key, (value, origin) in rows.items():
        shown = "-" if value is None else str(value)
        click.echo(f"{key:<{width}}  {shown:<24}  {origin}")


def _shown(table: Any, key: str) -> Any:  # noqa: ANN401 - any setting's type
    value = getattr(table, key.rpartition(".")[2])
    if isinstance(value, Secret):
        return "***" if value else None
    plain = msgspec.to_builtins(value) if not isinstance(value, Path) else str(value)
    return ", ".join(plain) if isinstance(plain, list) else plain


@config.command()
@CONFIG
def check(path: Path | None) -> None:
    """Say what is wrong or missing, all at once; exit 2 if anything is."""
    try:
        loaded = load({}, os.environ, path)
    except ConfigError as wrong:
        raise CliError("\n".join([*wrong.problems, *wrong.lacks]), USAGE) from None
    for warning in loaded.warnings:
        click.echo(f"krs: warning: {warning}", err=True)
    if lacks := [*missing(loaded.settings), *_key_problem(loaded)]:
        raise CliError("\n".join(lacks), USAGE)
    click.echo("the configuration is complete and makes sense")


def _key_problem(loaded: Loaded) -> list[str]:
    """Whether the App's key is one, as a daemon would find at its start."""
    from krs.setup.github import key_problem

    problem = key_problem(loaded.settings)
    return [f"{loaded.origins['github.private_key']}: github.private_key: {problem}"] if problem else []


@config.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("krs.toml"))
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def init(path: Path, force: bool) -> None:
    """Write a commented configuration file (krs.toml); an existing file is left alone, unless forced."""
    if path.exists() and not force:
        raise CliError(f"{path} exists already: move it away, name another file, or replace it with --force", FAILED)
    try:
        private.write(path, example())
    except OSError as problem:
        raise CliError(f"{path}: {problem.strerror}", FAILED) from None
    click.echo(f"wrote {path}")
