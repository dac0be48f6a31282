"""`krs demo`: watch the scheduler at work, on a simulated cloud, without any account."""

import asyncio
import logging
import signal
import sys
from typing import TYPE_CHECKING

import click

from krs import logs
from krs.cli.errors import FAILED, USAGE, CliError
from krs.config.values import duration

if TYPE_CHECKING:
    from krs.daemon.clock import Clock
    from krs.daemon.desk import Desk


@click.command()
@click.option("--headless", is_flag=True, help="Print event lines instead of opening the console.")
@click.option("--for", "length", metavar="DURATION", help="End after this long, such as 20s; else at ctrl-c.")
@click.option(
    "--speed", default=60.0, show_default=True, type=click.FloatRange(1, 600), help="How much faster time passes."
)
@click.option("--seed", default=1, show_default=True, help="Another seed, other work.")
@click.option(
    "--rate", default=6.0, show_default=True, type=click.FloatRange(0.1, 600), help="Workflows a simulated minute."
)
def demo(headless: bool, length: str | None, speed: float, seed: int, rate: float) -> None:
    """Watch the scheduler work on a simulated cloud; no account needed."""
    try:
        seconds = duration(length) if length else None
    except ValueError as problem:
        raise CliError(f"--for: {problem}", USAGE) from None
    if not headless and length is None and sys.stdin.isatty() and sys.stdout.isatty():
        asyncio.run(_show(speed, seed, rate))
        return
    logs.set_up("info", "text", ())
    outcome = asyncio.run(_run(seconds, speed, seed, rate))
    click.echo(outcome)


async def _show(speed: float, seed: int, rate: float) -> None:
    """The console on the simulated cloud, until it is left."""
    from krs.cli.console import refuse_without_terminal, show
    from krs.sim.demo import run

    refuse_without_terminal()
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)
    stopped = asyncio.Event()

    async def watch(scheduler: "Desk", clock: "Clock") -> None:
        await show(scheduler, now=clock.now, profile="demo", afterwards=stopped.set)

    await run(seconds=None, speed=speed, seed=seed, per_minute=rate, stopped=stopped, watch=watch)


async def _run(seconds: float | None, speed: float, seed: int, rate: float) -> str:
    """Event lines, until the time is over."""
    from krs.sim.demo import run

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    outcome = await run(seconds=seconds, speed=speed, seed=seed, per_minute=rate, stopped=stopped)
    if outcome.started != outcome.deleted or outcome.killed:
        raise CliError(f"the demo ended with something left: {outcome.line()}", FAILED)
    return outcome.line()
