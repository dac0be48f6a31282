"""A delivery's whole way in one thread: the real intake, the real table in memory, one turn of the real core."""

import sqlite3
import time
from collections.abc import Mapping

import pytest

from krs.core.facts import JobFact
from krs.core.model import Event, Instant
from krs.daemon.intake import WebhookIntake
from krs.daemon.roster import Roster
from krs.github.webhook import sign
from krs.http.ports import Answer
from krs.secret import Secret
from krs.store import inbox, world
from krs.store.bulk import document
from krs.store.rows import Turn
from krs.store.schema import migrate
from tests.core.build import POLICY, at, swept, turn

SECRET = "a secret of sixteen"
TIME = 0.050
"""Seconds of processor time that a delivery may take until it is handed to the disk."""
MIB = 1 << 20
FORM = "application/x-www-form-urlencoded"


class Gate:
    """Takes deliveries in, and sees each that was accepted through the store and the core."""

    def __init__(self) -> None:
        self._table = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self._table, 0)
        self._world = swept()
        self._accepted: list[JobFact] = []
        self._seq = 0
        self.refusals: list[Event] = []
        self._intake = WebhookIntake(
            secret=Secret(SECRET),
            unsigned=False,
            prefix=POLICY.prefix,
            inbox=self,
            now=lambda: at(0),
            world=lambda: self._world,
            hear=lambda _seq, fact: self._accepted.append(fact),
            roster=Roster(),
            note=self.refusals.append,
        )
        self.seconds = 0.0

    async def receive(self, guid: str, fact: JobFact, now: Instant) -> int:
        """Where the store would be asked; only what comes before is timed."""
        self._seq += 1
        self._table.execute(inbox.RECEIVE, (document([(self._seq, guid, now, fact)]),))
        return self._seq

    def take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer; what was accepted comes back from the disk as it went in, and is absorbed."""
        began = time.process_time()
        with pytest.raises(StopIteration) as end:
            self._intake(headers, body).send(None)
        self.seconds = time.process_time() - began
        answer = end.value.value
        assert isinstance(answer, Answer)
        if answer.code == "accepted":
            self._see_through(self._accepted.pop())
        return answer

    def send(self, body: bytes, kind: str = "application/json", **headers: str) -> Answer:
        """The answer to a delivery with the right signature."""
        sent = {
            "Content-Type": kind,
            "X-GitHub-Event": "workflow_job",
            "X-Hub-Signature-256": sign(SECRET.encode(), body),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.take(sent, body)

    def close(self) -> None:
        """Close the table."""
        self._table.close()

    def _see_through(self, fact: JobFact) -> None:
        (row,) = inbox.unprocessed(self._table)
        assert row.fact == fact
        inbox.mark(self._table, [row.seq], at(0))
        before = swept()
        after, _ = turn(before, fact)
        world.write(self._table, Turn(before=before, after=after, processed=(), counters={}, now=at(0)))
        kept = world.load(self._table)
        assert (dict(kept.world.jobs), kept.damaged) == (dict(after.jobs), 0)
        for table in ("job", "pool", "runner"):
            self._table.execute(f"DELETE FROM {table}")
