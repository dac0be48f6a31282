"""A scene for each test."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from krs.config.settings import ALIASES
from krs.sim.world import Simulation
from tests.setup.scene import Scene


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """Both servers, and no variable or file of the developer's."""
    for name in {*ALIASES, *os.environ}:
        if name in ALIASES or name.startswith("KRS_"):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    simulation = Simulation()
    await simulation.start()
    yield Scene(simulation, tmp_path)
    await simulation.stop()
