"""The whole way as a person goes it, each command a process of its own: simulate, setup, daemon, webhook send."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from krs.config.settings import ALIASES
from tests.deliveries import payload

pytestmark = pytest.mark.slow

KRS = (sys.executable, "-m", "krs")
PATIENCE = 20.0
REAL = Path(__file__).parents[2].parent / "shared" / "payloads" / "workflow_job.queued.json"
"""A delivery that GitHub sent, where there is one beside the project."""


class Desk:
    """A folder, its environment, and the commands that were started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        known = {name: text for name, text in os.environ.items() if name not in ALIASES and not name.startswith("KRS_")}
        self.environ = {**known, "KRS_STATE": str(folder / "state.db"), "PYTHONUNBUFFERED": "1"}
        self.running: list[subprocess.Popen[str]] = []

    def krs(self, *words: str) -> str:
        """A command that ends well, and what it printed."""
        done = subprocess.run((*KRS, *words), cwd=self.folder, env=self.environ, capture_output=True, text=True)  # noqa: PLW1510 - its end is looked at
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command that goes on."""
        process = subprocess.Popen(
            (*KRS, *words), cwd=self.folder, env=self.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.running.append(process)
        return process

    def until(self, url: str, found: str = "") -> Any:
        """Ask until the answer is 200 and holds a word."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                answer = httpx.get(url, trust_env=False)
            except httpx.HTTPError:
                answer = httpx.Response(0)
            if answer.status_code == 200 and found in answer.text:
                return answer.json()
            time.sleep(0.05)
        raise AssertionError(f"{url} does not answer with {found}")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Ended with all that runs in it."""
    found = Desk(tmp_path)
    yield found
    for process in reversed(found.running):
        process.terminate()
        process.communicate(timeout=PATIENCE)


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_from_nothing_to_the_first_runner_in_a_minute(desk: Desk) -> None:
    """Set up before there is a daemon, and again with one, which GitHub's ping reaches; a sent job starts a runner."""
    began = time.monotonic()
    simulation = desk.start("simulate", "--koyeb-port", "0", "--github-port", "0", "--webhook", "")
    assert simulation.stdout is not None
    _, koyeb, _, github, *_ = simulation.stdout.readline().split()
    desk.environ |= {"KOYEB_API_URL": koyeb, "GITHUB_API_URL": github, "KOYEB_TOKEN": "k", "GITHUB_TOKEN": "g"}
    address = f"http://127.0.0.1:{free_port()}"
    desk.krs("setup", "acme/api", "--url", address, "--yes")
    desk.start("daemon", "--host", "127.0.0.1", "--port", address.rpartition(":")[2])
    assert "ping: GitHub's ping was answered 200" in desk.krs("setup", "--yes")
    file = REAL if REAL.is_file() else desk.folder / "queued.json"
    if file != REAL:
        file.write_text(json.dumps(payload()))
    desk.krs("webhook", "send", str(file), "--label", "koyeb-fra-small")
    assert desk.until(f"{koyeb}/_sim/stats", '"services_alive": 1')["services_created"] == 1
    assert time.monotonic() - began < 60
