"""The tables, and the steps from each version of them to the next.

`PRAGMA user_version` counts the steps taken. A step is never edited once released; add one at the end of `STEPS`, in
SQL that also fits a file full of rows. Before the first step on an existing file a copy of it is kept as
`<path>.schema-<n>`.
"""

import sqlite3
from pathlib import Path

from krs.store.errors import StoreForeign, StoreTooNew

STEPS = (
    """
    CREATE TABLE delivery(
        seq INTEGER PRIMARY KEY, guid TEXT NOT NULL, received_at REAL NOT NULL, fact TEXT NOT NULL,
        processed_at REAL) STRICT;
    CREATE INDEX delivery_unprocessed ON delivery(seq) WHERE processed_at IS NULL;
    CREATE INDEX delivery_processed ON delivery(processed_at);
    CREATE TABLE job(key INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT;
    CREATE TABLE runner(key TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT;
    CREATE TABLE pool(key TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT;
    CREATE TABLE journal(
        seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, runner TEXT,
        data TEXT NOT NULL) STRICT;
    CREATE INDEX journal_kind ON journal(kind, seq);
    CREATE INDEX journal_runner ON journal(runner, seq) WHERE runner IS NOT NULL;
    CREATE INDEX journal_at ON journal(at);
    CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE quarantine(
        at REAL NOT NULL, source TEXT NOT NULL, key TEXT NOT NULL, data TEXT NOT NULL, problem TEXT NOT NULL) STRICT;
    """,
)


TABLES = frozenset(("delivery", "journal", "meta"))
"""Tables by which a file is known as ours, whatever its version."""


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """How many steps the file has taken, 0 for an empty one. Changes nothing.

    Raises `StoreForeign` for another program's database and `StoreTooNew` for one of a later krs.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if (tables or version) and not (version and tables >= TABLES):
        raise StoreForeign(f"state file {path} is a database of another program: set state.path (KRS_STATE) elsewhere")
    if version > len(STEPS):
        kept = copy_of(path, len(STEPS))
        back = f", put {kept} in its place" if kept.exists() else ""
        raise StoreTooNew(
            f"state file {path} has schema {version}, this krs knows {len(STEPS)}: upgrade krs{back}, or set state.path"
        )
    return int(version)


def copy_of(path: Path, version: int) -> Path:
    """Where the file is kept as it was at a version, before the steps that followed."""
    return path.with_name(f"{path.name}.schema-{version}")


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Take the steps that are left, each whole or not at all. Raises `sqlite3.Error`."""
    for number in range(version, len(STEPS)):
        connection.executescript(f"BEGIN IMMEDIATE; {STEPS[number]}; PRAGMA user_version = {number + 1}; COMMIT;")


def touch(connection: sqlite3.Connection) -> None:
    """Write the version anew."""
    connection.execute(f"PRAGMA user_version = {len(STEPS)}")
