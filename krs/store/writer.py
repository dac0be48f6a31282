"""One thread owns the connection; whatever waits is written in one transaction: the previous fsync is the batch window.

No timer and no batch size: a lone delivery is written at once, a burst shares its fsyncs.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from krs.store.errors import StoreError, StoreUnwritable, translated

T = TypeVar("T")

BATCH = 256
"""Jobs at most in one transaction, so that the first of a long queue is not kept waiting for the last."""


class Task(msgspec.Struct):
    """Something to do with the connection, and where its result goes."""

    work: Callable[[sqlite3.Connection], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


Outcome = tuple[Task, Any, BaseException | None]


class Writer:
    """Runs tasks on its own thread, group-committed: a task's future resolves when its transaction is on disk."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._queue: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="krs-store", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in a transaction; returns once it is committed. Raises `StoreError` when it is not."""
        if self._closed:
            raise StoreUnwritable(f"state file {self._path} is closed")
        loop = asyncio.get_running_loop()
        task = Task(work, loop, loop.create_future())
        self._queue.put(task)
        result: T = await task.done
        return result

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
            batch = [first]
            while len(batch) < BATCH:
                try:
                    task = self._queue.get_nowait()
                except queue.Empty:
                    break
                if task is None:
                    running = False
                    break
                batch.append(task)
            _deliver(self._transact(batch))

    def _transact(self, batch: list[Task]) -> list[Outcome]:
        """The outcomes of a batch; a task that fails alone is rolled back alone, a commit that fails fails all."""
        outcomes: list[Outcome] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes.extend(self._attempt(task) for task in batch)
            self._connection.execute("COMMIT")
        except sqlite3.Error as problem:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            failure = translated(problem, self._path)
            return [(task, None, failure) for task in batch]
        return outcomes

    def _attempt(self, task: Task) -> Outcome:
        self._connection.execute("SAVEPOINT task")
        try:
            result = task.work(self._connection)
        except sqlite3.Error as problem:
            if not self._connection.in_transaction:
                raise
            self._connection.execute("ROLLBACK TO task")
            return task, None, translated(problem, self._path)
        except (StoreError, ValueError, TypeError, LookupError) as problem:
            self._connection.execute("ROLLBACK TO task")
            return task, None, problem
        self._connection.execute("RELEASE task")
        return task, result, None


def _deliver(outcomes: list[Outcome]) -> None:
    loops = {id(task.loop): task.loop for task, _, _ in outcomes}
    for key, loop in loops.items():
        mine = [outcome for outcome in outcomes if id(outcome[0].loop) == key]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, mine)


def _resolve(outcomes: list[Outcome]) -> None:
    for task, result, problem in outcomes:
        if task.done.done():
            continue
        if problem is None:
            task.done.set_result(result)
        else:
            task.done.set_exception(problem)
