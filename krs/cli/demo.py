"""`krs demo`: watch the scheduler at work, on a simulated cloud, without any account."""

import asyncio
import signal

import click

from krs import logs
from krs.cli.errors import FAILED, USAGE, CliError
from krs.config.values import duration


@click.command()
@click.option("--headless", is_flag=True, help="Print event lines.")
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
    logs.set_up("info", "text", ())
    outcome = asyncio.run(_run(seconds, speed, seed, rate))
    click.echo(outcome)


async def _run(seconds: float | None, speed: float, seed: int, rate: float) -> str:
    from krs.sim.demo import run

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    outcome = await run(seconds=seconds, speed=speed, seed=seed, per_minute=rate, stopped=stopped)
    if outcome.started != outcome.deleted or outcome.killed:
        raise CliError(f"the demo ended with something left: {outcome.line()}", FAILED)
    return outcome.line()
