"""A look at the state file from outside."""

import sqlite3
from pathlib import Path

import pytest

from krs.store import Store, StoreCorrupt, StoreUnwritable
from krs.store.look import look
from krs.store.schema import STEPS
from tests.core.build import at, job


async def test_a_file_in_use_is_looked_at_and_left_alone(tmp_path: Path) -> None:
    """Its size with the log, its schema, and the room on its disk, while a daemon holds it."""
    path = tmp_path / "state.db"
    store = Store.open(path)
    assert await store.last_received() is None
    await store.receive("guid", job(1), at(5))
    await store.touch()
    seen = look(path)
    assert (seen.schema, seen.known) == (len(STEPS), len(STEPS))
    assert seen.size > path.stat().st_size
    assert seen.free > 0
    assert await store.last_received() == at(5)
    store.close()


def test_a_file_that_is_not_there_yet_is_no_problem(tmp_path: Path) -> None:
    """Its folder need not be there either: a daemon makes both."""
    seen = look(tmp_path / "deep" / "state.db")
    assert (seen.size, seen.schema) == (0, 0)
    assert not (tmp_path / "deep").exists()


def test_a_newer_schema_is_seen(tmp_path: Path) -> None:
    """Unlike opening, looking does not refuse it."""
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert look(path).schema == 99


def test_what_could_not_be_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is no database, and one that may not be written."""
    path = tmp_path / "state.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreCorrupt, match="move it away"):
        look(path)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(StoreUnwritable, match="cannot be written"):
        look(path)
