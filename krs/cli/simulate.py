"""`krs simulate`: the simulated Koyeb and GitHub as servers, to try a daemon's own configuration against."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from krs.cli.errors import FAILED, USAGE, CliError

if TYPE_CHECKING:
    from krs.sim.world import Simulation


@click.command()
@click.option("--koyeb-port", default=9100, show_default=True, help="Port of the simulated Koyeb.")
@click.option("--github-port", default=9200, show_default=True, help="Port of the simulated GitHub.")
@click.option("--koyeb-token", default="k", show_default=True, help="The token that the simulated Koyeb takes.")
@click.option("--github-token", default="g", show_default=True, help="The token that the simulated GitHub takes.")
@click.option("--app-id", default="1", show_default=True, help="The GitHub App that the simulated GitHub knows.")
@click.option(
    "--app-key", type=click.Path(path_type=Path), help="File with its private key; without it there is no App."
)
@click.option("--secret", default="s", show_default=True, help="Secret that deliveries are signed with.")
@click.option(
    "--webhook",
    "url",
    default="http://127.0.0.1:8000/",
    show_default=True,
    help="Where a hook of every repository delivers; '' for no hooks but those made by the API.",
)
@click.option("--rate", default=0.0, show_default=True, help="Workflows a simulated minute; 0 for none.")
@click.option(
    "--speed", default=1.0, show_default=True, type=click.FloatRange(1, 600), help="How much faster time passes."
)
@click.option("--seed", default=1, show_default=True, help="Another seed, other work.")
def simulate(koyeb_port: int, github_port: int, url: str, rate: float, **options: str | float | Path) -> None:
    """Serve a simulated Koyeb and GitHub on this machine until ctrl-c."""
    asyncio.run(_run(koyeb_port, github_port, url, rate, options))


def _add_app(simulation: "Simulation", app_id: str, key: Path) -> None:
    try:
        simulation.add_app(app_id, key.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, ImportError):
        raise CliError(
            f"--app-key: {key} is not a private key in PEM form, or PyJWT[crypto] is not installed", USAGE
        ) from None


async def _run(koyeb_port: int, github_port: int, url: str, rate: float, options: dict[str, Any]) -> None:
    from krs.sim.world import Simulation

    simulation = Simulation(
        seed=int(options["seed"]),
        speed=float(options["speed"]),
        koyeb_token=str(options["koyeb_token"]),
        github_token=str(options["github_token"]),
        secret=str(options["secret"]),
    )
    if options["app_key"] is not None:
        _add_app(simulation, str(options["app_id"]), options["app_key"])
    try:
        await simulation.start(koyeb_port=koyeb_port, github_port=github_port)
    except OSError as problem:
        raise CliError(f"cannot listen on port {koyeb_port} or {github_port}: {problem.strerror}", FAILED) from None
    simulation.deliveries.point_at(url)
    if rate > 0:
        simulation.traffic.start(rate)
    click.echo(f"koyeb {simulation.koyeb_url}  github {simulation.github_url}  deliveries to {url or 'hooks'}")
    click.echo(f"steer it with {simulation.koyeb_url}/_sim/jobs, /_sim/moods and /_sim/stats")
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await simulation.stop()
