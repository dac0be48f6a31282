"""Carries out commands: bounded, concurrent, each ending in facts for the loop. Never decides."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from krs.core import commands as c
from krs.core.facts import Fact
from krs.daemon.clock import Clock

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Commands under way at a time: a burst must neither open hundreds of connections nor trip a rate limit."""

Handler = Callable[[c.Command], Awaitable[Iterable[Fact]]]


class Executor:
    """Runs each command through `handle` and tells the loop its facts."""

    def __init__(self, *, clock: Clock, handle: Handler, tell: Callable[..., None]) -> None:
        self._clock = clock
        self._handle = handle
        self._tell = tell
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, command: c.Command) -> None:
        """Start a command as soon as there is room."""
        task = asyncio.get_running_loop().create_task(self._run(command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, command: c.Command) -> None:
        async with self._gate:
            if self._clock.now() >= command.expires:
                log.warning("%s came too late to be started", type(command).__name__)
                return
            try:
                self._tell(*await self._handle(command))
            except Exception:
                log.exception("%s failed in a way nobody foresaw; it is tried again", type(command).__name__)

    async def close(self, grace: float) -> None:
        """Give what is under way `grace` seconds, then cancel it; what was cut off is repeated after a restart."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
