"""The rows of the world: read at a start, written as a difference each turn. Runs inside the writer's transactions.

Rows are JSON of the core's structs: a field added later with a default reads from older rows, one that we do not know
is ignored. A row that cannot be read is set aside in `quarantine`, and the rest goes on.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from krs.core.model import Instant, Job, Pool, Runner, World
from krs.store.bulk import bulk_insert, document
from krs.store.journal import last
from krs.store.rows import Saved, Turn

Row = TypeVar("Row", Job, Runner, Pool)

_encode = msgspec.json.Encoder().encode


class Meta(msgspec.Struct):
    """What is not a row of its own."""

    creates: tuple[Instant, ...] = ()
    paused: bool = False
    counters: dict[str, int] = {}


def load(connection: sqlite3.Connection) -> Saved:
    """The world as the last turn left it."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'meta'").fetchone()
    meta = msgspec.json.decode(row[0], type=Meta) if row else Meta()
    tables: tuple[tuple[str, type[Any]], ...] = (("job", Job), ("runner", Runner), ("pool", Pool))
    read = {table: _rows(connection, table, kind) for table, kind in tables}
    (damaged,) = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    return Saved(
        world=World(
            jobs={job.id: job for job in read["job"]},
            runners={runner.name: runner for runner in read["runner"]},
            pools={pool.id: pool for pool in read["pool"]},
            creates=meta.creates,
            paused=meta.paused,
        ),
        last_seq=last(connection),
        counters=meta.counters,
        damaged=damaged,
    )


def _rows(connection: sqlite3.Connection, table: str, kind: type[Row]) -> list[Row]:
    decode = msgspec.json.Decoder(kind).decode
    rows: list[Row] = []
    for key, data in connection.execute(f"SELECT key, data FROM {table} ORDER BY rowid").fetchall():  # noqa: S608 - our own table names
        try:
            rows.append(decode(data))
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            connection.execute(
                "INSERT INTO quarantine VALUES (unixepoch(), ?, ?, ?, ?)", (table, str(key), data, str(problem))
            )
            connection.execute(f"DELETE FROM {table} WHERE key = ?", (key,))  # noqa: S608 - our own table names
    return rows


def write(connection: sqlite3.Connection, turn: Turn) -> None:
    """Write what a turn changed."""
    before, after = turn.before, turn.after
    _write(connection, "job", before.jobs, after.jobs)
    _write(connection, "runner", before.runners, after.runners)
    _write(connection, "pool", before.pools, after.pools)
    if after.news or (before.creates, before.paused) != (after.creates, after.paused):
        meta = Meta(after.creates, after.paused, turn.counters)
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('meta', ?)", (_encode(meta),))


def _write(
    connection: sqlite3.Connection, table: str, before: Mapping[Any, object], after: Mapping[Any, object]
) -> None:
    if before is after:
        return
    if changed := [(key, row) for key, row in after.items() if before.get(key) is not row]:
        connection.execute(bulk_insert(f"{table}(key, data)", 2), (document(changed),))
    if gone := [key for key in before if key not in after]:
        keys = _encode(gone).decode()
        connection.execute(f"DELETE FROM {table} WHERE key IN (SELECT value FROM json_each(?))", (keys,))  # noqa: S608 - our own table names
