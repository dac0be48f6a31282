"""Deliveries: taken in, read, marked as absorbed, dropped. Runs inside the writer's transactions."""

import sqlite3
from collections.abc import Iterable

from krs.core.model import Instant
from krs.store.rows import InboxRow

# A delivery is dropped as a double only while the first copy still waits: what was absorbed is absorbed again, which
# changes nothing, and rescues a delivery whose first copy was lost after it was marked.
RECEIVE = """
    INSERT INTO delivery(guid, event, received_at, body) VALUES (?, ?, ?, ?)
    ON CONFLICT(guid) DO UPDATE SET processed_at = NULL, body = excluded.body, received_at = excluded.received_at
    WHERE delivery.processed_at IS NOT NULL
"""


def receive(connection: sqlite3.Connection, guid: str, event: str, body: bytes, now: Instant) -> None:
    """Write one delivery."""
    connection.execute(RECEIVE, (guid, event, now, body))


def unprocessed(connection: sqlite3.Connection, limit: int) -> tuple[InboxRow, ...]:
    """The oldest deliveries that wait."""
    rows = connection.execute(
        "SELECT seq, guid, event, received_at, body FROM delivery WHERE processed_at IS NULL ORDER BY seq LIMIT ?",
        (limit,),
    )
    return tuple(InboxRow(*row) for row in rows)


def depth(connection: sqlite3.Connection) -> int:
    """How many deliveries wait."""
    (count,) = connection.execute("SELECT count(*) FROM delivery WHERE processed_at IS NULL").fetchone()
    return int(count)


def mark(connection: sqlite3.Connection, processed: Iterable[int], now: Instant) -> None:
    """Mark deliveries as absorbed."""
    connection.executemany("UPDATE delivery SET processed_at = ? WHERE seq = ?", [(now, seq) for seq in processed])


def prune(connection: sqlite3.Connection, now: Instant, bodies_for: float, keep: float, limit: int) -> int:
    """Empty old bodies and drop old rows; gives how many were touched, 0 when nothing is left to do."""
    emptied = connection.execute(
        "UPDATE delivery SET body = x'' WHERE seq IN (SELECT seq FROM delivery "
        "WHERE processed_at < ? AND length(body) > 0 LIMIT ?)",
        (now - bodies_for, limit),
    )
    dropped = connection.execute(
        "DELETE FROM delivery WHERE seq IN (SELECT seq FROM delivery WHERE processed_at < ? LIMIT ?)",
        (now - keep, limit),
    )
    return emptied.rowcount + dropped.rowcount
