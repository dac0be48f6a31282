"""Consoles over a scripted scheduler, and their screens as text."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.consoles import Open, open_console
from tests.tui.terminal import OpenTerminal, Terminal


@pytest.fixture
def open_terminal() -> Iterator[OpenTerminal]:
    """Run a script on a terminal; whatever is left of it at the end is ended."""
    terminals: list[Terminal] = []

    def opened(result: Path, *words: str, **more: object) -> Terminal:
        terminals.append(Terminal(result, *words, **more))  # type: ignore[arg-type]  # passed through
        return terminals[-1]

    yield opened
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def show() -> Open:
    """Open a console, to be used with `async with`."""
    return open_console
