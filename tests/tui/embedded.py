"""`krs console` against the simulated cloud, for the pty tests: writes its port to SHOW_RESULT once it listens."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from krs.cli import console
from krs.config import Loaded
from krs.daemon import Daemon
from krs.sim.demo import settings
from krs.sim.world import Simulation


async def main(folder: Path) -> None:
    """Simulate, and run the command's own composition."""
    simulation = Simulation(seed=1, speed=1.0)
    await simulation.start()
    configured = settings(simulation, folder)
    console.log_to_file(folder / "console.log", configured)
    started = Daemon.start

    async def start(self: Daemon) -> None:
        await started(self)
        Path(os.environ["SHOW_RESULT"]).write_text(str(self.port))  # noqa: ASYNC240 - once, before anything is measured

    Daemon.start = start  # type: ignore[method-assign]  # the port is known only inside
    await console._run(Loaded(configured, {}))
    await simulation.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(main(Path(scratch)))
