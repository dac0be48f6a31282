"""The webhook's intake: signature, form, the few fields, the disk. Nothing is decided and nobody is called."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Protocol

from krs.core.facts import JobFact
from krs.core.labels import is_ours
from krs.core.model import Event, Instant, World
from krs.core.vocabulary import EventKind, Level, Reason
from krs.daemon.roster import Roster
from krs.github import webhook
from krs.http.ports import Answer
from krs.secret import Secret
from krs.store import StoreError

EVENT = "workflow_job"
REFUSALS = {
    "bad_signature": Reason.BAD_SIGNATURE,
    "undecodable": Reason.BAD_BODY,
    "unsupported_type": Reason.BAD_BODY,
}
"""Codes of answers that an operator should hear of."""
QUIET = 60.0
"""Seconds for which further refusals for the same reason are not journaled: anybody can send rubbish."""


class Inbox(Protocol):
    """Where deliveries are kept."""

    async def receive(self, guid: str, fact: JobFact, now: Instant) -> int:
        """Return the delivery's number once it is on disk."""


class WebhookIntake:
    """Answers deliveries. `hear` tells the loop of one that is on disk, `roster` learns which hook sent it.

    `note` journals what was refused.
    """

    def __init__(
        self,
        *,
        secret: Secret,
        unsigned: bool,
        prefix: str,
        inbox: Inbox,
        now: Callable[[], Instant],
        world: Callable[[], World],
        hear: Callable[[int, JobFact], None],
        roster: Roster,
        note: Callable[[Event], None],
    ) -> None:
        self._secret = secret.reveal().encode()
        self._unsigned = unsigned
        self._prefix = prefix
        self._inbox = inbox
        self._now = now
        self._world = world
        self._hear = hear
        self.receipts: dict[str, Instant] = {}
        """When a delivery was last answered with each code."""
        self._roster = roster
        self._note = note
        self._refused: dict[Reason, Instant] = {}

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take one delivery in."""
        answer, now = await self._answer(headers, body), self._now()
        self.receipts[answer.code] = now
        if answer.code in REFUSALS:
            self._tell(REFUSALS[answer.code], answer.message, now)
        return answer

    def _tell(self, reason: Reason, message: str, now: Instant) -> None:
        """Journal a refusal, so that an operator sees it; the metrics count those that are not journaled."""
        if now - self._refused.get(reason, -QUIET) < QUIET:
            return
        self._refused[reason] = now
        text = f"a delivery was refused: {message}"
        self._note(Event(kind=EventKind.DELIVERY_REJECTED, at=now, level=Level.WARN, reason=reason, message=text))

    async def _answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        if not self._unsigned and not webhook.verify(self._secret, body, headers.get("X-Hub-Signature-256")):
            return Answer(401, "bad_signature", "the signature is missing or does not fit the webhook's secret")
        try:
            json = webhook.payload(headers.get("Content-Type", ""), body)
            return await self._signed(headers, json)
        except webhook.UnsupportedType as problem:
            return Answer(415, "unsupported_type", str(problem))
        except webhook.Undecodable as problem:
            return Answer(400, "undecodable", str(problem))
        except StoreError as problem:
            return Answer(503, "store", str(problem))

    async def _signed(self, headers: Mapping[str, str], json: bytes) -> Answer:
        event = headers.get("X-GitHub-Event", "")
        if event != EVENT:
            webhook.check_object(json)
            if event == "ping":
                self._roster.met(headers, *webhook.home(json), self._now())
                return Answer(200, "pong", "the webhook works")
            return Answer(202, "ignored", f"event {event or 'missing'} is not {EVENT}")
        guid = headers.get("X-GitHub-Delivery") or hashlib.sha256(json).hexdigest()
        now = self._now()
        fact = webhook.decode_job(json, guid=guid, seen_at=now)
        ours = fact is not None and self.concerns_us(fact)
        if fact is not None:
            self._roster.met(headers, fact.repo, fact.owner, now, ours=ours)
        if fact is None or not ours:
            return Answer(202, "ignored", "no label of this job is ours")
        self._hear(await self._inbox.receive(guid, fact, now), fact)
        return Answer(202, "accepted", "on disk")

    def concerns_us(self, fact: JobFact) -> bool:
        """Whether a job asks for a runner of ours, is known, or runs on one."""
        world = self._world()
        known = fact.id in world.jobs or (fact.runner is not None and fact.runner in world.runners)
        return known or any(is_ours(label, self._prefix) for label in fact.labels)
