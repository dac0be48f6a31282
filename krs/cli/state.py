"""`krs state`: look at the state file, copy it, make it smaller."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from krs.cli.daemon import read_settings
from krs.cli.errors import FAILED, REFUSED, CliError
from krs.cli.options import CONFIG
from krs.words import when

if TYPE_CHECKING:
    from krs.store import inspection

T = TypeVar("T")

OPTIONS = (
    CONFIG,
    click.option("--state", "named", help="The state file (KRS_STATE)."),
)


def where(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which file."""
    for option in OPTIONS:
        command = option(command)
    return command


def path_of(path: Path | None, named: str | None) -> Path:
    """The file that a daemon with this configuration would use."""
    from krs.config.paths import state_path

    return state_path(read_settings(path, {"state": named} if named else {}).settings)


def done(work: Callable[[], T]) -> T:
    """Do it, turning what can be wrong with the file into one line and an exit code."""
    from krs.store import StoreError, StoreLocked

    try:
        return work()
    except StoreLocked as problem:
        raise CliError(str(problem), REFUSED) from None
    except StoreError as problem:
        raise CliError(str(problem), FAILED) from None


@click.group()
def state() -> None:
    """Check, copy or shrink the state file."""


@state.command()
@where
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(path: Path | None, named: str | None, as_json: bool) -> None:
    """Say what is in the file and whether it is sound; exit 1 when it is not. A daemon may run."""
    from krs.cli.remote import show_json
    from krs.store import inspection

    file = path_of(path, named)
    report = done(lambda: inspection.check(file))
    if as_json:
        show_json(report)
    else:
        _show(report)
    if report.integrity != "ok":
        raise CliError(f"state file {file} is damaged: {report.integrity}: restore a copy, or move it away", FAILED)


def _show(report: "inspection.Report") -> None:
    lines = {
        "file": report.path,
        "integrity": report.integrity,
        "schema": str(report.schema),
        "size": f"{report.size:,} bytes",
        "rows": ", ".join(f"{table} {count:,}" for table, count in report.rows.items()),
        "oldest event": when(report.oldest_event),
        "newest event": when(report.newest_event),
        "last delivery absorbed": when(report.last_processed),
        "daemon": f"process {report.held_by} holds it" if report.held_by is not None else "none holds it",
    }
    width = max(map(len, lines))
    for name, value in lines.items():
        click.echo(f"{name:<{width}}  {value}")


@state.command()
@where
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over an existing file.")
def backup(path: Path | None, named: str | None, target: Path, force: bool) -> None:
    """Copy the file as of one moment to TARGET; a daemon may run."""
    from krs.store import inspection

    file = path_of(path, named)
    if target.exists() and (target.is_dir() or target.samefile(file)):
        raise CliError(f"{target} is a folder or the state file itself: name another file", FAILED)
    if target.exists() and not force:
        raise CliError(f"{target} exists already: name another file, or say --force", REFUSED)
    size = done(lambda: inspection.backup(file, target))
    click.echo(f"wrote {target}: {size:,} bytes")


@state.command()
@where
def vacuum(path: Path | None, named: str | None) -> None:
    """Give the room of dropped rows back to the disk; refused while a daemon runs."""
    from krs.store import inspection

    file = path_of(path, named)
    before, after = done(lambda: inspection.vacuum(file))
    click.echo(f"{file}: {before:,} bytes before, {after:,} after")
