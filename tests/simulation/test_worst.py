"""The worst moods of GitHub and Koyeb that krs must see its jobs through."""

from pathlib import Path

import pytest

from krs.config.settings import Runners
from krs.core.vocabulary import Lifecycle
from krs.sim.moods import Moods
from tests.simulation.installation import installed
from tests.simulation.virtual import run

WORST = Moods(
    busy_lag=60.0,
    busy_lie=0.05,
    koyeb_answer_lost=0.05,
    github_answer_lost=0.05,
    webhook_lost=0.05,
    webhook_doubled=0.05,
    webhook_late=0.2,
)
"""Busy flags late and wrong both ways, answers lost after acting, deliveries lost, doubled and out of order."""


def served(folder: Path, lifecycle: Lifecycle, *, jobs: int, hours: float, moods: Moods, seed: int = 1) -> None:
    """So many jobs in so many hours: every one is served, none killed, no service and no registration left."""

    async def scenario() -> None:
        runners = Runners(lifecycle=lifecycle, max_total=100, creates_per_hour=10_000)
        async with installed(folder, runners=runners, seed=seed) as house:
            house.simulation.set_moods(moods)
            await house.work(jobs, hours)
            await house.until(house.quiet)
            stats = house.simulation.stats()
            print(f"{lifecycle.value}, seed {seed}: {stats}")
            assert (stats["served"], stats["killed"]) == (jobs, 0)
            assert stats["services_created"] == stats["services_deleted"]

    run(scenario)


@pytest.mark.parametrize("lifecycle", Lifecycle)
def test_jobs_live_through_the_worst_mood(tmp_path: Path, lifecycle: Lifecycle) -> None:
    """Eighty jobs in twelve minutes."""
    served(tmp_path, lifecycle, jobs=80, hours=0.2, moods=WORST)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("lifecycle", Lifecycle)
def test_hundreds_of_jobs_live_through_the_worst_mood(tmp_path: Path, lifecycle: Lifecycle) -> None:
    """Five hundred jobs in an hour: about one job begins every few seconds, on runners that are about to end."""
    served(tmp_path, lifecycle, jobs=500, hours=1.0, moods=WORST)


@pytest.mark.deep
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("lifecycle", Lifecycle)
def test_thousands_of_jobs_live_through_the_worst_mood(tmp_path: Path, lifecycle: Lifecycle, seed: int) -> None:
    """Two thousand jobs in four hours."""
    served(tmp_path, lifecycle, jobs=2000, hours=4.0, moods=WORST, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "moods",
    [
        Moods(koyeb_answer_lost=0.4),
        Moods(koyeb_throttled=0.4),
        Moods(koyeb_hangs=0.2),
        Moods(koyeb_html=0.3),
        Moods(koyeb_omits=0.3),
        Moods(koyeb_latency=8.0),
        Moods(github_answer_lost=0.4),
        Moods(github_throttled=0.3),
        Moods(github_hangs=0.2),
        Moods(webhook_lost=0.5),
        Moods(webhook_late=1.0, webhook_delay=600.0),
    ],
    ids=lambda moods: "-".join(
        name for name in moods.__struct_fields__ if getattr(moods, name) != getattr(Moods(), name)
    ),
)
def test_jobs_live_through_every_mood(tmp_path: Path, moods: Moods) -> None:
    """Thirty jobs in half an hour, in one bad mood after another."""
    served(tmp_path, Lifecycle.REUSABLE, jobs=30, hours=0.5, moods=moods)


def test_a_one_job_runner_costs_few_calls(tmp_path: Path) -> None:
    """Fifty jobs: fifty services, fifty deletions, and at most five calls a job to each API."""

    async def scenario() -> None:
        async with installed(
            tmp_path, runners=Runners(lifecycle=Lifecycle.EPHEMERAL, max_per_pool=50, max_total=50)
        ) as house:
            for _ in range(50):
                house.simulation.queue("acme/api", ("koyeb-fra-small",), seconds=120.0)
            await house.until(house.quiet)
            stats = house.simulation.stats()
            assert (stats["services_created"], stats["services_deleted"], stats["killed"]) == (50, 50, 0)
            for host in ("koyeb.test", "github.test"):
                assert sum(call[0] == host for call in house.wire.calls) <= 5 * 50, host

    run(scenario)
