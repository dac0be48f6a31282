"""Cutting off senders who begin a body and never end it, and who together begin more than there is memory for.

Tornado's own body timeout makes a timer a request, a tenth of the time of answering a delivery; here a request costs a
dictionary entry, and one sweep now and then looks for old ones.
"""

from typing import NamedTuple, Protocol


class Stream(Protocol):
    """What is cut off."""

    def close(self) -> None:
        """Close the connection."""


LIMIT = 60.0
"""Seconds that a body may take."""
BUDGET = 64 * 1024 * 1024
"""Bytes of bodies that may be on their way; a burst of a thousand deliveries has 12 MiB."""


class Body(NamedTuple):
    """When it began, and the bytes that it holds or will hold."""

    begun: float
    size: int


class SlowBodies:
    """Connections in the middle of a body, oldest first."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._bodies: dict[Stream, Body] = {}
        self._budget = budget
        self._total = 0

    def begin(self, stream: Stream, now: float, size: int = 0) -> None:
        """A body begins, of so many bytes as far as is known."""
        self.end(stream)
        self._bodies[stream] = Body(now, 0)
        self.grow(stream, size)

    def grow(self, stream: Stream, size: int) -> None:
        """It holds so much more, or less; with too much in all the oldest others are cut off."""
        body = self._bodies.get(stream)
        if body is None:
            return
        self._bodies[stream] = Body(body.begun, body.size + size)
        self._total += size
        while self._total > self._budget and len(self._bodies) > 1:
            self._cut(next(other for other in self._bodies if other is not stream))

    def end(self, stream: Stream) -> None:
        """It came whole."""
        if (body := self._bodies.pop(stream, None)) is not None:
            self._total -= body.size

    def sweep(self, now: float) -> None:
        """Close what has taken too long."""
        for stream in [stream for stream, body in self._bodies.items() if now - body.begun > LIMIT]:
            self._cut(stream)

    def _cut(self, stream: Stream) -> None:
        self.end(stream)
        stream.close()
