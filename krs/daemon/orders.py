"""Orders to GitHub to send failed deliveries again: one for each event, slowly, and only while deliveries reach us."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

from krs.core.model import Event, Instant
from krs.core.vocabulary import EventKind
from krs.daemon.clock import Clock
from krs.daemon.roster import Roster
from krs.errors import Refused, Unknown
from krs.github import Denied, Hooks
from krs.github.hooks import Delivery, HookRef, once

log = logging.getLogger(__name__)

PACE = 0.5
"""Seconds between two orders; GitHub counts five points for each and allows 900 a minute."""
ARRIVES = 20.0
"""Seconds in which what GitHub is asked to send has come, or will not."""


class Outcome(Enum):
    """How an order ended: taken, refused for good, perhaps taken, or taken and not come in."""

    ASKED = "asked"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNHEARD = "unheard"


SETTLED = frozenset({Outcome.ASKED, Outcome.REFUSED})
"""After these an event is never asked for again."""


class Marks(Protocol):
    """Which events were asked for; survives a restart."""

    async def redelivered(self) -> frozenset[str]:
        """GUIDs that were sent again."""

    async def mark_redelivery(self, guid: str, now: Instant, *, done: bool) -> None:
        """Remember an order, before it is given and once it was taken."""


class Orders:
    """Gives them. `note` journals, `count` is told of each outcome."""

    def __init__(
        self,
        *,
        clock: Clock,
        hooks: Hooks,
        roster: Roster,
        marks: Marks,
        note: Callable[[Event], None],
        count: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._hooks = hooks
        self._roster = roster
        self._marks = marks
        self._note = note
        self._count = count
        self._done: set[str] = set()

    async def load(self) -> None:
        """Read what was done before this start. Raises `StoreError`."""
        self._done |= await self._marks.redelivered()

    async def give(self, ref: HookRef, failed: Sequence[Delivery]) -> Outcome:
        """Have failed deliveries of a hook sent again; the worst outcome. Raises `CallError` and `StoreError`.

        First something must come in from this hook: a daemon that was just started may not be reachable yet, and an
        order would be wasted. A ping proves it; an App's hook has none, so one of the deliveries has to.
        """
        wanted = once([row for row in failed if row.guid not in self._done])
        if not wanted:
            return Outcome.ASKED
        if ref.scope:
            heard = self._roster.heard(ref)
            await self._hooks.ping(ref)
            return await self._all(ref, wanted) if await self._arrives(ref, heard) else Outcome.UNHEARD
        proof = next((row for row in wanted if row.action != "queued"), wanted[0])
        outcome = await self._order(ref, proof, proof=True)
        return await self._all(ref, [row for row in wanted if row != proof], outcome)

    async def _all(self, ref: HookRef, wanted: Sequence[Delivery], first: Outcome | None = None) -> Outcome:
        outcomes = Counter([first] if first else [])
        never = asyncio.Event()
        try:
            for row in wanted if first is not Outcome.UNHEARD else ():
                outcomes[await self._order(ref, row)] += 1
                await self._clock.wait(never, Instant(self._clock.now() + PACE))
        finally:
            if asked := outcomes[Outcome.ASKED]:
                text = f"{asked} failed deliver{'y' if asked == 1 else 'ies'} of {ref} will be sent again by GitHub"
                kind, repo = EventKind.DELIVERY_REDELIVERED, ref.scope if "/" in ref.scope else None
                self._note(Event(kind=kind, at=self._clock.now(), message=text, repo=repo))
        return next((outcome for outcome in outcomes if outcome not in SETTLED), Outcome.ASKED)

    async def _order(self, ref: HookRef, row: Delivery, *, proof: bool = False) -> Outcome:
        """Have one delivery sent again; as a `proof` it must come in, else it is as if it had not been asked for.

        The order is on disk before it is given: where the disk is full, what is sent again would be refused again.
        """
        await self._marks.mark_redelivery(row.guid, self._clock.now(), done=False)
        heard = self._roster.heard(ref)
        outcome = await self._ask(ref, row)
        if proof and outcome is Outcome.ASKED and not await self._arrives(ref, heard):
            outcome = Outcome.UNHEARD
        self._count(outcome.value)
        if outcome in SETTLED:
            self._done.add(row.guid)
            await self._marks.mark_redelivery(row.guid, self._clock.now(), done=True)
        return outcome

    async def _ask(self, ref: HookRef, row: Delivery) -> Outcome:
        try:
            await self._hooks.redeliver(ref, row.id)
        except Unknown as problem:
            log.info("whether %s sends %s again is not known: %s", ref, row.guid, problem.message)
            return Outcome.UNKNOWN
        except Denied:
            raise
        except Refused as problem:
            log.warning("a failed delivery of %s (%s) is not sent again: %s", ref, row.action, problem.message)
            return Outcome.REFUSED
        return Outcome.ASKED

    async def _arrives(self, ref: HookRef, before: int) -> bool:
        """Whether anything comes in from this hook within a moment."""
        until = Instant(self._clock.now() + ARRIVES)
        while self._roster.heard(ref) == before and self._clock.now() < until:
            self._roster.arrived.clear()
            await self._clock.wait(self._roster.arrived, until)
        return self._roster.heard(ref) != before
