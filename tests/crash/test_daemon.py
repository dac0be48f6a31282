"""The real daemon under load, killed at random moments and started again on its file: nothing lost, nothing doubled."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from krs.core.vocabulary import JobState
from krs.sim.moods import Moods
from tests.crash.machine import Machine

ROUNDS = int(os.environ.get("KRS_CRASH_ROUNDS", "6"))
SETTLES = 150.0
"""Seconds of wall time until all must be over."""
LABELS = ("koyeb-fra-small",)


@pytest.fixture
async def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Machine]:
    """The cloud runs; the daemon does not yet."""
    made = Machine(tmp_path, monkeypatch)
    await made.start()
    yield made
    await made.stop()


class Toll:
    """What was seen over all kills."""

    def __init__(self) -> None:
        self.kills = self.jobs = self.unsound = self.early = 0
        self.missing: set[str] = set()
        self.strangers: set[str] = set()

    def __str__(self) -> str:
        return (
            f"kills {self.kills} ({self.early} before it listened), jobs {self.jobs}, missing {len(self.missing)}, "
            f"integrity failures {self.unsound}, services unaccounted {len(self.strangers)}"
        )


async def life(machine: Machine, toll: Toll) -> None:
    """One life of the daemon: work comes in, and the end comes at any moment from its first instruction on.

    New repositories keep coming, so that there are runners to create; a long life sees some expire.
    """
    dice = machine.dice
    await machine.up()
    early = dice.random() < 0.2
    if early:
        await asyncio.sleep(dice.uniform(0.0, 0.8))
        toll.early += 1
    else:
        await machine.until(machine.ready, what="a daemon that is ready")
        for _ in range(dice.randint(1, 4)):
            seconds = dice.uniform(0.1, 1.0)
            machine.simulation.queue(f"acme/repo{toll.kills // 6}{dice.choice('ab')}", LABELS, seconds=seconds)
            toll.jobs += 1
        await asyncio.sleep(dice.uniform(0.0, 1.2) if dice.random() < 0.8 else dice.uniform(2.0, 4.0))
    machine.kill()
    await machine.gone()
    toll.kills += 1


def inspect(machine: Machine, toll: Toll) -> None:
    """Look at the file as the dead process left it, and at the cloud."""
    if not machine.path.exists():
        return
    sound, guids, names = machine.on_disk()
    toll.unsound += sound != "ok"
    toll.missing |= machine.recorder.kept - guids
    toll.strangers |= machine.alive() - names


@pytest.mark.crash
@pytest.mark.timeout(7200)
async def test_a_daemon_killed_at_any_moment_loses_nothing_and_doubles_nothing(machine: Machine) -> None:
    """Every promise is on disk, every service has its intent there, each name is bought once, all jobs are served."""
    toll = Toll()
    machine.simulation.set_moods(Moods(quota=100_000))
    machine.load.start()
    for _ in range(ROUNDS):
        await life(machine, toll)
        inspect(machine, toll)
    await machine.load.stop()
    stats = machine.simulation.stats
    print(f"\n{toll}, deliveries sent {machine.load.sent}, kept {len(machine.recorder.kept)}; {stats()}")
    assert (toll.missing, toll.unsound, toll.strangers) == (set(), 0, set())
    await settle(machine)
    print(f"at the end {stats()}")
    bought = Counter(service.name for service in machine.simulation.cloud.services.values())
    assert [name for name, count in bought.items() if count > 1] == []
    assert len(bought) <= toll.jobs
    assert stats()["killed"] == 0


async def settle(machine: Machine) -> None:
    """A last daemon, on faster time: what the dead ones left in flight runs out, what they missed is found."""
    daemon = await machine.last_daemon()

    def known() -> set[str]:
        return {runner.name for runner in daemon.scheduler.snapshot().runners}

    def over() -> bool:
        now = machine.simulation.stats()
        return bool(now["waiting"] == now["running"] == now["services_alive"] == now["registrations"] == 0)

    deadline = asyncio.get_running_loop().time() + SETTLES
    try:
        while not over():
            assert asyncio.get_running_loop().time() < deadline, machine.simulation.stats()
            await asyncio.sleep(0.05)
            assert machine.alive() <= known()
        assert not [job for job in daemon.scheduler.snapshot().jobs if job.placeable and job.state is JobState.QUEUED]
    finally:
        await daemon.stop()
