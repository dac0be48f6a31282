"""Files of other versions and programs: the older is brought up to date, the rest is refused and left untouched."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from krs.core.model import World
from krs.store import (
    Store,
    StoreCorrupt,
    StoreError,
    StoreForeign,
    StoreLocked,
    StoreTooNew,
    StoreUnwritable,
    Turn,
    schema,
)
from krs.store import file as files
from tests.core.build import at, job, swept, turn

OLDER = len(schema.STEPS)
ADDED = "CREATE TABLE added(key INTEGER PRIMARY KEY) STRICT; INSERT INTO added SELECT key FROM job"
BROKEN = "CREATE TABLE half(key INTEGER PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1)"


def steps(monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    """A krs that knows these steps too."""
    for module in (schema, files):
        monkeypatch.setattr(module, "STEPS", (*schema.STEPS, *more))


async def older(path: Path) -> World:
    """A file of this version with two jobs; gives the world in it."""
    world, _ = turn(swept(), job(1), job(2))
    store = Store.open(path)
    await store.commit(Turn(before=World(), after=world, processed=(), counters={}, now=at(0)))
    store.close()
    return world


def version(path: Path) -> int:
    """The steps that a file has taken."""
    connection = sqlite3.connect(path)
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(number)


async def test_an_older_file_takes_the_missing_steps_and_a_copy_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows survive, the steps see them, and the file as it was is beside it, for its owner alone."""
    path = tmp_path / "state.db"
    world = await older(path)
    steps(monkeypatch, ADDED, "CREATE TABLE other(key TEXT) STRICT")
    store = Store.open(path)
    assert store.load().world.jobs == world.jobs
    assert store._connection.execute("SELECT key FROM added").fetchall() == [(1,), (2,)]
    store.close()
    kept = schema.copy_of(path, OLDER)
    assert (version(path), version(kept)) == (OLDER + 2, OLDER)
    assert kept.stat().st_mode & 0o777 == 0o600
    monkeypatch.undo()
    with pytest.raises(StoreTooNew, match=kept.name):
        Store.open(path)
    kept.replace(path)
    store = Store.open(path)
    assert store.load().world.jobs == world.jobs
    store.close()


async def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps before it hold, nothing of it does, and the next start goes on from there."""
    path = tmp_path / "state.db"
    await older(path)
    with monkeypatch.context() as patch:
        steps(patch, ADDED, BROKEN)
        with pytest.raises(StoreError, match="nowhere"):
            Store.open(path)
    steps(monkeypatch, ADDED)
    store = Store.open(path)
    tables = {name for (name,) in store._connection.execute("SELECT name FROM sqlite_schema")}
    assert ("added" in tables, "half" in tables) == (True, False)
    store.close()


async def test_without_room_for_the_copy_no_step_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that could not be taken back is not begun."""
    path = tmp_path / "state.db"
    await older(path)
    steps(monkeypatch, ADDED)

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "copy", no_room)
    with pytest.raises(StoreUnwritable, match="No space left"):
        Store.open(path)
    assert version(path) == OLDER


def database(path: Path, *statements: str) -> None:
    """A database as another program leaves it."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def newer(path: Path) -> None:
    """A file of a krs to come."""
    Store.open(path).close()
    database(path, "PRAGMA user_version = 99")


UNUSABLE: list[tuple[Callable[[Path], object], type[StoreError], str]] = [
    (newer, StoreTooNew, "upgrade krs"),
    (lambda path: database(path, "CREATE TABLE bookmark(x)"), StoreForeign, "another program"),
    (lambda path: database(path, "CREATE TABLE a(x)", "PRAGMA user_version = 1"), StoreForeign, "another program"),
    (lambda path: database(path, "PRAGMA user_version = 7"), StoreForeign, "another program"),
    (lambda path: database(path, "PRAGMA journal_mode=WAL", "CREATE TABLE a(x)"), StoreForeign, "another program"),
    (lambda path: path.write_bytes(b"nonsense" * 1000), StoreCorrupt, "move it away"),
    (lambda path: path.write_bytes(b"x"), StoreCorrupt, "move it away"),
]


@pytest.mark.parametrize(("prepare", "kind", "words"), UNUSABLE)
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_was(
    tmp_path: Path, prepare: Callable[[Path], object], kind: type[StoreError], words: str
) -> None:
    """Newer, foreign or no database at all: one line, and not a byte differs."""
    path = tmp_path / "state.db"
    prepare(path)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(kind, match=words) as refusal:
            Store.open(path)
        assert str(path) in str(refusal.value)
        assert "\n" not in str(refusal.value)
    assert path.read_bytes() == before


def test_a_file_that_another_program_writes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own lock is respected too, and named for what it is."""
    path = tmp_path / "state.db"
    Store.open(path).close()
    steps(monkeypatch, "CREATE TABLE more(x) STRICT")
    monkeypatch.setattr(files, "PRAGMAS", ("PRAGMA busy_timeout=1",))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked, match="in use by another program"):
        Store.open(path)
    other.close()
    assert version(path) == OLDER
