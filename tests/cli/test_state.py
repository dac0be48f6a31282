"""`krs state` as it is used: beside a daemon, after one, and on files that are none."""

import json
import sqlite3
from pathlib import Path

import pytest

from krs.core.model import World
from krs.store import Store, Turn
from tests.cli.test_commands import krs
from tests.core.build import at, job, swept, turn


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A file with two jobs in it, which no daemon holds."""
    path = tmp_path / "state.db"
    world, _ = turn(swept(), job(1), job(2))
    store = Store.open(path)
    seq = await store.receive("guid", job(1), at(0))
    await store.commit(Turn(before=World(), after=world, processed=(seq,), counters={}, now=at(5)))
    store.close()
    return path


def test_check_tells_what_is_in_the_file(path: Path) -> None:
    """For people in lines, for programs as JSON; the daemon that holds it is named."""
    shown = krs("state", "check", "--state", str(path), folder=path.parent)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "none holds it" in shown.stdout
    store = Store.open(path)
    read = json.loads(krs("state", "check", "--json", folder=path.parent, KRS_STATE=str(path)).stdout)
    store.close()
    assert (read["integrity"], read["schema"], read["rows"]["job"], read["last_processed"]) == ("ok", 1, 2, at(5))
    assert read["size"] >= path.stat().st_size
    assert isinstance(read["held_by"], int)


def test_a_backup_is_a_file_that_a_daemon_can_use(path: Path) -> None:
    """Taken while a daemon holds the file; what exists is written over with --force only."""
    target = path.with_name("copy.db")
    held = Store.open(path)
    made = krs("state", "backup", "copy.db", "--state", str(path), folder=path.parent)
    assert (made.returncode, made.stderr) == (0, "")
    held.close()
    assert target.stat().st_mode & 0o777 == 0o600
    refused = krs("state", "backup", "copy.db", "--state", str(path), folder=path.parent)
    assert (refused.returncode, "--force" in refused.stderr) == (3, True)
    assert krs("state", "backup", "copy.db", "--force", "--state", str(path), folder=path.parent).returncode == 0
    itself = krs("state", "backup", "state.db", "--force", "--state", str(path), folder=path.parent)
    assert (itself.returncode, "itself" in itself.stderr) == (1, True)
    store = Store.open(target)
    assert set(store.load().world.jobs) == {1, 2}
    store.close()


def test_vacuum_waits_for_the_daemon_to_be_gone(path: Path) -> None:
    """Exit 3 while one holds the file; afterwards the file is smaller, and says by how much."""
    held = Store.open(path)
    refused = krs("state", "vacuum", "--state", str(path), folder=path.parent)
    assert (refused.returncode, "in use by another daemon" in refused.stderr) == (3, True)
    held.close()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE waste(x)")
    other.execute("INSERT INTO waste VALUES (zeroblob(1000000))")
    other.execute("DROP TABLE waste")
    other.commit()
    other.close()
    before = path.stat().st_size
    done = krs("state", "vacuum", "--state", str(path), folder=path.parent)
    assert (done.returncode, f"{before:,} bytes before" in done.stdout) == (0, True)
    assert path.stat().st_size < before / 2


@pytest.mark.parametrize("command", [("check",), ("vacuum",), ("backup", "copy.db")])
def test_a_file_that_is_missing_or_not_ours_is_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    """What, where, what to do; nothing is made and nothing is changed."""
    path = tmp_path / "state.db"
    missing = krs("state", *command, "--state", str(path), folder=tmp_path)
    assert (missing.returncode, missing.stderr.count("\n"), "there is none" in missing.stderr) == (1, 1, True)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"nonsense" * 1000)
    foreign = krs("state", *command, "--state", str(path), folder=tmp_path)
    assert (foreign.returncode, foreign.stderr.count("\n"), "not a database" in foreign.stderr) == (1, 1, True)
    assert path.read_bytes() == b"nonsense" * 1000
