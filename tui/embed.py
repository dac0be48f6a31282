"""Run the console in a loop that has other work: signals, the task factory, and how the console ended.

The console may quit, crash, or lose its terminal; none of that may stop or change the loop it ran in.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from enum import Enum, auto

from tui.app import ConsoleApp, Wish


class Ending(Enum):
    """Why the console is no longer on screen."""

    QUIT = auto()
    """A person left it; an embedded scheduler goes on."""
    STOP = auto()
    """A person wants the scheduler to stop too."""
    TERMINATED = auto()
    """SIGTERM or SIGINT: the process should end."""
    HUNG_UP = auto()
    """The terminal went away."""
    CRASHED = auto()
    """A bug; its report was logged and printed."""


SIGNALS = {signal.SIGTERM: Ending.TERMINATED, signal.SIGINT: Ending.TERMINATED, signal.SIGHUP: Ending.HUNG_UP}


async def run(app: ConsoleApp, *, afterwards: Callable[[], None] | None = None) -> Ending:
    """Show the console until it ends; never raises for a bug of the console.

    Signal handlers are ours meanwhile. At the end `afterwards` is called by SIGTERM and SIGINT, and SIGHUP does
    nothing any more, without a moment in which a signal would kill the process; without `afterwards` they are as
    before. Textual makes tasks eager on Python 3.12 and later and leaves it so; the loop gets its own task factory
    back at once.
    """
    loop = asyncio.get_running_loop()
    signalled: list[Ending] = []

    def end(ending: Ending) -> None:
        signalled.append(ending)
        app.exit()

    for number, ending in SIGNALS.items():
        loop.add_signal_handler(number, end, ending)
    factory = loop.get_task_factory()
    task = loop.create_task(app.run_async())
    loop.call_soon(loop.set_task_factory, factory)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        loop.set_task_factory(factory)
        for number, ending in SIGNALS.items():
            if afterwards is None:
                loop.remove_signal_handler(number)
            else:
                loop.add_signal_handler(number, afterwards if ending is Ending.TERMINATED else _nothing)
    if signalled:
        return signalled[-1]
    if app.return_code:
        return Ending.CRASHED
    return Ending.STOP if app.return_value is Wish.STOP else Ending.QUIT


def _nothing() -> None:
    """Outlive a terminal."""
