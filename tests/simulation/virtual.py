"""An event loop whose time is made of what is due: it jumps to the next timer whenever there is nothing to do.

Everything of a simulated installation runs in it without a socket, a thread or a wait, so that the same seed gives the
same run, and a day takes seconds.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from krs.core.model import Instant
from krs.store.writer import Task, Writer, resolve

T = TypeVar("T")

EPOCH = 1_800_000_000.0


class Stuck(Exception):
    """Nothing is due any more, and the coroutine that was to be run has not ended."""


class _Selector(selectors.DefaultSelector):
    """Never waits: hands the time that it was to wait to `skip`."""

    def __init__(self, skip: Callable[[float], None]) -> None:
        super().__init__()
        self._skip = skip

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now."""
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            if timeout is None:
                raise Stuck("nothing is due any more")
            self._skip(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop. What would go to a thread is done on the spot."""

    def __init__(self) -> None:
        self._virtual = 0.0
        super().__init__(_Selector(self._skip))

    def _skip(self, seconds: float) -> None:
        self._virtual += seconds

    def time(self) -> float:
        """Seconds since the loop began."""
        return self._virtual

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Done at once."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as problem:  # noqa: BLE001 - it is the caller's, who awaits it
            future.set_exception(problem)
        return future


class VirtualClock:
    """The loop's time as seconds since the epoch; `step` sets it as an operator or NTP does."""

    def __init__(self) -> None:
        self._offset = EPOCH
        self._last = EPOCH

    def now(self) -> Instant:
        """Seconds since the epoch; held flat after a step back, as the daemon's own clock does."""
        self._last = max(self._last, self._offset + asyncio.get_running_loop().time())
        return Instant(self._last)

    def step(self, seconds: float) -> None:
        """Put the clock forward or back."""
        self._offset += seconds

    async def wait(self, event: asyncio.Event, until: Instant) -> bool:
        """Wait for `event` until an instant; True when the event came."""
        try:
            await asyncio.wait_for(event.wait(), min(3600.0, max(0.0, until - self.now())))
        except TimeoutError:
            return False
        return True


class InlineWriter(Writer):
    """The store's writer without its thread: a task's transaction is committed when it is handed over."""

    def _start(self) -> None:
        """No thread."""

    def _hand_over(self, tasks: list[Task]) -> None:
        outcomes = self._transact(tasks)
        asyncio.get_running_loop().call_soon(resolve, outcomes)

    def close(self) -> None:
        """Take no more; what was handed over is on disk."""
        self._closed = True


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end in virtual time. Raises `Stuck` when it waits for what cannot come."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
