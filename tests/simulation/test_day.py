"""Days of CI in virtual time, with the real daemon, store and clients."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from krs.config.settings import Runners
from krs.sim.moods import Moods
from tests.simulation.installation import installed
from tests.simulation.virtual import run

BAD_DAY = (
    (3.0, Moods()),
    (2.0, Moods(koyeb_latency=8.0)),
    (2.0, Moods(koyeb_throttled=0.3, github_throttled=0.1)),
    (2.0, Moods(koyeb_answer_lost=0.3, github_answer_lost=0.2)),
    (1.0, Moods(koyeb_html=0.3, koyeb_omits=0.3)),
    (1.0, Moods(koyeb_down=True)),
    (1.0, Moods(koyeb_hangs=0.2, github_hangs=0.2)),
    (1.0, Moods(github_down=True)),
    (2.0, Moods(webhook_lost=0.5, webhook_doubled=0.3, webhook_late=0.5)),
    (2.0, Moods(busy_lag=60.0, busy_lie=0.1)),
    (1.0, Moods(quota=3)),
    (6.0, Moods()),
)


async def play(folder: Path, *scenes: tuple[float, Moods]) -> str:
    """Traffic through some scenes, with the daemon's clock set back and forth; gives the run's fingerprint."""
    async with installed(folder, runners=Runners()) as house:
        house.simulation.traffic.start(per_minute=1.0)
        for step, (hours, moods) in zip((0.0, -300.0, 300.0, -7.0) * len(scenes), scenes, strict=False):
            house.clock.step(step)
            house.simulation.set_moods(moods)
            await asyncio.sleep(hours * 3600)
        house.simulation.set_moods(Moods())
        house.simulation.traffic.stop()
        await house.until(house.quiet)
        stats = house.simulation.stats()
        assert stats["killed"] == 0
        assert stats["served"] == sum(job.status == "completed" for job in house.simulation.forge.jobs.values())
        return await house.digest()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_bad_day_loses_nothing(tmp_path: Path) -> None:
    """Twenty-four hours of one trouble after another: all jobs served, none killed, nothing left."""
    run(lambda: play(tmp_path, *BAD_DAY))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run() -> None:
    """Two processes whose hashes differ live through the same hours, event by event."""
    runs = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation.test_day"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("1", "2")
    ]
    assert len(runs[0].stdout.strip()) == 64
    assert runs[0].stdout == runs[1].stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(run(lambda: play(Path(scratch), *((hours / 4, moods) for hours, moods in BAD_DAY[:9]))))
