"""One thread owns the connection; whatever waits is written in one transaction: the previous fsync is the batch window.

No timer and no batch size: a lone delivery is written at once, a burst shares its fsyncs.
"""

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from krs.store.bulk import document
from krs.store.errors import StoreError, StoreMoved, StoreUnwritable, translated

T = TypeVar("T")

BATCH = 256
"""Jobs at most in one transaction, so that the first of a long queue is not kept waiting for the last."""

ABOUT_THE_FILE = (sqlite3.OperationalError, sqlite3.DatabaseError, StoreMoved)
"""Errors that the next write will meet too, unlike those of one row's data (which are their subclasses)."""


class Task(msgspec.Struct):
    """Something to do with the connection, or a row to insert, and where its result goes."""

    work: Callable[[sqlite3.Connection], Any] | None
    row: tuple[Any, ...] | None
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


Outcome = tuple[Task, Any, BaseException | None]


class Writer:
    """Runs tasks on its own thread, group-committed: a task's future resolves when its transaction is on disk."""

    def __init__(self, connection: sqlite3.Connection, path: Path, insert: str) -> None:
        self.observe: Callable[[StoreError | None], None] = lambda problem: None  # noqa: ARG005 - replaced by who listens
        self._trouble = False
        self._identity = _identity(path)
        self._insert = insert
        self._rows: list[Task] = []
        self._connection = connection
        self._path = path
        self._queue: queue.SimpleQueue[list[Task] | None] = queue.SimpleQueue()
        self._closed = False
        self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="krs-store", daemon=True)
        self._thread.start()

    def _hand_over(self, tasks: list[Task]) -> None:
        self._queue.put(tasks)

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in a transaction; returns once it is committed. Raises `StoreError` when it is not."""
        self._refuse_closed()
        loop = asyncio.get_running_loop()
        task = Task(work, None, loop, loop.create_future())
        self._hand_over([task])
        result: T = await task.done
        return result

    def insert(self, row: tuple[Any, ...]) -> asyncio.Future[Any]:
        """Insert a row with the writer's own statement, all rows of a batch at once; as `do`."""
        self._refuse_closed()
        loop = asyncio.get_running_loop()
        if not self._rows:
            loop.call_soon(self._flush)
        task = Task(None, row, loop, loop.create_future())
        self._rows.append(task)
        return task.done

    def _flush(self) -> None:
        """Hand the rows of this round of the loop over at once: one wake-up of the thread instead of one a row."""
        rows, self._rows = self._rows, []
        self._hand_over(rows)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreUnwritable(f"state file {self._path} is closed")

    def close(self) -> None:
        """Finish what waits, then end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        running = True
        while running:
            first = self._queue.get()
            if first is None:
                return
            batch = [*first]
            while len(batch) < BATCH:
                try:
                    tasks = self._queue.get_nowait()
                except queue.Empty:
                    break
                if tasks is None:
                    running = False
                    break
                batch += tasks
            _deliver(self._transact(batch))

    def _transact(self, batch: list[Task]) -> list[Outcome]:
        """The outcomes of a batch, all in one transaction; when one task fails, each gets a transaction of its own."""
        outcomes: list[Outcome] = []
        before = self._connection.total_changes
        try:
            self._refuse_moved()
            self._connection.execute("BEGIN IMMEDIATE")
            if rows := [task.row for task in batch if task.row is not None]:
                self._connection.execute(self._insert, (document(rows),))
            outcomes.extend((task, task.work and task.work(self._connection), None) for task in batch)
            self._connection.execute("COMMIT")
        except Exception as problem:  # noqa: BLE001 - it is the caller's; the thread must outlive it
            self._roll_back()
            if len(batch) > 1:
                return [outcome for task in batch for outcome in self._transact([task])]
            failure = translated(problem, self._path) if isinstance(problem, sqlite3.Error) else problem
            if isinstance(failure, StoreError) and (type(problem) in ABOUT_THE_FILE):
                self._report(failure, batch[0].loop)
            return [(batch[0], None, failure)]
        if self._connection.total_changes != before:
            self._report(None, batch[0].loop)
        return outcomes

    def _roll_back(self) -> None:
        # After some errors SQLite has rolled back by itself; the thread must outlive a disk on which even that fails.
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _refuse_moved(self) -> None:
        """SQLite goes on writing into a deleted file without a word (https://www.sqlite.org/howtocorrupt.html, 4.4)."""
        if _identity(self._path) != self._identity:
            raise StoreMoved(
                f"state file {self._path} was deleted or replaced under the daemon: put it back, or restart krs"
            )

    def _report(self, problem: StoreError | None, loop: asyncio.AbstractEventLoop) -> None:
        """Tell who listens when trouble begins and when it ends; a transaction that only read proves nothing."""
        if self._trouble != (problem is not None) and not loop.is_closed():
            self._trouble = problem is not None
            loop.call_soon_threadsafe(self.observe, problem)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - once a commit: no detour
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _deliver(outcomes: list[Outcome]) -> None:
    loops = {id(task.loop): task.loop for task, _, _ in outcomes}
    for key, loop in loops.items():
        mine = [outcome for outcome in outcomes if id(outcome[0].loop) == key]
        if not loop.is_closed():
            loop.call_soon_threadsafe(resolve, mine)


def resolve(outcomes: list[Outcome]) -> None:
    """Tell those who wait how their tasks ended; to be called in their loop."""
    for task, result, problem in outcomes:
        if task.done.done():
            continue
        if problem is None:
            task.done.set_result(result)
        else:
            task.done.set_exception(problem)
