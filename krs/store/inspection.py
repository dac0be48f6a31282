"""The state file seen from outside the daemon: what is in it, a copy of it, its size reduced."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from krs.core.model import Instant
from krs.store.errors import StoreUnwritable, translated
from krs.store.file import copy, lock, reading
from krs.store.schema import version_of


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `check` found: bytes with the WAL, and instants in seconds since the epoch, None where there is none."""

    path: str
    integrity: str
    """SQLite's word: `ok`, or the first of what is wrong."""
    schema: int
    size: int
    rows: dict[str, int]
    oldest_event: Instant | None
    newest_event: Instant | None
    last_processed: Instant | None
    """When a turn last absorbed a delivery."""
    held_by: int | None
    """The process of the daemon that has the file open."""


def check(path: Path) -> Report:
    """Look at the file, also while a daemon runs. Raises a `StoreError`."""
    with _opened(path) as (connection, schema):
        (integrity,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        oldest, newest = connection.execute("SELECT min(at), max(at) FROM journal").fetchone()
        (processed,) = connection.execute("SELECT max(processed_at) FROM delivery").fetchone()
        return Report(
            path=str(path),
            integrity=str(integrity),
            schema=schema,
            size=size(path),
            rows=dict(_rows(connection)),
            oldest_event=oldest,
            newest_event=newest,
            last_processed=processed,
            held_by=holder(path),
        )


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[str, int]]:
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    for (name,) in sorted(names.fetchall()):
        (count,) = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # noqa: S608 - a name from the schema
        yield name, count


def backup(path: Path, target: Path) -> int:
    """Copy the file as of one moment, also while a daemon writes; gives the copy's bytes. Raises a `StoreError`."""
    with _opened(path) as (connection, _):
        try:
            copy(connection, target)
            return target.stat().st_size
        except OSError as problem:
            raise StoreUnwritable(f"{target}: {problem.strerror}: name another file") from None
        except sqlite3.Error as problem:
            raise translated(problem, target) from None


def vacuum(path: Path) -> tuple[int, int]:
    """Give the room of dropped rows back to the disk; bytes before and after. Raises `StoreLocked` beside a daemon."""
    with _opened(path):
        pass
    try:
        held = lock(path)
    except OSError as problem:
        raise StoreUnwritable(f"state file {path}: {problem.strerror}: make its folder writable") from None
    with closing(held):
        before = size(path)
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as problem:
            raise translated(problem, path) from None
        return before, size(path)


def holder(path: Path) -> int | None:
    """The process that has the file open as its state; None when no daemon does."""
    try:
        with open(f"{path}.lock", encoding="ascii") as held:  # noqa: PTH123 - the name is made of the path's text
            try:
                fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(held.read().strip() or 0)
    except FileNotFoundError:
        pass
    return None


def size(path: Path) -> int:
    """Bytes of the file and its WAL."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


@contextmanager
def _opened(path: Path) -> Iterator[tuple[sqlite3.Connection, int]]:
    """The file for reading, and its schema; a file that is none of ours, or empty, is refused."""
    if not path.is_file():
        raise StoreUnwritable(f"state file {path}: there is none: name it with --state, KRS_STATE or state.path")
    try:
        with closing(reading(path)) as connection:
            schema = version_of(connection, path)
            if not schema:
                raise StoreUnwritable(f"state file {path} is empty: no daemon has used it yet")
            yield connection, schema
    except sqlite3.Error as problem:
        raise translated(problem, path) from None
