"""Where a backend leaves changes for one reader, coalesced: a slow screen never makes a queue grow."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

from tui.backend.protocol import Change, Connection
from tui.backend.types import Event, Snapshot

EVENTS_KEPT = 10_000
"""Unread events beyond this are dropped, oldest first: the journal has them, the screen could not show them."""


class Mailbox:
    """The newest connection, the newest snapshot and the unread events; taken out in that order."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._snapshot: Snapshot | None = None
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._filled = asyncio.Event()
        self._closed = False

    def put(self, change: Change) -> None:
        """Leave one change."""
        match change:
            case Connection():
                self._connection = change
            case Snapshot():
                self._snapshot = change
            case _:
                self.put_events(change)
        self._filled.set()

    def put_events(self, events: Iterable[Event]) -> None:
        """Leave events, in the order of their `seq`."""
        self._events.extend(events)
        self._filled.set()

    def close(self) -> None:
        """End the reader once it has taken what is there."""
        self._closed = True
        self._filled.set()

    async def changes(self) -> AsyncIterator[Change]:
        """Take changes out as they come, until closed. Events wait for the first snapshot."""
        seen_snapshot = False
        while True:
            await self._filled.wait()
            self._filled.clear()
            if (connection := self._connection) is not None:
                self._connection = None
                yield connection
            if (snapshot := self._snapshot) is not None:
                self._snapshot, seen_snapshot = None, True
                yield snapshot
            if seen_snapshot and self._events:
                events = tuple(self._events)
                self._events.clear()
                yield events
            if self._closed and not self._filled.is_set():
                return
