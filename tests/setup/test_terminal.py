"""`krs setup` on a real terminal."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from krs.sim.world import GITHUB_TOKEN, KOYEB_TOKEN
from tests.setup.scene import URL, Scene
from tests.tui.terminal import PATIENCE, Terminal

pytestmark = pytest.mark.slow


@pytest.fixture
def terminal(scene: Scene) -> Iterator[Terminal]:
    """The command on a pty, with the simulation's addresses and no token."""
    environ = {name: text for name, text in scene.environ.items() if text is not None and not name.endswith("TOKEN")}
    words = ("krs", "setup")
    opened = Terminal(Path(os.devnull), *words, size=(160, 60), script=Path("-m"), **environ)
    yield opened
    opened.close()


async def say(terminal: Terminal, question: str, answer: str) -> None:
    """Wait for a question, and type an answer and Enter."""
    await asyncio.to_thread(terminal.until, question)
    terminal.type(f"{answer}\r".encode())


async def ended(terminal: Terminal) -> int:
    """The exit code, once the last of the screen was read."""
    await asyncio.to_thread(terminal.read, 0.5)
    return await asyncio.to_thread(terminal.process.wait, PATIENCE)


async def test_a_person_answers_and_all_is_made(scene: Scene, terminal: Terminal) -> None:
    """Tokens do not show while they are typed; Enter takes defaults; a choice that is none is asked again."""
    await say(terminal, "Koyeb API key", KOYEB_TOKEN)
    await say(terminal, "Which do you have", "neither")
    await say(terminal, "Please select", "")
    await say(terminal, "GitHub token", GITHUB_TOKEN)
    await say(terminal, "Whose runners", "")
    await say(terminal, "Repositories (owner/repo)", "acme/api")
    await say(terminal, "Public address", URL)
    await say(terminal, "Write", "y")
    await asyncio.to_thread(terminal.until, "krs deploy")
    assert await ended(terminal) == 0
    screen = "\n".join(terminal.display)
    assert KOYEB_TOKEN not in screen
    assert GITHUB_TOKEN not in screen
    assert [hook.url for hook in scene.simulation.forge.hooks.of("acme/api")] == [URL]


async def test_ctrl_c_at_a_question_is_one_line(scene: Scene, terminal: Terminal) -> None:
    """At once, not after the next Enter; nothing was made."""
    await say(terminal, "Koyeb API key", KOYEB_TOKEN)
    await asyncio.to_thread(terminal.until, "Which do you have")
    terminal.type(b"\x03")
    await asyncio.to_thread(terminal.until, "krs: stopped; nothing was changed")
    assert await ended(terminal) == 130
    assert not scene.file.exists()
