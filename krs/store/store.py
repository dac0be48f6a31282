"""The store: the state file opened, and the five things done with it."""

import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import IO

from krs.core.facts import JobFact
from krs.core.model import Event, Instant, Name
from krs.core.views import Page
from krs.core.vocabulary import EventKind
from krs.store import hooks, inbox, journal, world
from krs.store.errors import StoreError, StoreUnwritable, translated
from krs.store.file import connect, lock
from krs.store.rows import InboxRow, KnownHook, Saved, Turn
from krs.store.writer import Writer

PRUNED_AT_ONCE = 200


class Store:
    """One open state file. Every coroutine returns only when what it wrote is on disk."""

    def __init__(self, connection: sqlite3.Connection, path: Path, held: IO[str]) -> None:
        self._connection = connection
        self._path = path
        self._held = held
        self._numbers = itertools.count(inbox.last(connection) + 1)
        self._writer = Writer(connection, path, inbox.RECEIVE)

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open or make the file and lock it. Raises a `StoreError` in one line when that cannot be."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if path.is_dir():
                raise StoreUnwritable(f"state file {path} is a folder: set state.path to a file in it")
            held = lock(path)
        except OSError as problem:
            raise StoreUnwritable(
                f"state file {path}: {problem.strerror}: make its folder writable, or set state.path (KRS_STATE)"
            ) from None
        try:
            connection = connect(path)
        except BaseException:
            held.close()
            raise
        return cls(connection, path, held)

    def load(self) -> Saved:
        """What the last turn left; to be called before the first write."""
        try:
            return world.load(self._connection)
        except sqlite3.Error as problem:
            raise translated(problem, self._path) from None

    def unprocessed(self) -> tuple[InboxRow, ...]:
        """Deliveries that the last run left, oldest first; to be called before the first write."""
        try:
            return inbox.unprocessed(self._connection)
        except sqlite3.Error as problem:
            raise translated(problem, self._path) from None

    def watch(self, observe: Callable[[StoreError | None], None]) -> None:
        """Call `observe`, in the loop, with the problem when nothing can be written and with None when it can again."""
        self._writer.observe = observe

    async def receive(self, guid: str, fact: JobFact, now: Instant) -> int:
        """Take a delivery in; gives its number once it is on disk."""
        seq = next(self._numbers)
        await self._writer.insert((seq, guid, now, fact))
        return seq

    async def depth(self) -> int:
        """How many deliveries wait."""
        return await self._writer.do(inbox.depth)

    async def repositories(self, since: Instant) -> frozenset[str]:
        """Whose jobs were delivered since an instant."""
        return await self._writer.do(lambda connection: inbox.repositories(connection, since))

    def hooks(self) -> tuple[KnownHook, ...]:
        """The hooks that deliver to us; to be called before the first write."""
        try:
            return hooks.known(self._connection)
        except sqlite3.Error as problem:
            raise translated(problem, self._path) from None

    async def keep_hook(self, hook: KnownHook) -> None:
        """Remember a hook."""
        await self._writer.do(lambda connection: hooks.keep(connection, hook))

    async def redelivered(self) -> frozenset[str]:
        """GUIDs of deliveries that GitHub was asked for again, and took the order."""
        return await self._writer.do(hooks.redelivered)

    async def mark_redelivery(self, guid: str, now: Instant, *, done: bool) -> None:
        """Remember that a delivery is asked for again, and with `done` that GitHub took the order."""
        await self._writer.do(lambda connection: hooks.mark(connection, guid, hooks.Redelivery(now, done)))

    async def commit(self, turn: Turn) -> tuple[Event, ...]:
        """Write a turn whole: changed rows, its news as journal rows, its deliveries as processed."""

        def work(connection: sqlite3.Connection) -> tuple[Event, ...]:
            world.write(connection, turn)
            inbox.mark(connection, turn.processed, turn.now)
            return journal.append(connection, turn.after.news)

        return await self._writer.do(work)

    async def events(self, after: int, kinds: frozenset[EventKind], limit: int, *, runner: Name | None = None) -> Page:
        """A slice of the journal, oldest first; no kinds means all."""
        return await self._writer.do(lambda connection: journal.read(connection, after, kinds, limit, runner))

    async def prune(self, now: Instant, keep: float) -> None:
        """Drop absorbed deliveries and journal rows after `keep` seconds, a few at a time; old hooks and orders too."""
        for step in (
            lambda connection: inbox.prune(connection, now, keep, PRUNED_AT_ONCE),
            lambda connection: journal.prune(connection, now, keep, PRUNED_AT_ONCE),
            lambda connection: hooks.prune(connection, now),
        ):
            while await self._writer.do(step):
                pass

    async def check(self) -> str:
        """SQLite's own word on the file: `ok` or what is wrong."""
        return await self._writer.do(lambda connection: str(connection.execute("PRAGMA integrity_check").fetchone()[0]))

    def close(self) -> None:
        """Finish what waits, then close and unlock the file."""
        self._writer.close()
        self._connection.close()
        self._held.close()
