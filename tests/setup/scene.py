"""`krs setup` against the simulated Koyeb and GitHub, as a command: what it prints, how it ends, what it leaves."""

import asyncio
from pathlib import Path
from typing import NamedTuple

import msgspec
from click.testing import CliRunner

from krs.cli.errors import CliError
from krs.cli.main import cli
from krs.sim.moods import Moods
from krs.sim.world import GITHUB_TOKEN, KOYEB_TOKEN, Simulation

URL = "http://127.0.0.1:9"
"""Nobody listens there."""


class Ended(NamedTuple):
    """How a run ended."""

    code: int
    lines: list[str]

    def line(self, begin: str) -> str:
        """The one line that begins so."""
        (found,) = [line for line in self.lines if line.startswith(begin)]
        return found


class Scene:
    """A folder, an environment and a simulation; `Scene.run` is one `krs setup`."""

    def __init__(self, simulation: Simulation, folder: Path) -> None:
        self.simulation = simulation
        self.file = folder / "krs.toml"
        self.environ: dict[str, str | None] = {
            "KOYEB_TOKEN": KOYEB_TOKEN,
            "GITHUB_TOKEN": GITHUB_TOKEN,
            "KOYEB_API_URL": simulation.koyeb_url,
            "GITHUB_API_URL": simulation.github_url,
            "KRS_CONFIG": str(self.file),
        }

    async def run(self, *words: str, yes: bool = True) -> Ended:
        """Run it in a thread, since the simulation answers in this one."""
        arguments = ["setup", *words, *(["--yes"] if yes else [])]
        runner = CliRunner()
        result = await asyncio.to_thread(runner.invoke, cli, arguments, env=self.environ, standalone_mode=False)
        lines = result.output.splitlines()
        match result.exception:
            case None:
                return Ended(0, lines)
            case CliError() as problem:
                return Ended(problem.code, [*lines, *problem.message.splitlines()])
            case SystemExit() as end:
                return Ended(int(end.code or 0), lines)
            case other:
                raise other

    def mood(self, **moods: object) -> None:
        """Have the simulated services be in some mood."""
        self.simulation.set_moods(msgspec.convert(moods, Moods))
