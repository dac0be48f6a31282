"""The turn: read what came in, absorb it, decide, commit, publish, then call out.

One coroutine owns the world. Nothing is called before the intent is on disk; when the disk refuses, nothing is lost:
the facts of the turn stay queued and the turn is tried again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from krs.core.absorb import absorb
from krs.core.actions import Refusal
from krs.core.commands import Command
from krs.core.deadline import next_deadline
from krs.core.decide import decide
from krs.core.facts import Fact
from krs.core.model import Event, Instant, World
from krs.core.policy import Policy
from krs.daemon.clock import Clock
from krs.feed import Feed
from krs.store import Saved, StoreError, Turn

log = logging.getLogger(__name__)

GATHER = 0.01
"""Seconds from a wake-up to its turn: a burst of deliveries shares one turn and one commit."""
MANY, GATHER_MANY = 20, 0.04
"""Deliveries in a turn from which on the next one gathers longer: under load fewer, larger turns."""
STANDSTILL = 1.0
"""Seconds between turns while the clock stands still."""
RETRY_AFTER = 1.0
"""Seconds before a turn whose commit failed is tried again."""

Check = Callable[[World, Instant, Policy], Fact | Refusal]


class Keeper(Protocol):
    """What the loop needs of the store."""

    async def commit(self, turn: Turn) -> tuple[Event, ...]:
        """Write a turn whole; gives its events numbered."""


class Request(msgspec.Struct):
    """An operator's action waiting for its turn."""

    check: Check
    done: asyncio.Future[Fact | Refusal]


class TurnLoop:
    """Owns the world. `hear`, `tell` and `ask` are how others reach it; `feed` is how they follow."""

    def __init__(
        self,
        *,
        store: Keeper,
        saved: Saved,
        policy: Callable[[], Policy],
        clock: Clock,
        execute: Callable[[Command], None],
        observe: Callable[[float, Sequence[Event]], None] = lambda _seconds, _events: None,
    ) -> None:
        self.world = saved.world
        self.counters = dict(saved.counters)
        self.feed = Feed(saved.last_seq)
        self._store = store
        self._policy = policy
        self._clock = clock
        self._execute = execute
        self._observe = observe
        self._facts: list[Fact] = []
        self._processed: list[int] = []
        self._notes: list[Event] = []
        self._requests: list[Request] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._absorbed = 0

    def wake(self) -> None:
        """Something came in."""
        self._wake.set()

    def tell(self, *facts: Fact) -> None:
        """Hand over facts for the next turn."""
        self._facts += facts
        self.wake()

    def hear(self, delivery: int, fact: Fact) -> None:
        """Hand over a delivery that is on disk, to be marked as processed with the turn that absorbs it."""
        self._processed.append(delivery)
        self._facts.append(fact)
        self.wake()

    def waiting(self) -> int:
        """How many deliveries are on disk and not yet absorbed."""
        return len(self._processed)

    def note(self, event: Event) -> None:
        """Journal something that is no business of the core."""
        self._notes.append(event)
        self.wake()

    async def ask(self, check: Check) -> Fact | Refusal:
        """Do an action in the next turn if `check` allows it on the world as it is then; returns once it is on disk."""
        request = Request(check, asyncio.get_running_loop().create_future())
        self._requests.append(request)
        self.wake()
        return await request.done

    def stop(self) -> None:
        """End `run` after the turn in hand."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Turn after turn until stopped; a turn that fails is logged and tried again, never skipped."""
        said = ""
        while not self._stopping:
            self._wake.clear()
            try:
                await self.turn()
                said = ""
            except StoreError as problem:
                if str(problem) != said:
                    log.error("turn not written: %s: trying again every second", problem)  # noqa: TRY400 - one line, no traceback
                said = str(problem)
                await self._pause()
            except Exception:
                log.exception("a turn failed in a way nobody foresaw: trying again")
                await self._pause()
            now = self._clock.now()
            if await self._clock.wait(self._wake, next_deadline(self.world, now, self._policy())):
                await asyncio.sleep(GATHER if self._absorbed < MANY else GATHER_MANY)
            elif self._clock.now() == now:
                # The clock was set back and is held flat until then: a near deadline would be waited for without end.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), STANDSTILL)

    async def _pause(self) -> None:
        await asyncio.sleep(RETRY_AFTER)
        self._wake.set()

    async def last_words(self) -> None:
        """Journal what was noted; nothing is decided any more."""
        notes, self._notes = self._notes, []
        await self._commit(replace(self.world, news=tuple(notes)), (), self._clock.now())

    async def turn(self) -> None:
        """One turn. Raises `StoreError` when it could not be written; nothing of it is then lost."""
        now, policy = self._clock.now(), self._policy()
        began = asyncio.get_running_loop().time()
        processed, facts, notes, requests = self._take()
        try:
            world = self._fold(self.world, facts, now, policy)
            world = replace(world, news=(*world.news, *notes)) if notes else world
            world, answers = self._serve(world, requests, now, policy)
            world, commands = decide(world, now, policy)
            await self._commit(world, processed, now)
        except Exception as problem:
            self._processed[:0], self._facts[:0], self._notes[:0] = processed, facts, notes
            if isinstance(problem, StoreError):
                answers = [(request, Refusal(503, "store", str(problem))) for request in requests]
                _answer(answers)
            else:
                self._requests[:0] = requests
            raise
        self._absorbed = len(processed)
        _answer(answers)
        for command in commands:
            log.debug("command %r", command)
            self._execute(command)
        self._observe(asyncio.get_running_loop().time() - began, ())

    def _take(self) -> tuple[list[int], list[Fact], list[Event], list[Request]]:
        taken = self._processed, self._facts, self._notes, self._requests
        self._processed, self._facts, self._notes, self._requests = [], [], [], []
        return taken

    def _fold(self, world: World, facts: Iterable[Fact], now: Instant, policy: Policy) -> World:
        for fact in facts:
            try:
                world = absorb(world, fact, now, policy)
            except Exception:
                log.exception("%s is set aside: it could not be absorbed", type(fact).__name__)
        return world

    def _serve(
        self, world: World, requests: Iterable[Request], now: Instant, policy: Policy
    ) -> tuple[World, list[tuple[Request, Fact | Refusal]]]:
        answers: list[tuple[Request, Fact | Refusal]] = []
        for request in requests:
            answer = request.check(world, now, policy)
            if not isinstance(answer, Refusal):
                world = absorb(world, answer, now, policy)
            answers.append((request, answer))
        return world, answers

    async def _commit(self, world: World, processed: Sequence[int], now: Instant) -> None:
        if world is self.world and not processed:
            return
        counters = dict(self.counters)
        for event in world.news:
            counters[event.kind] = counters.get(event.kind, 0) + 1
        turn = Turn(before=self.world, after=world, processed=tuple(processed), counters=counters, now=now)
        events = await self._store.commit(turn)
        self.world = replace(world, news=())
        self.counters = counters
        self.feed.publish(events)
        self._observe(0.0, events)


def _answer(answers: Iterable[tuple[Request, Fact | Refusal]]) -> None:
    for request, answer in answers:
        if not request.done.done():
            request.done.set_result(answer)
