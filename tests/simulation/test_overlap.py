"""A redeployment: for a while two daemons with two state files serve one app."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from krs.config.settings import Runners
from krs.core.vocabulary import Lifecycle
from tests.simulation.installation import Installation, installed
from tests.simulation.virtual import run
from tests.simulation.wire import Reach

PLACES = 16
SLACK = 2
"""Runners over `max_total` that the daemons may start before the old one meets a runner of the new one in a sweep."""
IDLE = 5
"""Services of a hundred on which no job runs at most: a daemon that hears of half the jobs cannot know better."""
JOBS = 100


async def work(house: Installation) -> None:
    """A job every ten seconds, of three types in four repositories."""
    for number in range(JOBS):
        label = f"koyeb-fra-{('small', 'medium', 'large')[number % 3]}"
        house.simulation.queue(f"acme/{'abcd'[number % 4]}", (label,), seconds=30.0 + number * 37 % 300)
        await asyncio.sleep(10.0)


async def watch(house: Installation, seen: list[int]) -> None:
    """Note how many services there are, second by second."""
    while True:
        seen.append(len(house.simulation.cloud.alive()))
        await asyncio.sleep(1.0)


async def redeploy(house: Installation, folder: Path) -> None:
    """A new daemon beside the old one, which ends after ten minutes."""
    await asyncio.sleep(180.0)
    old = house.daemon
    house.path = folder / "new.db"
    await house.up()
    await asyncio.sleep(600.0)
    house.daemons.living.remove(old)
    await old.stop()


async def both_at_once(house: Installation, folder: Path) -> None:
    """Two daemons that start at the same moment on empty files; one dies and loses its disk."""
    await house.kill()
    for name in ("one.db", "two.db"):
        house.path = folder / name
        await house.up()
    await asyncio.sleep(400.0)
    await house.kill()
    house.path = folder / "three.db"
    await house.up()
    await asyncio.sleep(300.0)
    house.daemons.living[0], old = house.daemons.living[1], house.daemons.living.pop(0)
    await old.stop()


Scene = Callable[[Installation, Path], Awaitable[None]]


@pytest.mark.slow
@pytest.mark.parametrize("scene", [redeploy, both_at_once])
@pytest.mark.parametrize("reach", Reach)
@pytest.mark.parametrize("lifecycle", Lifecycle)
def test_two_daemons_do_no_harm(tmp_path: Path, lifecycle: Lifecycle, reach: Reach, scene: Scene) -> None:
    """Whoever hears of a job: all are served once, none is killed, limits hold, and nothing is left."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=Runners(lifecycle=lifecycle, max_total=PLACES)) as house:
            house.daemons.reach = reach
            seen: list[int] = []
            watching = asyncio.create_task(watch(house, seen))
            await asyncio.gather(work(house), scene(house, tmp_path))
            await house.until(house.quiet)
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            stats = house.simulation.stats()
            assert (stats["served"], stats["killed"]) == (JOBS, 0)
            assert max(seen) <= PLACES + SLACK
            used = {job.service_id for job in house.simulation.forge.jobs.values()}
            assert sum(key not in used for key in house.simulation.cloud.services) <= IDLE

    run(scenario)
