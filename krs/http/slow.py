"""Cutting off senders who begin a small body and never end it.

Tornado's own body timeout makes a timer a request, a tenth of the time of answering a delivery; here a request costs a
dictionary entry, and one sweep now and then looks for old ones.
"""

from typing import Protocol


class Stream(Protocol):
    """What is cut off."""

    def close(self) -> None:
        """Close the connection."""


LIMIT = 60.0
"""Seconds that a body may take."""


class SlowBodies:
    """Connections in the middle of a body, by when they began it."""

    def __init__(self) -> None:
        self._begun: dict[Stream, float] = {}

    def begin(self, stream: Stream, now: float) -> None:
        """A body begins."""
        self._begun[stream] = now

    def end(self, stream: Stream) -> None:
        """It came whole."""
        self._begun.pop(stream, None)

    def sweep(self, now: float) -> None:
        """Close what has taken too long."""
        late = [stream for stream, begun in self._begun.items() if now - begun > LIMIT]
        for stream in late:
            del self._begun[stream]
            stream.close()
