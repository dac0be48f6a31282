"""The tutorial's rehearsal is run as it is written, on other ports."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "first-job.md"
OPTIONS = (
    ("9100", "krs simulate", "--koyeb-port {port}"),
    ("9200", "krs simulate", "--github-port {port}"),
    ("8000", "krs daemon", "--port {port}"),
    ("8000", "krs runners", "--url http://127.0.0.1:{port}"),
)
"""The ports that are usual, and how each command is told of another one."""


@pytest.fixture
def blocks() -> list[str]:
    """The commands of the second step, each block as one script."""
    step = TUTORIAL.read_text(encoding="utf-8").partition("\n## 2.")[2].partition("\n## 3.")[0]
    text = "\0".join(re.findall(r"```\w*\n(.*?)```", step, re.DOTALL))
    others = {port: free() for port, _, _ in OPTIONS}
    for port, other in others.items():
        text = text.replace(port, other)
    for port, command, option in OPTIONS:
        text = text.replace(command, f"{command} {option.format(port=others[port])}")
    return text.split("\0")


def free() -> str:
    """A port that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


@contextmanager
def running(script: str, folder: Path, environ: dict[str, str], sign: str) -> Iterator[None]:
    """A script that goes on in the background, once it has said something; ended with all that it started."""
    process = subprocess.Popen(
        ["/bin/bash", "-c", script],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if sign in line:
            break
    else:
        raise AssertionError(said)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=10.0)


@pytest.mark.slow
def test_the_rehearsal_ends_with_a_runner(blocks: list[str], tmp_path: Path) -> None:
    """Simulation, set-up and daemon, a job, and the runner that starts for it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KRS_")}
    environ = {**kept, "PATH": path, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    simulate, serve, queue = blocks
    with ExitStack() as stack:
        stack.enter_context(running(simulate, tmp_path, environ, "steer it with"))
        stack.enter_context(running(serve, tmp_path, environ, "listening on"))
        shown = ""
        for _ in range(10):
            done = subprocess.run(
                ["/bin/bash", "-c", queue], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            shown = done.stdout
            if "runner-fra-small-" in shown:
                break
        assert "runner-fra-small-" in shown
