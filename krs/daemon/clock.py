"""Time for the daemon: the only place that reads the wall clock, so that everything else can be given another one."""

import asyncio
import math
import time
from typing import Protocol

from krs.core.model import Instant

LONGEST_WAIT = 3600.0
"""Seconds: the loop wakes at least this often, whatever the deadline."""


class Clock(Protocol):
    """What the daemon needs of time."""

    def now(self) -> Instant:
        """Seconds since the epoch; never smaller than a value given before."""

    async def wait(self, event: asyncio.Event, until: Instant) -> bool:
        """Wait for `event` until an instant; True when the event came."""


class ScaledClock:
    """Wall time, `speed` times as fast; with speed 1 it is the system's clock.

    A step back of the system's clock is held flat: instants in the store must not lie in the future.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._wall_start = time.time()  # noqa: TID251 - the one place that reads it
        self._last = self._wall_start

    def now(self) -> Instant:
        """Seconds since the epoch of this clock's world."""
        wall = time.time()  # noqa: TID251 - the one place that reads it
        self._last = max(self._last, self._wall_start + (wall - self._wall_start) * self._speed)
        return Instant(self._last)

    async def wait(self, event: asyncio.Event, until: Instant) -> bool:
        """Wait for `event` until an instant; True when the event came."""
        seconds = (until - self.now()) / self._speed
        timeout = min(LONGEST_WAIT, max(0.0, seconds)) if math.isfinite(seconds) else LONGEST_WAIT
        try:
            await asyncio.wait_for(event.wait(), timeout)
        except TimeoutError:
            return False
        return True


class SystemClock(ScaledClock):
    """Wall time."""

    def __init__(self) -> None:
        super().__init__(speed=1.0)
