"""The live end of the journal, shared by every reader in the process: a bounded ring, and a reader is a cursor.

No queue per reader, so a slow one costs nothing but its own lag; what fell out of the ring is read from the store.
"""

import asyncio
from collections import deque
from collections.abc import Iterable

from krs.core.model import Event


class Feed:
    """The last `size` events by `seq`, and a way to wait for the next."""

    def __init__(self, last_seq: int = 0, size: int = 4096) -> None:
        self.last_seq = last_seq
        self._ring: deque[Event] = deque(maxlen=size)
        self._grown = asyncio.Event()

    def publish(self, events: Iterable[Event]) -> None:
        """Append numbered events, in order, and wake every reader."""
        for event in events:
            self._ring.append(event)
            self.last_seq = event.seq
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    def since(self, cursor: int) -> tuple[Event, ...] | None:
        """The events after `cursor`; None when the ring no longer has them all (ask the store)."""
        if cursor >= self.last_seq:
            return ()
        if not self._ring or self._ring[0].seq > cursor + 1:
            return None
        return tuple(event for event in self._ring if event.seq > cursor)

    async def wait(self, cursor: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds for an event after `cursor`; False when none came."""
        if cursor < self.last_seq:
            return True
        grown = self._grown
        try:
            await asyncio.wait_for(grown.wait(), timeout)
        except TimeoutError:
            return False
        return True
