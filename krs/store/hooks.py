"""What must be remembered of GitHub's hooks, as rows of `meta`: where they are, and what was asked for again.

Runs inside the writer's transactions. Keys are `hook:<number>` and `redelivery:<guid>`; a krs that does not know them
leaves them alone.
"""

import sqlite3

import msgspec

from krs.core.model import Instant
from krs.store.rows import KnownHook

HOOK_KEPT = 30 * 24 * 3600.0
"""Seconds after its last delivery for which a hook is remembered."""
REDELIVERY_KEPT = 4 * 24 * 3600.0
"""A day more than GitHub keeps the delivery itself."""


class Redelivery(msgspec.Struct, frozen=True):
    """When a delivery was asked for again; `done` once GitHub took the order."""

    at: Instant
    done: bool


def known(connection: sqlite3.Connection) -> tuple[KnownHook, ...]:
    """All hooks."""
    return tuple(msgspec.json.decode(value, type=KnownHook) for _, value in _rows(connection, "hook:"))


def keep(connection: sqlite3.Connection, hook: KnownHook) -> None:
    """Remember a hook, or what is new about it."""
    _put(connection, f"hook:{hook.id}", hook)


def redelivered(connection: sqlite3.Connection) -> frozenset[str]:
    """The GUIDs whose order GitHub took."""
    rows = _rows(connection, "redelivery:")
    return frozenset(key for key, value in rows if msgspec.json.decode(value, type=Redelivery).done)


def mark(connection: sqlite3.Connection, guid: str, redelivery: Redelivery) -> None:
    """Remember that a delivery is asked for again."""
    _put(connection, f"redelivery:{guid}", redelivery)


def prune(connection: sqlite3.Connection, now: Instant) -> int:
    """Forget what is old; gives how many, 0 when nothing is left to do."""
    old = [f"hook:{hook.id}" for hook in known(connection) if hook.seen_at < now - HOOK_KEPT]
    old += [
        f"redelivery:{guid}"
        for guid, value in _rows(connection, "redelivery:")
        if msgspec.json.decode(value, type=Redelivery).at < now - REDELIVERY_KEPT
    ]
    keys = msgspec.json.encode(old).decode()
    return connection.execute("DELETE FROM meta WHERE key IN (SELECT value FROM json_each(?))", (keys,)).rowcount


def _rows(connection: sqlite3.Connection, prefix: str) -> list[tuple[str, bytes]]:
    """Keys without their prefix, and values."""
    rows = connection.execute(
        "SELECT substr(key, ?), value FROM meta WHERE key GLOB ?", (len(prefix) + 1, f"{prefix}*")
    )
    return rows.fetchall()


def _put(connection: sqlite3.Connection, key: str, value: msgspec.Struct) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, msgspec.json.encode(value)))
