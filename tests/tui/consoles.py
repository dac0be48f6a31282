"""A console under test: its keys, its backend and its screen as text."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui import fleet
from tui.app import ConsoleApp, Wish
from tui.backend import Event, Role, Snapshot
from tui.backend.scripted import ScriptedBackend
from tui.settings import SettingsFile

Open = Callable[..., AbstractAsyncContextManager["Console"]]


NAMES = {" ": "space", "!": "exclamation_mark", ":": "colon", "/": "slash", "-": "minus", ".": "full_stop"}
"""Textual's names of the characters that tests type."""


class Console:
    """A running console with its backend and its pilot."""

    def __init__(self, app: ConsoleApp, backend: ScriptedBackend, pilot: Pilot[Wish]) -> None:
        self.app = app
        self.backend = backend
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys and let everything settle."""
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type characters: the first as a key, which proves where they go, the others at once."""
        await self.press(NAMES.get(text[0], text[0]))
        focused = self.app.focused
        assert isinstance(focused, Input)
        assert focused.value.endswith(text[0])
        focused.insert_text_at_cursor(text[1:])
        await self.settle()

    async def settle(self) -> None:
        """Show what the backend said; what one message leads to is another message, so each wait is done twice.

        A wait of 0 ends when the messages were handled; one without a length also waits for an idle process.
        """
        await self.pilot.pause(0)
        await self.pilot.pause()
        self.app._redraw()
        await self.pilot.pause(0)
        await self.pilot.pause()

    async def resize(self, size: tuple[int, int]) -> None:
        """Make the terminal larger or smaller."""
        await self.pilot.resize_terminal(*size)
        await self.settle()

    def text(self) -> str:
        """The screen as text, without blanks at the ends of lines."""
        strips = self.app.screen._compositor.render_strips()
        return "".join("".join(segment.text for segment in strip).rstrip() + "\n" for strip in strips)

    def line(self, number: int) -> str:
        """One line of the screen; -1 is the key line, -2 the status line."""
        return self.text().splitlines()[number]


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
    """A console over a scripted scheduler."""
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
