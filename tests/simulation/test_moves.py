"""States follow each other as the documented tables say."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from krs.config.settings import Runners
from krs.core.model import World
from krs.core.state import state_of
from krs.core.views import DrainBody, KillBody
from krs.core.vocabulary import JobState, RunnerState
from krs.daemon.loop import TurnLoop
from krs.http.ports import ActionRefused
from krs.sim.moods import Moods
from tests.docs.moves import JOBS, RUNNERS
from tests.simulation.installation import Installation, installed
from tests.simulation.virtual import run

Moves = set[tuple[RunnerState | JobState | None, RunnerState | JobState | None]]

MOODS = (
    Moods(),
    Moods(koyeb_answer_lost=0.3, github_answer_lost=0.2),
    Moods(koyeb_omits=0.3, busy_lie=0.2, busy_lag=60.0),
    Moods(koyeb_hangs=0.2, webhook_late=0.5, webhook_lost=0.3),
)

FEWEST = 25
"""Moves that the walk shows at least: a walk that shows nothing proves nothing."""


def states(world: World) -> dict[object, RunnerState | JobState]:
    """The state of every runner and job, by name and by id."""
    return {
        **{runner.name: state_of(runner) for runner in world.runners.values()},
        **{job.id: job.state for job in world.jobs.values()},
    }


@contextmanager
def watched() -> Iterator[Moves]:
    """Note which state followed which, from turn to turn."""
    seen: Moves = set()
    commit = TurnLoop._commit

    async def noting(self: TurnLoop, world: World, *rest: Any) -> None:
        before = states(self.world)
        await commit(self, world, *rest)
        after = states(world)
        seen.update((before.get(key), after.get(key)) for key in {*before, *after} if before.get(key) != after.get(key))

    with mock.patch.object(TurnLoop, "_commit", noting):
        yield seen


async def meddle(house: Installation, dice: random.Random) -> None:
    """An operator drains and kills, takes drains back, and somebody deletes services behind our back."""
    desk = house.daemon.scheduler
    while True:
        await asyncio.sleep(dice.uniform(30.0, 300.0))
        runners = [runner for runner in desk.snapshot().runners if runner.state is not RunnerState.GONE]
        if not runners:
            continue
        name = dice.choice(runners).name
        try:
            match dice.randrange(4):
                case 0:
                    await desk.drain(name, DrainBody(), by="test")
                case 1:
                    await desk.drain(name, DrainBody(cancel=True), by="test")
                case 2:
                    await desk.kill(name, KillBody(force=True), by="test")
                case _:
                    living = {service.name: service.id for service in house.simulation.cloud.alive()}
                    if name in living:
                        house.simulation.cloud.delete_service(living[name])
        except ActionRefused:
            pass


@pytest.mark.slow
def test_states_follow_the_tables(tmp_path: Path) -> None:
    """Hours of bad moods and meddling show no move that the tables do not have, and most of those that they have."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=Runners(ttl=600.0)) as house:
            house.simulation.traffic.start(per_minute=1.0)
            meddling = asyncio.create_task(meddle(house, random.Random(1)))
            for moods in MOODS:
                house.simulation.set_moods(moods)
                await asyncio.sleep(2400.0)
            meddling.cancel()

    with watched() as seen:
        run(scenario)
    table = {(a, b) for a, bs in RUNNERS.items() for b in bs} | {(a, b) for a, bs in JOBS.items() for b in bs}
    assert seen - table == set()
    assert len(seen) >= FEWEST
