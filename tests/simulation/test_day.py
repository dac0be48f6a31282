"""Days of CI in virtual time, with the real daemon, store and clients."""

from pathlib import Path

import pytest

from krs.config.settings import Runners
from krs.core.vocabulary import Lifecycle
from krs.sim.moods import Moods
from tests.simulation.installation import Installation, installed
from tests.simulation.virtual import run

SMALL = ("koyeb-fra-small",)
WORST = Moods(
    busy_lag=60.0,
    busy_lie=0.05,
    koyeb_answer_lost=0.05,
    github_answer_lost=0.05,
    webhook_lost=0.05,
    webhook_doubled=0.05,
    webhook_late=0.2,
)


async def work(house: Installation, jobs: int, hours: float) -> None:
    """Queue that many jobs, evenly spread over four repositories and three sizes; wait until all is quiet."""
    for number in range(jobs):
        label = f"koyeb-fra-{('small', 'medium', 'large')[number % 3]}"
        house.simulation.queue(f"acme/{'abcd'[number % 4]}", (label,), seconds=30.0 + number * 37 % 600)
        await house.hours(hours / jobs)
    await house.until(house.quiet)


@pytest.mark.parametrize("lifecycle", Lifecycle)
def test_in_the_worst_mood_no_job_is_lost_or_killed(tmp_path: Path, lifecycle: Lifecycle) -> None:
    """Busy flags late and lying, answers and deliveries lost, doubled, disordered: all served, nothing left."""

    async def scenario() -> None:
        runners = Runners(lifecycle=lifecycle, max_per_pool=16, max_total=60, creates_per_hour=10_000)
        async with installed(tmp_path, runners=runners) as house:
            await house.play((0.0, Moods()))
            house.simulation.set_moods(WORST)
            await work(house, 200, hours=1.0)
            stats = house.simulation.stats()
            print(stats, len(house.wire.calls))
            assert (stats["served"], stats["killed"]) == (200, 0)

    run(scenario)
