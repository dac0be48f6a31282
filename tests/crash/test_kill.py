"""A process that dies at any moment: every delivery that was acknowledged is on disk."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from krs.store import Store

ROUNDS = int(os.environ.get("KRS_CRASH_ROUNDS", "10"))

CHILD = """
import asyncio, sys
from pathlib import Path
from krs.store import Store
from tests.core.build import at, job

async def main():
    store = Store.open(Path(sys.argv[1]))
    async def stream(lane):
        number = lane * 1_000_000
        while True:
            await store.receive(f"guid-{number}", job(number), at(0))
            print(number, flush=True)
            number += 1
    await asyncio.gather(*(stream(lane) for lane in range(8)))

asyncio.run(main())
"""


@pytest.mark.crash
@pytest.mark.timeout(300)
def test_every_acknowledged_delivery_survives_a_kill(tmp_path: Path) -> None:
    """SIGKILL after a random number of acknowledgements: none is missing, and the file is sound."""
    dice = random.Random(7)
    acknowledged = 0
    for number in range(ROUNDS):
        path = tmp_path / f"{number}.db"
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        told = {int(child.stdout.readline()) for _ in range(dice.randint(50, 800))}
        child.kill()
        told |= {int(line) for line in child.stdout.read().splitlines()[:-1]}
        child.stdout.close()
        child.wait()
        store = Store.open(path)
        kept = {row.fact.id for row in store.unprocessed()}
        assert store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        store.close()
        assert told <= kept
        acknowledged += len(told)
    print(f"kills {ROUNDS}, deliveries {acknowledged}, missing 0")
