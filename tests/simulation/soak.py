"""Days of CI with outages and kills, held against the same days without: what a run came to, and the run itself."""

import asyncio
import random
from pathlib import Path

import msgspec

from krs.config.settings import Runners
from krs.core.vocabulary import Lifecycle
from krs.sim.koyeb import Cloud
from krs.sim.moods import Moods
from tests.simulation.installation import Installation, installed
from tests.simulation.virtual import run

HOUR = 3600.0
REPOSITORIES = ("acme/api", "acme/web", "acme/docs")
LABELS = ("koyeb-fra-small", "koyeb-fra-medium", "koyeb-was-small")
DOWN_FOR = (5.0, 900.0)
"""Seconds from a kill to the next start."""


class Push(msgspec.Struct, frozen=True):
    """Some jobs that are queued at once, seconds after the start."""

    at: float
    repo: str
    label: str
    jobs: tuple[float, ...]
    """How long each runs."""


class Plan(msgspec.Struct, frozen=True):
    """What happens: the work, and when trouble comes (seconds after the start)."""

    pushes: tuple[Push, ...]
    kills: tuple[tuple[float, float], ...] = ()
    """When, and for how long nobody lives."""
    koyeb_down: float | None = None
    github_down: float | None = None
    """When the hour in which they do not answer begins."""

    def faultless(self) -> "Plan":
        """The same work without trouble."""
        return Plan(self.pushes)


class Outcome(msgspec.Struct, frozen=True):
    """What a run came to. `idle_creates` are services on which no job ever ran."""

    jobs: int
    served: int
    killed: int
    services_left: int
    registrations_left: int
    creates: int
    idle_creates: int
    runner_hours: float
    longest_wait: float
    kills: int
    deliveries: int

    def line(self) -> str:
        """For the eye."""
        return " ".join(f"{name}={getattr(self, name):.6g}" for name in self.__struct_fields__)


def planned(seed: int, days: int, kills: int) -> Plan:
    """Busy days and quiet nights; Koyeb is down on the first day, GitHub on the last, the kills come anywhere."""
    dice = random.Random(seed)
    pushes: list[Push] = []
    at = 0.0
    while (at := at + dice.expovariate(1 / (400.0 if _day(at) else 4000.0))) < days * 24 * HOUR:
        jobs = tuple(dice.lognormvariate(4.8, 0.8) for _ in range(dice.choice((1, 1, 2, 3, 5))))
        pushes.append(Push(at, dice.choice(REPOSITORIES), dice.choice(LABELS), jobs))
    moments = sorted(dice.uniform(0.0, days * 24 * HOUR) for _ in range(kills))
    return Plan(
        pushes=tuple(pushes),
        kills=tuple((moment, dice.uniform(*DOWN_FOR)) for moment in moments),
        koyeb_down=9 * HOUR,
        github_down=(24 * (days - 1) + 15) * HOUR,
    )


def _day(at: float) -> bool:
    return 8 <= at / HOUR % 24 < 20


def hours(cloud: Cloud, now: float) -> float:
    """How long all services lived."""
    return sum((service.deleted_at or now) - service.created_at for service in cloud.services.values()) / HOUR


async def play(house: Installation, plan: Plan) -> Outcome:
    """Live through a plan to its very end."""
    await asyncio.gather(_push(house, plan.pushes), _kill(house, plan.kills), _fail(house, plan))
    forge, cloud = house.simulation.forge, house.simulation.cloud
    await house.until(lambda: house.quiet() and not forge.queued)
    stats = house.simulation.stats()
    used = {job.service_id for job in forge.jobs.values()}
    waits = [job.started_at - job.queued_at for job in forge.jobs.values() if job.started_at is not None]
    return Outcome(
        jobs=stats["jobs"],
        served=stats["served"],
        killed=stats["killed"],
        services_left=stats["services_alive"],
        registrations_left=stats["registrations"],
        creates=stats["services_created"],
        idle_creates=sum(service.id not in used for service in cloud.services.values()),
        runner_hours=hours(cloud, house.truth.now()),
        longest_wait=max(waits),
        kills=len(plan.kills),
        deliveries=sum(stats["deliveries"].values()),
    )


async def _push(house: Installation, pushes: tuple[Push, ...]) -> None:
    start = asyncio.get_running_loop().time()
    for push in pushes:
        await asyncio.sleep(start + push.at - asyncio.get_running_loop().time())
        for seconds in push.jobs:
            house.simulation.queue(push.repo, (push.label,), seconds=seconds)


async def _kill(house: Installation, kills: tuple[tuple[float, float], ...]) -> None:
    start = asyncio.get_running_loop().time()
    for at, down in kills:
        await asyncio.sleep(max(0.0, start + at - asyncio.get_running_loop().time()))
        await house.kill()
        await asyncio.sleep(down)
        await house.up()


async def _fail(house: Installation, plan: Plan) -> None:
    start = asyncio.get_running_loop().time()
    outages = [(plan.koyeb_down, Moods(koyeb_down=True)), (plan.github_down, Moods(github_down=True))]
    for at, moods in outages:
        if at is not None:
            await asyncio.sleep(start + at - asyncio.get_running_loop().time())
            house.simulation.set_moods(moods)
            await asyncio.sleep(HOUR)
            house.simulation.set_moods(Moods())


def lived(folder: Path, plan: Plan, lifecycle: Lifecycle) -> Outcome:
    """Play a plan in an installation of its own."""

    async def scenario() -> Outcome:
        runners = Runners(lifecycle=lifecycle, max_total=60, creates_per_hour=10_000)
        async with installed(folder, runners=runners) as house:
            return await play(house, plan)

    folder.mkdir()
    return run(scenario)
