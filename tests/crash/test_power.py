"""A machine that loses power: what was acknowledged was synced, not merely handed to the kernel.

A killed process leaves its writes in the page cache, so a kill alone tests no fsync. Here every byte of the database
and its WAL that was not synced when the process died is zeroed before the file is opened again.
"""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from krs.store import Store

ROUNDS = int(os.environ.get("KRS_CRASH_ROUNDS", "6"))

CHILD = """
import asyncio, sys
from pathlib import Path
from krs.store import Store
from tests.core.build import at, job

async def main():
    store = Store.open(Path(sys.argv[1]))
    store._connection.execute(f"PRAGMA synchronous={sys.argv[2]}")
    async def stream(lane):
        number = lane * 1_000_000
        while True:
            await store.receive(f"guid-{number}", job(number), at(0))
            print(number, flush=True)
            number += 1
    await asyncio.gather(*(stream(lane) for lane in range(8)))

asyncio.run(main())
"""


class Outcome(msgspec.Struct):
    """Over all rounds: what was promised, and what of it was there afterwards."""

    promised: int = 0
    missing: int = 0
    unsound: int = 0
    zeroed: int = 0


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The watcher, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("power loss is simulated by a preloaded C library: no Linux, or no compiler (cc)")
    library = tmp_path_factory.mktemp("shim") / "powerloss.so"
    source = Path(__file__).with_name("powerloss.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def lose_power(log: Path) -> int:
    """Zero what was written and not synced; gives how many bytes that was."""
    dirty: dict[str, list[tuple[int, int]]] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        kind, path, *numbers = line.split(" ")
        if kind == "S":
            dirty[path] = []
        elif len(numbers) == 2:
            dirty.setdefault(path, []).append((int(numbers[0]), int(numbers[1])))
    lost = 0
    for path, ranges in dirty.items():
        if not ranges or not Path(path).exists():
            continue
        with open(path, "r+b") as file:  # noqa: PTH123 - bytes in place
            size = os.fstat(file.fileno()).st_size
            for start, length in ranges:
                span = max(0, min(length, size - start))
                file.seek(start)
                file.write(bytes(span))
                lost += span
    return lost


def outlive(folder: Path, shim: Path, synchronous: str, rounds: int) -> Outcome:
    """Take deliveries in, kill, lose power, open again; so many times."""
    dice, outcome = random.Random(11), Outcome()
    for number in range(rounds):
        path, log = folder / f"{number}.db", folder / f"{number}.log"
        environ = {**os.environ, "LD_PRELOAD": str(shim), "KRS_POWER_LOG": str(log)}
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path), synchronous], stdout=subprocess.PIPE, text=True, env=environ
        )
        assert child.stdout is not None
        told = {int(child.stdout.readline()) for _ in range(dice.randint(50, 800))}
        child.kill()
        told |= {int(line) for line in child.stdout.read().splitlines()[:-1]}
        child.stdout.close()
        child.wait()
        outcome.zeroed += lose_power(log)
        Path(f"{path}-shm").unlink(missing_ok=True)
        store = Store.open(path)
        kept = {row.fact.id for row in store.unprocessed()}
        outcome.unsound += store._connection.execute("PRAGMA integrity_check").fetchone() != ("ok",)
        store.close()
        outcome.promised += len(told)
        outcome.missing += len(told - kept)
    print(f"\n{synchronous}: power losses {rounds}, {outcome}")
    return outcome


@pytest.mark.crash
@pytest.mark.timeout(3600)
def test_every_acknowledged_delivery_survives_a_loss_of_power(tmp_path: Path, shim: Path) -> None:
    """Without all that was not synced, none is missing and the file is sound."""
    outcome = outlive(tmp_path, shim, "FULL", ROUNDS)
    assert (outcome.missing, outcome.unsound) == (0, 0)
    assert outcome.promised > 0


@pytest.mark.crash
@pytest.mark.timeout(3600)
def test_the_loss_of_power_is_felt_where_nothing_is_synced(tmp_path: Path, shim: Path) -> None:
    """The test of the test: with SQLite's weaker setting promises are broken, so the zeroing really takes something."""
    outcome = outlive(tmp_path, shim, "NORMAL", 3)
    assert outcome.missing > 0
    assert outcome.zeroed > 0
