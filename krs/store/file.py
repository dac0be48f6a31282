"""The state file as a file: one owner, and opened for writing only once it is known to be ours."""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import IO

from krs.store.errors import StoreLocked, StoreUnwritable, translated
from krs.store.schema import STEPS, copy_of, migrate, version_of

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA busy_timeout=2000",
)
MAGIC = b"SQLite format 3\0"
"""How every database begins (https://www.sqlite.org/fileformat.html)."""


def lock(path: Path) -> IO[str]:
    """Hold `<path>.lock`; it is freed with the process, however that ends. Raises `StoreLocked` or `OSError`."""
    held = open(f"{path}.lock", "a+", encoding="ascii", opener=_private)  # noqa: SIM115 - it is held as long as the store is open
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = f" (process {holder})" if (holder := _written_by(held)) else ""
        held.close()
        raise StoreLocked(
            f"state file {path} is in use by another daemon{who}: stop it, or set state.path (KRS_STATE)"
        ) from None
    held.seek(0)
    held.truncate()
    held.write(str(os.getpid()))
    held.flush()
    return held


def _written_by(held: IO[str]) -> str:
    held.seek(0)
    return held.read().strip()


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the file and bring it to this program's schema. Raises a `StoreError`.

    A file that is not ours, or of a newer krs, is looked at through a connection that cannot write.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        version = inspect(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            for pragma in PRAGMAS:
                connection.execute(pragma)
            if 0 < version < len(STEPS):
                copy(connection, copy_of(path, version))
            migrate(connection, version)
        except BaseException:
            connection.close()
            raise
    except OSError as problem:
        raise StoreUnwritable(f"state file {path}: {problem.strerror}: set state.path (KRS_STATE) elsewhere") from None
    except sqlite3.Error as problem:
        raise translated(problem, path) from None
    return connection


def inspect(path: Path) -> int:
    """The schema of the file, 0 for an empty one.

    Raises `StoreForeign`, `StoreTooNew`, `OSError` or `sqlite3.Error`.
    """
    looking = reading(path)
    try:
        return version_of(looking, path)
    finally:
        looking.close()


def reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, also while a daemon runs. Raises `OSError` or `sqlite3.DatabaseError`."""
    with path.open("rb") as file:
        magic = file.read(len(MAGIC))
    # SQLite takes a file shorter than a page for an empty one, and would write over a note or a configuration.
    if magic and magic != MAGIC:
        raise sqlite3.DatabaseError("file is not a database")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def copy(source: sqlite3.Connection, target: Path) -> None:
    """Write what the connection sees to `target`, whole or not at all, for the owner alone. Others may go on writing.

    Raises `OSError` or `sqlite3.Error`.
    """
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.unlink(missing_ok=True)
    os.close(_private(str(unfinished), os.O_RDWR | os.O_CREAT | os.O_EXCL))
    try:
        into = sqlite3.connect(unfinished, isolation_level=None)
        try:
            source.backup(into)
            into.execute("PRAGMA journal_mode=DELETE")
        finally:
            into.close()
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
