"""Consoles over a scripted scheduler, and their screens as text."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.tui import fleet
from tests.tui.consoles import Console, Open
from tests.tui.terminal import OpenTerminal, Terminal
from tui.app import ConsoleApp
from tui.backend import Event, Role, Snapshot
from tui.backend.scripted import ScriptedBackend
from tui.settings import SettingsFile


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

    @asynccontextmanager
    async def open_console(
        size: tuple[int, int] = (120, 40),
        snapshot: Snapshot | None = None,
        events: tuple[Event, ...] | None = None,
        role: Role = Role.ADMIN,
        embedded: bool = False,
        settings: SettingsFile | None = None,
        environ: dict[str, str] | None = None,
    ) -> AsyncIterator[Console]:
        backend = ScriptedBackend(
            fleet.snapshot() if snapshot is None else snapshot,
            events=fleet.events() if events is None else events,
            logs=fleet.log_lines(),
            checks=fleet.checks(),
            role=role,
            embedded=embedded,
        )
        app = ConsoleApp(
            backend,
            settings=settings or SettingsFile(None),
            environ={"COLORTERM": "truecolor"} if environ is None else environ,
        )
        async with app.run_test(size=size) as pilot:
            console = Console(app, backend, pilot)
            await console.settle()
            yield console

    return open_console
