"""Every screen as text at three sizes, held against files that a person has looked at.

After a wanted change: `KRS_GOLDENS=write pytest tests/tui/test_goldens.py`, and read the difference.
"""

import asyncio
import os
from pathlib import Path

import pytest

from tests.tui import fleet
from tests.tui.consoles import Console, Open
from tui.backend import Connection, Instant, Link, Role

GOLDENS = Path(__file__).parent / "goldens"
PATIENCE = 5.0
"""Seconds that a paint may take on a busy machine; nothing waits for it unless it fails."""
SIZES = [(80, 24), (120, 40), (200, 50)]

SCREENS: dict[str, tuple[str, ...]] = {
    "dashboard": (),
    "jobs": ("2",),
    "events": ("3",),
    "zoom": ("plus",),
    "detail": ("enter",),
    "logs": ("l",),
    "pools": ("p",),
    "doctor": ("D", "j"),
    "help": ("question_mark",),
    "json": ("y",),
    "kill-idle": ("j", "j", "ctrl+d"),
    "kill-busy": ("ctrl+d", "tab", "tab", "down"),
    "kill-many": ("space", "space", "space", "ctrl+d"),
    "extend": ("j", "j", "e"),
    "start": ("t",),
    "marks": ("space", "j", "space"),
    "prompt": ("colon",),
}


async def held(name: str, console: Console, sizes: list[tuple[int, int]]) -> None:
    """Compare the screen at some sizes with the goldens, or write them when asked to."""
    GOLDENS.mkdir(exist_ok=True)
    for size in sizes:
        path = GOLDENS / f"{name}-{size[0]}x{size[1]}.txt"
        await console.resize(size)
        if os.environ.get("KRS_GOLDENS") == "write":
            path.write_text(await painted(console, ""), encoding="utf-8")
        golden = path.read_text(encoding="utf-8")
        assert await painted(console, golden) == golden, path.name


async def painted(console: Console, expected: str) -> str:
    """The screen once it shows what is expected, or after as long as any paint takes."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (PATIENCE if expected else 0.0)
    while console.text() != expected and loop.time() < deadline:
        # A title that was drawn before a new size was laid out is drawn anew with the next snapshot.
        console.app._dirty = True
        await console.settle()
    return console.text()


@pytest.mark.parametrize("name", SCREENS)
async def test_screen(show: Open, name: str) -> None:
    """The screen after some keys looks as it was approved."""
    async with show(size=SIZES[0]) as console:
        await console.press(*SCREENS[name])
        await held(name, console, SIZES)


async def test_lost(show: Open) -> None:
    """A lost connection is honest at every size, even where there is no room."""
    async with show() as console:
        lost = Connection(
            link=Link.LOST,
            since=Instant(fleet.NOW - 42),
            retry_at=Instant(fleet.NOW + 4),
            attempts=5,
            message="connection refused by 127.0.0.1:8000",
        )
        console.backend.connect(lost)
        await console.settle()
        await held("lost", console, [*SIZES, (58, 12), (40, 10)])


async def test_read_only(show: Open) -> None:
    """Read-only is said, and no dangerous key is offered."""
    async with show(role=Role.READ_ONLY) as console:
        await held("read-only", console, SIZES)


async def test_empty(show: Open) -> None:
    """Without runners the screen says that this is normal."""
    async with show(snapshot=fleet.empty(), events=()) as console:
        await held("empty", console, SIZES)


async def test_leaving_embedded(show: Open) -> None:
    """The question on leaving names both ways."""
    async with show(embedded=True) as console:
        await console.press("q")
        await held("leave", console, SIZES)
