"""A look at the state file from outside: how large it is, which tables it has, how much room is left on its disk."""

import os
import shutil
import sqlite3
from pathlib import Path

import msgspec

from krs.store.errors import StoreUnwritable, translated
from krs.store.schema import STEPS


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. Sizes are bytes; `size` is with the write-ahead log, 0 where there is no file yet."""

    path: str
    size: int
    free: int
    schema: int
    known: int = len(STEPS)
    """The schema that this program writes."""


def look(path: Path) -> Look:
    """Look without changing or locking anything. Raises `StoreError` for a file or folder that could not be used."""
    folder = next(place for place in (path.parent, *path.parent.parents) if place.exists())
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise StoreUnwritable(f"state file {path} cannot be written: make it writable, or set state.path (KRS_STATE)")
    try:
        sizes = [part.stat().st_size for part in (path, Path(f"{path}-wal")) if part.exists()]
        free = shutil.disk_usage(folder).free
    except OSError as problem:
        raise StoreUnwritable(f"state file {path}: {problem.strerror}") from None
    return Look(path=str(path), size=sum(sizes), free=free, schema=_schema(path) if path.exists() else 0)


def _schema(path: Path) -> int:
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as problem:
        raise translated(problem, path) from None
    return int(version)
