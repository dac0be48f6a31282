"""The journal: what happened, numbered without gaps or repeats. Runs inside the writer's transactions."""

import sqlite3
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from krs.core.model import Event, Instant, Name
from krs.core.views import Page
from krs.core.vocabulary import EventKind
from krs.store.bulk import bulk_insert, document

_decode = msgspec.json.Decoder(Event).decode


def append(connection: sqlite3.Connection, news: Iterable[Event]) -> tuple[Event, ...]:
    """Write events; gives them numbered."""
    numbered = tuple(replace(event, seq=seq) for seq, event in enumerate(news, last(connection) + 1))
    if numbered:
        rows = document((event.seq, event.at, event.kind, event.runner, event) for event in numbered)
        connection.execute(bulk_insert("journal(seq, at, kind, runner, data)", 5), (rows,))
    return numbered


def last(connection: sqlite3.Connection) -> int:
    """The number of the newest event ever written, also when it was pruned."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").fetchone()
    return int(row[0]) if row else 0


def read(
    connection: sqlite3.Connection, after: int, kinds: frozenset[EventKind], limit: int, runner: Name | None
) -> Page:
    """Events after a number, oldest first, of some kinds or all, of one runner or all."""
    where, values = ["seq > ?"], [str(after)]
    if kinds:
        where.append(f"kind IN ({','.join('?' * len(kinds))})")
        values += sorted(kinds)
    if runner is not None:
        where.append("runner = ?")
        values.append(runner)
    query = f"SELECT seq, data FROM journal WHERE {' AND '.join(where)} ORDER BY seq LIMIT ?"  # noqa: S608 - the text holds no value
    rows = connection.execute(query, (*values, limit + 1)).fetchall()
    events = tuple(_decode(data) for _, data in rows[:limit])
    (oldest,) = connection.execute("SELECT coalesce(min(seq), 0) FROM journal").fetchone()
    more = len(rows) > limit
    return Page(events=events, next=events[-1].seq if more else max(after, last(connection)), more=more, oldest=oldest)


def prune(connection: sqlite3.Connection, now: Instant, keep: float, limit: int) -> int:
    """Drop old rows; gives how many, 0 when nothing is left to do."""
    dropped = connection.execute(
        "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE at < ? LIMIT ?)", (now - keep, limit)
    )
    return dropped.rowcount
