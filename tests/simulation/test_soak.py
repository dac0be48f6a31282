"""Many days in which everything fails at some time cost no job, no orphan, and hardly an hour of a machine."""

import os
from pathlib import Path

import pytest

from krs.core.vocabulary import Lifecycle
from tests.simulation.soak import Outcome, lived, planned

SEED = int(os.environ.get("KRS_SOAK_SEED", "1"))


def endured(folder: Path, lifecycle: Lifecycle, *, days: int, kills: int, seed: int) -> float:
    """Live through days with and without trouble; gives the ratio of their runner-hours, and prints both."""
    plan = planned(seed, days, kills)
    calm = lived(folder / "calm", plan.faultless(), lifecycle)
    storm = lived(folder / "storm", plan, lifecycle)
    ratio = storm.runner_hours / calm.runner_hours
    print(f"{lifecycle.value}, {days} days, seed {seed}: runner-hours {ratio:.4f} of the faultless run")
    for name, run in (("calm", calm), ("storm", storm)):
        print(f"  {name}: {run.line()}")
        assert harmed(run) == (0, 0, 0, 0)
    assert storm.creates <= calm.creates
    return ratio


def harmed(run: Outcome) -> tuple[int, int, int, int]:
    """Jobs lost, jobs killed, services and registrations left."""
    return run.jobs - run.served, run.killed, run.services_left, run.registrations_left


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("lifecycle", Lifecycle)
def test_a_day_of_outages_and_kills_loses_nothing(tmp_path: Path, lifecycle: Lifecycle) -> None:
    """Two hours of outages weigh more in one day than in ten; what cannot be deleted meanwhile is all they cost.

    How many runners that are depends on the day: always the same one.
    """
    assert endured(tmp_path, lifecycle, days=1, kills=5, seed=1) < 1.10


@pytest.mark.deep
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("lifecycle", Lifecycle)
def test_ten_days_of_outages_and_kills_lose_nothing(tmp_path: Path, lifecycle: Lifecycle) -> None:
    """Koyeb down for an hour, GitHub for an hour, fifty kills."""
    assert endured(tmp_path, lifecycle, days=10, kills=50, seed=SEED) < 1.02
