"""Time in the simulation: what happens when, at a chosen speed or on a clock that is given."""

import asyncio
from collections.abc import Callable

from krs.core.model import Instant
from krs.daemon.clock import Clock, ScaledClock


class Agenda:
    """A clock, and callbacks to come. `speed` seconds pass in a second of the event loop's time."""

    def __init__(self, speed: float = 1.0, clock: Clock | None = None) -> None:
        self.speed = speed
        self.clock = clock or ScaledClock(speed)
        self._handles: set[asyncio.TimerHandle] = set()
        self._closed = False

    def now(self) -> Instant:
        """Seconds since the epoch, in the simulation."""
        return self.clock.now()

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Call `do` in some seconds of the simulation; never after `close`."""
        if self._closed:
            return

        def run() -> None:
            self._handles.discard(handle)
            do()

        handle = asyncio.get_running_loop().call_later(seconds / self.speed, run)
        self._handles.add(handle)

    def close(self) -> None:
        """Forget all that was to come."""
        self._closed = True
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()
