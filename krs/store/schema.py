"""The tables, and the steps from each version of them to the next.

`PRAGMA user_version` counts the steps taken. A step is never edited once released; add one.
"""

import sqlite3
from pathlib import Path

from krs.store.errors import StoreTooNew

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


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables to this program's version. Raises `StoreTooNew`, having changed nothing, for a later one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(STEPS):
        raise StoreTooNew(
            f"state file {path} has schema {version}, this krs knows {len(STEPS)}: upgrade krs, or set state.path"
        )
    for number in range(version, len(STEPS)):
        connection.executescript(f"BEGIN IMMEDIATE; {STEPS[number]}; PRAGMA user_version = {number + 1}; COMMIT;")


def touch(connection: sqlite3.Connection) -> None:
    """Write the version anew."""
    connection.execute(f"PRAGMA user_version = {len(STEPS)}")
