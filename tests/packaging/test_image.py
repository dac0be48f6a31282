"""The container image, as far as it can be tried without a container engine: its steps in a folder of their own."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from krs.sim.world import GITHUB_TOKEN, KOYEB_TOKEN, SECRET, Simulation
from tests.packaging.dockerfile import Instruction, stages

ROOT = Path(__file__).parents[2]
BUILD, FINAL = stages(ROOT / "Dockerfile")
PORT_LINE = re.compile(r"listening on http://[^:]+:(\d+)")


def of(stage: list[Instruction], word: str) -> list[Instruction]:
    """The instructions of a stage that begin with a word."""
    return [instruction for instruction in stage if instruction.word == word]


def test_the_linter_has_nothing_to_say() -> None:
    """hadolint, with all of its rules."""
    tool = Path(sys.executable).with_name("hadolint")
    if not tool.exists():
        pytest.skip("hadolint is not to be had for this machine")
    told = subprocess.run([tool, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (0, "")


def test_it_runs_as_a_user_and_ends_by_signal() -> None:
    """Not as root, and the process is the daemon itself, not a shell that keeps its signals."""
    assert [row.rest for row in of(FINAL, "USER")] == ["10001"]
    assert of(FINAL, "CMD")[0].command() == ["krs", "daemon"]
    assert all("latest" not in row.rest and ":" in row.rest for row in (*of(BUILD, "FROM"), *of(FINAL, "FROM")))


def test_every_package_in_it_is_pinned() -> None:
    """Each direct dependency has its version in constraints.txt, within what pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(row.split("==") for row in rows if not row.startswith("#"))
    versions = {name.casefold().replace("_", "-"): version for name, version in pinned.items()}
    extras = project["optional-dependencies"]
    for text in (*project["dependencies"], *extras["app"], *extras["fast"]):
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions[wanted.name.casefold().replace("_", "-")]), text


def test_only_what_is_copied_is_sent_to_the_builder() -> None:
    """.dockerignore lets through what COPY names, and no state file or .git."""
    rows = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = {name for row in of(BUILD, "COPY") for name in row.rest.split()[:-1]}
    assert rows[0] == "*"
    assert {row[1:] for row in rows if row.startswith("!")} == copied


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands for the image's root, after the steps of the first stage."""
    scratch = tmp_path_factory.mktemp("image")
    (scratch / "src").mkdir()
    for copy in of(BUILD, "COPY"):
        *sources, target = copy.rest.split()
        into = scratch / "src" / target
        into.mkdir(parents=True, exist_ok=True)
        for source in sources:
            folder = (ROOT / source).is_dir()
            subprocess.run(["cp", "-r", f"{ROOT / source}{'/.' if folder else ''}", into], check=True)
    for step in of(BUILD, "RUN"):
        line = step.rest.replace("/opt/krs", str(scratch / "opt")).replace(
            "python -m venv", f"{sys.executable} -m venv"
        )
        done = subprocess.run(["/bin/sh", "-c", line], cwd=scratch / "src", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return scratch


@pytest.fixture
def environ(root: Path, tmp_path: Path) -> dict[str, str]:
    """The environment that ENV makes, its paths in the folder."""
    pairs = [pair.split("=", 1) for row in of(FINAL, "ENV") for pair in row.rest.split()]
    given = {name: value.replace("/opt/krs", str(root / "opt")) for name, value in pairs}
    given = {name: value.replace("/var/lib/krs", str(tmp_path)) for name, value in given.items()}
    return {**given, "PATH": given["PATH"].replace("$PATH", os.environ["PATH"])}


async def started(command: list[str], environ: dict[str, str]) -> asyncio.subprocess.Process:
    """A command as a container runs it: found by the image's PATH, with nothing else in its environment."""
    program = shutil.which(command[0], path=environ["PATH"])
    assert program is not None
    return await asyncio.create_subprocess_exec(program, *command[1:], env=environ, stderr=asyncio.subprocess.PIPE)


async def listening(process: asyncio.subprocess.Process) -> int:
    """The port that a daemon says it listens on."""
    assert process.stderr is not None
    said = ""
    async for line in process.stderr:
        said += line.decode()
        if found := PORT_LINE.search(said):
            return int(found[1])
    raise AssertionError(said)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_its_steps_make_a_daemon_that_is_healthy_and_ends(environ: dict[str, str]) -> None:
    """Built by the RUN steps, started by CMD at PORT, healthy by HEALTHCHECK, and ended by SIGTERM with 0 at once."""
    simulation = Simulation()
    await simulation.start()
    secrets = {"KOYEB_TOKEN": KOYEB_TOKEN, "GITHUB_TOKEN": GITHUB_TOKEN, "API_SECRET": SECRET}
    urls = {"KOYEB_API_URL": simulation.koyeb_url, "GITHUB_API_URL": simulation.github_url}
    daemon = await started(of(FINAL, "CMD")[0].command(), {**environ, **secrets, **urls, "PORT": "0"})
    try:
        port = await listening(daemon)
        check = of(FINAL, "HEALTHCHECK")[0].command()
        for number, code in ((port, 0), (1, 1)):
            asked = await started(check, {**environ, "PORT": str(number)})
            assert (await asked.communicate())[0] is None
            assert asked.returncode == code
        assert os.access(environ["KRS_STATE"], os.W_OK)
    finally:
        daemon.send_signal(signal.SIGTERM)
        await asyncio.wait_for(daemon.communicate(), 5.0)
    assert daemon.returncode == 0
    await simulation.stop()
