"""The turn loop alone: what it does when the disk or a fact is bad."""

import asyncio

import pytest

from krs.core.absorb import absorb
from krs.core.decide import decide
from krs.core.model import Event, Instant, World
from krs.core.policy import Policy
from krs.core.vocabulary import EventKind, JobState
from krs.daemon import loop as module
from krs.daemon.clock import SystemClock
from krs.daemon.loop import TurnLoop
from krs.store import Saved, StoreFull, Turn
from tests.core.build import POLICY, job, swept
from tests.simulation.virtual import VirtualClock, run


class Disk:
    """A store in memory that refuses as often as it is told to."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.turns: list[Turn] = []

    async def commit(self, turn: Turn) -> tuple[Event, ...]:
        """Keep a turn, or refuse it."""
        if self.refusals:
            self.refusals -= 1
            raise StoreFull("state file x: database or disk is full")
        self.turns.append(turn)
        return turn.after.news


def loop_on(disk: Disk) -> tuple[TurnLoop, list[object]]:
    """A loop whose world was swept, and the commands it gives."""
    commands: list[object] = []
    saved = Saved(world=swept(), last_seq=0, counters={})
    made = TurnLoop(store=disk, saved=saved, policy=lambda: POLICY, clock=SystemClock(), execute=commands.append)
    return made, commands


async def test_a_turn_that_is_not_written_is_tried_again_and_calls_nobody() -> None:
    """A full disk: no command leaves, no delivery is forgotten, and the next turn has it all."""
    disk = Disk(refusals=1)
    made, commands = loop_on(disk)
    made.hear(7, job(1))
    with pytest.raises(StoreFull):
        await made.turn()
    assert commands == []
    assert made.world.jobs == {}
    await made.turn()
    assert disk.turns[0].processed == (7,)
    assert made.world.jobs[1].state is JobState.QUEUED  # type: ignore[index]
    assert commands


def test_a_clock_that_stands_still_is_not_raced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set back by five minutes, with something due in a moment: a turn a second at most until the time is caught up."""
    instants: list[float] = []

    def due_soon(world: World, now: Instant, policy: Policy) -> Instant:
        instants.append(now)
        return Instant(now + 0.01)

    async def scenario() -> None:
        made, _ = loop_on(Disk())
        clock = VirtualClock()
        made._clock = clock
        clock.now()
        clock.step(-300.0)
        running = asyncio.create_task(made.run())
        await asyncio.sleep(299.0)
        running.cancel()

    monkeypatch.setattr(module, "next_deadline", due_soon)
    run(scenario)
    assert 290 < len(instants) < 310
    assert len(set(instants)) == 1


async def test_a_fact_that_cannot_be_absorbed_is_set_aside_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours about one fact does not stop the others, nor the loop."""
    made, _ = loop_on(Disk())
    original = absorb

    def broken(world: World, fact: object, *rest: object) -> World:
        if fact == job(1):
            raise ZeroDivisionError
        return original(world, fact, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "absorb", broken)
    made.hear(1, job(1))
    made.hear(2, job(2))
    await made.turn()
    assert set(made.world.jobs) == {2}
    assert "set aside" in caplog.text


async def test_the_loop_outlives_a_turn_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw is logged and the turn is tried again, with all that was heard."""
    monkeypatch.setattr(module, "RETRY_AFTER", 0.0)
    made, _ = loop_on(Disk())
    original, calls = decide, [0]

    def failing(*arguments: object) -> object:
        calls[0] += 1
        if calls[0] == 1:
            raise ZeroDivisionError
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "decide", failing)
    made.hear(1, job(1))
    running = asyncio.create_task(made.run())
    for _ in range(1000):
        if made.world.jobs:
            break
        await asyncio.sleep(0.001)
    made.stop()
    await running
    assert set(made.world.jobs) == {1}


async def test_an_action_is_answered_once_it_is_on_disk() -> None:
    """The answer comes after the commit, and says what was written."""
    from krs.core.facts import PauseAsked

    disk = Disk()
    made, _ = loop_on(disk)
    asked = asyncio.create_task(made.ask(lambda _world, _now, _policy: PauseAsked(pool=None, by="ana")))
    await asyncio.sleep(0)
    assert not asked.done()
    await made.turn()
    await asked
    assert disk.turns[0].after.paused
    assert [event.kind for event in disk.turns[0].after.news] == [EventKind.SCHEDULER_PAUSED]
