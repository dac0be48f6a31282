"""Draws the console's pictures for the documentation: `python -m tests.docs.pictures` writes docs/pictures/*.svg."""

import asyncio
from pathlib import Path

from tests.tui.consoles import open_console

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"

PICTURES: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {
    "dashboard": ((120, 40), ()),
    "dashboard-80x24": ((80, 24), ()),
    "detail": ((120, 40), ("enter",)),
    "kill-busy": ((120, 40), ("ctrl+d",)),
    "doctor": ((120, 40), ("D", "j")),
    "pools": ((120, 40), ("p",)),
}
"""Size of the terminal, and the keys that lead to the screen."""


async def picture(name: str) -> str:
    """A screen as SVG."""
    size, keys = PICTURES[name]
    async with open_console(size=size) as console:
        await console.press(*keys)
        return console.app.export_screenshot(title="krs")


async def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(exist_ok=True)
    for name in PICTURES:
        (FOLDER / f"{name}.svg").write_text(await picture(name) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
