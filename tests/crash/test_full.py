"""A disk that is really full under the real daemon: GitHub hears 503, the process lives, and goes on given room."""

import os
import resource
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.crash.machine import Machine

LABELS = ("koyeb-fra-small",)
SMALL_DISK = 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small disk is a tmpfs, which only root may mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
async def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Machine]:
    """The cloud runs; the daemon does not yet."""
    made = Machine(tmp_path, monkeypatch)
    await made.start()
    yield made
    await made.stop()


def grow(disk: Path) -> None:
    """Give it room."""
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)


async def refuses(machine: Machine) -> bool:
    """Whether the daemon says that it cannot write."""
    answer = await machine.get("/readyz")
    return answer is not None and answer.status_code == 503 and b"state file" in answer.content


async def outlives(machine: Machine) -> None:
    """While the disk is full a job comes and is refused; once there is room the daemon is itself again."""
    machine.load.start()
    await machine.until(lambda: refuses(machine), what="a full disk")
    machine.simulation.queue("acme/api", LABELS, seconds=1)

    async def refused() -> bool:
        return bool(machine.simulation.stats()["deliveries"].get("503", 0) == 1)

    await machine.until(refused, what="a 503")
    assert machine.simulation.cloud.created == 0
    await machine.load.stop()


async def recovers(machine: Machine) -> None:
    """All that was promised is there, and new work is served."""
    await machine.until(machine.ready, what="a daemon that is ready again")
    machine.simulation.queue("acme/api", LABELS, seconds=0.2)

    async def served() -> bool:
        return bool(machine.simulation.stats()["served"] >= 1)

    await machine.until(served, what="a served job")
    machine.kill()
    await machine.gone()
    sound, guids, _ = machine.on_disk()
    print(f"\nkept {len(machine.recorder.kept)} of {machine.load.sent} deliveries, missing 0; {sound}")
    assert (sound, machine.recorder.kept - guids) == ("ok", set())
    assert "Traceback" not in machine.log()


@pytest.mark.crash
async def test_a_small_disk_fills_and_is_given_room(machine: Machine, disk: Path) -> None:
    """A file system without a byte left, which grows later."""
    machine.path = disk / "state.db"
    await machine.up()
    await machine.until(machine.ready, what="a daemon that is ready")
    await outlives(machine)
    grow(disk)
    await recovers(machine)


@pytest.mark.crash
async def test_a_quota_on_the_file_is_met_and_lifted(machine: Machine) -> None:
    """The kernel refuses each further byte (RLIMIT_FSIZE), until an operator raises the limit."""
    await machine.up()
    await machine.until(machine.ready, what="a daemon that is ready")
    assert machine.process is not None
    unlimited = resource.prlimit(machine.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(machine.process.pid, resource.RLIMIT_FSIZE, (SMALL_DISK, unlimited[1]))
    await outlives(machine)
    resource.prlimit(machine.process.pid, resource.RLIMIT_FSIZE, unlimited)
    await recovers(machine)
