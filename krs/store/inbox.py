"""Deliveries: taken in, read, marked as absorbed, dropped. Runs inside the writer's transactions.

What is kept of a delivery is the fact that it states, not its 10 KiB of JSON: GitHub keeps the body in its own log.
"""

import sqlite3
from collections.abc import Iterable

import msgspec

from krs.core.facts import JobFact
from krs.core.model import Instant
from krs.store.bulk import bulk_insert
from krs.store.rows import InboxRow

# A delivery that comes twice is kept twice: absorbing it again changes nothing, and a redelivery repeats its GUID on
# purpose. A unique index over random GUIDs would be most of what a commit writes.
RECEIVE = bulk_insert("delivery(seq, guid, received_at, fact)", 4)

_decode = msgspec.json.Decoder(JobFact).decode


def unprocessed(connection: sqlite3.Connection) -> tuple[InboxRow, ...]:
    """The deliveries that wait, oldest first."""
    rows = connection.execute("SELECT seq, fact FROM delivery WHERE processed_at IS NULL ORDER BY seq")
    return tuple(InboxRow(seq, _decode(fact)) for seq, fact in rows)


def last(connection: sqlite3.Connection) -> int:
    """The highest number given so far, of those still kept."""
    (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM delivery").fetchone()
    return int(seq)


def last_received(connection: sqlite3.Connection) -> Instant | None:
    """When the last delivery of those still kept came."""
    row = connection.execute("SELECT received_at FROM delivery ORDER BY seq DESC LIMIT 1").fetchone()
    return None if row is None else Instant(row[0])


def depth(connection: sqlite3.Connection) -> int:
    """How many deliveries wait."""
    (count,) = connection.execute("SELECT count(*) FROM delivery WHERE processed_at IS NULL").fetchone()
    return int(count)


def repositories(connection: sqlite3.Connection, since: Instant) -> frozenset[str]:
    """Whose jobs were delivered since an instant."""
    rows = connection.execute(
        "SELECT DISTINCT json_extract(fact, '$.repo') FROM delivery WHERE received_at >= ?", (since,)
    )
    return frozenset(repo for (repo,) in rows)


def mark(connection: sqlite3.Connection, processed: Iterable[int], now: Instant) -> None:
    """Mark deliveries as absorbed."""
    connection.execute(
        "UPDATE delivery SET processed_at = ? WHERE seq IN (SELECT value FROM json_each(?))",
        (now, msgspec.json.encode(list(processed)).decode()),
    )


def prune(connection: sqlite3.Connection, now: Instant, keep: float, limit: int) -> int:
    """Drop old rows; gives how many, 0 when nothing is left to do."""
    dropped = connection.execute(
        "DELETE FROM delivery WHERE seq IN (SELECT seq FROM delivery WHERE processed_at < ? LIMIT ?)",
        (now - keep, limit),
    )
    return dropped.rowcount
