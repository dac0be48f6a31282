"""What can be wrong with the state file: one clear line each, with the path and what to do."""

import sqlite3
from pathlib import Path


class StoreError(Exception):
    """The state file cannot be used as asked."""


class StoreLocked(StoreError):
    """Another daemon uses the file."""


class StoreTooNew(StoreError):
    """The file was written by a newer krs; it is left untouched."""


class StoreForeign(StoreError):
    """The file is a database of another program; it is left untouched."""


class StoreUnwritable(StoreError):
    """The file or its folder cannot be written."""


class StoreMoved(StoreUnwritable):
    """The file is not where it was: what is written now would be gone with the process."""


class StoreFull(StoreUnwritable):
    """The disk is full; the next write may succeed again."""


class StoreCorrupt(StoreError):
    """The file is not a database, or a damaged one."""


FULL = ("full", "disk i/o")
DAMAGED = ("malformed", "not a database")


def translated(problem: sqlite3.Error, path: Path) -> StoreError:
    """An error of SQLite in the words of this module."""
    text = str(problem)
    if any(word in text for word in FULL):
        return StoreFull(f"state file {path}: {text}: make room on the disk, or mend it")
    if any(word in text for word in DAMAGED):
        return StoreCorrupt(f"state file {path}: {text}: move it away; krs rebuilds what it needs from Koyeb")
    if "locked" in text:
        return StoreLocked(
            f"state file {path} is in use by another program: stop it, or set state.path to another file"
        )
    return StoreUnwritable(f"state file {path}: {text}: check that its folder can be written, or set state.path")
