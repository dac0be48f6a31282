"""The console's application: one worker that reads the backend, the present view, and the stack of screens.

No domain logic: what an action means is the scheduler's business, what may be asked is in `tui.operations`.
"""

import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, suppress
from enum import Enum, auto
from itertools import islice
from typing import ClassVar, cast

import msgspec
from textual.app import App
from textual.binding import BindingType
from textual.css.query import NoMatches
from textual.driver import Driver
from textual.system_commands import SystemCommandsProvider

from tui import crash, flows, themes
from tui.backend import Backend, Connection, Event, Link, Role, Snapshot, Totals
from tui.dialogs.base import Dialog
from tui.dialogs.leave import LeaveDialog, Leaving
from tui.exporter import save
from tui.filter import FilterError
from tui.keymap import Keymap, Where, bindings, resolve
from tui.operations import Operations, Outcome
from tui.palette import ConsoleCommands
from tui.screens.base import ConsoleScreen
from tui.screens.dashboard import Dashboard
from tui.settings import Looks, SettingsFile
from tui.verbs import carry_out
from tui.view import View
from tui.widgets.event_stream import KEPT, event_line
from tui.widgets.ring import Line

FLUSH = 0.25
"""Seconds between two redraws at most, however much happens."""
TICK = 1.0
SAID = 10
"""Ticks that a message stays in the status line."""


class Wish(Enum):
    """What a person who leaves the console wants."""

    LEAVE = auto()
    STOP = auto()


def being_taken_down() -> AbstractContextManager[None]:
    """A screen may lose its parts while a timer of the app still runs: on the way out nothing is missing."""
    return suppress(NoMatches)


class ConsoleApp(App[Wish]):
    """The console over one backend. `report_crash` is given the text of a crash, which holds no values."""

    TITLE = "krs"
    CSS_PATH = "styles/console.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar = {SystemCommandsProvider, ConsoleCommands}
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny-x"), (60, "-narrow"), (100, "-normal"), (160, "-wide")]  # noqa: RUF012 - Textual's
    VERTICAL_BREAKPOINTS = [(0, "-tiny-y"), (15, "-short"), (32, "-medium"), (45, "-tall")]  # noqa: RUF012 - Textual's
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.EVERYWHERE)

    def __init__(
        self,
        backend: Backend,
        *,
        settings: SettingsFile,
        environ: Mapping[str, str],
        connect: Callable[[str], Backend] | None = None,
        profiles: Callable[[], tuple[str, ...]] = tuple,
        report_crash: Callable[[str], None] = lambda _: None,
        driver: type[Driver] | None = None,
    ) -> None:
        looks = settings.looks(backend.profile)
        theme = themes.choose(looks.theme, environ)
        super().__init__(driver_class=driver, ansi_color=True if theme.startswith("ansi-") else None)
        for own in themes.OWN:
            self.register_theme(own)
        self.theme = theme
        self.backend = backend
        self.operations = Operations(backend)
        self.settings = settings
        self.environ = environ
        self.connect = connect
        self.profiles = profiles
        self.keymap: Keymap = resolve(settings.settings.keys)
        self.lines: deque[Line] = deque(maxlen=KEPT)
        self.read_only_session = False
        self.view = self._view_of(None, Connection(link=Link.CONNECTING))
        self._looks = looks
        self._fresh: list[Event] = []
        self._dirty = False
        self._said = 0
        self._report_crash = report_crash

    def get_default_screen(self) -> ConsoleScreen:
        """The dashboard."""
        return Dashboard()

    def on_mount(self) -> None:
        """Start reading the backend and let time pass."""
        self.set_keymap(self.keymap.overrides)
        self.theme_changed_signal.subscribe(self, lambda theme: self.remember(theme=theme.name))
        self.set_interval(FLUSH, self._redraw)
        self.set_interval(TICK, self._tick)
        self.run_worker(self._read(), group="backend", exclusive=True)
        for problem in (*self.keymap.problems, self.settings.problem):
            if problem:
                self.notify(problem, severity="warning", timeout=12)

    # what comes from the scheduler

    async def _read(self) -> None:
        """Take changes as they come; redraws happen at the pace of `_redraw`."""
        async for change in self.backend.changes():
            match change:
                case Snapshot():
                    self._change(snapshot=change)
                case Connection():
                    self._connection(change)
                case _:
                    self._fresh.extend(change)
                    self._dirty = True

    def _connection(self, connection: Connection) -> None:
        before = self.view.connection.link
        self._change(connection=connection)
        if before is Link.LOST and connection.link is Link.LIVE:
            self.notify("connected again", timeout=4)
        if before is not connection.link:
            self._redraw()

    def _change(self, **changes: object) -> None:
        self.view = msgspec.structs.replace(self.view, **changes)
        first = self.view.snapshot is not None and not self._dirty and not self.lines
        self._dirty = True
        if first:
            self._redraw()

    def _redraw(self) -> None:
        """Hand the newest view and the new events to the screens."""
        if not self._dirty or not self.is_running:
            return
        self._dirty = False
        fresh, self._fresh = self._fresh, []
        lines = [event_line(event) for event in islice(fresh, max(0, len(fresh) - KEPT), None)]
        self.lines.extend(lines)
        self.view = self._view_of(self.view.snapshot, self.view.connection, self.view.message)
        for screen in self.console_screens():
            with being_taken_down():
                if lines:
                    screen.take(lines)
                screen.absorb(self.view)
        if isinstance(self.screen, Dialog) and self.screen.is_mounted:
            self.screen.absorb(self.view)

    def _tick(self) -> None:
        self._said += 1
        message = self.view.message if self._said < SAID else ""
        self.view = msgspec.structs.replace(self.view, now=self.backend.now(), message=message)
        for screen in self.console_screens():
            with being_taken_down():
                screen.tick(self.view)

    def console_screens(self) -> list[ConsoleScreen]:
        """The screens to keep up to date: all of them, a dialog lets the one below show through."""
        return [screen for screen in self.screen_stack if isinstance(screen, ConsoleScreen) and screen.is_mounted]

    def _view_of(self, snapshot: Snapshot | None, connection: Connection, message: str = "") -> View:
        backend = self.backend
        view = View(
            now=backend.now(),
            snapshot=snapshot,
            connection=connection,
            where=backend.where,
            profile=backend.profile,
            role=Role.READ_ONLY if self.read_only_session else backend.role,
            embedded=backend.embedded,
            message=message,
        )
        return msgspec.structs.replace(view, undo=self.operations.undo_title(view))

    # what screens ask for

    def say(self, message: str) -> None:
        """Show one line for a while, or until there is something newer to say."""
        self._said = 0
        self.view = self._view_of(self.view.snapshot, self.view.connection, message)
        for screen in self.console_screens():
            screen.refresh_lines()

    def may_act(self) -> bool:
        """Whether actions are on; says why when not."""
        if self.view.off:
            self.say(f"refused: {self.view.off}")
        return not self.view.off

    def act(self, call: Awaitable[Outcome]) -> None:
        """Carry an action out in the background and show what became of it."""

        async def carry() -> None:
            outcome = await call
            self.say(outcome.line)

        self.run_worker(carry(), group="actions", exit_on_error=True)

    def try_filter(self, text: str) -> None:
        """Filter the top screen; with an expression that is none everything is shown, and why."""
        screen = self.top
        try:
            screen.apply_filter(text)
        except FilterError as problem:
            screen.apply_filter("")
            self.say(f"refused: {problem}")
        else:
            if self.view.message.startswith("refused: filter"):
                self.say("")

    def run_command(self, line: str) -> None:
        """Carry out a line of the `:` prompt."""
        carry_out(self, line)

    @property
    def top(self) -> ConsoleScreen:
        """The uppermost full screen."""
        return self.console_screens()[-1]

    def switch(self, backend: Backend) -> None:
        """Talk to another scheduler."""
        before = self.backend
        self.backend, self.operations = backend, Operations(backend)
        self.lines.clear()
        self._fresh.clear()
        self.view = self._view_of(None, Connection(link=Link.CONNECTING))
        self.run_worker(self._read(), group="backend", exclusive=True)
        self.run_worker(before.aclose(), group="closing", exit_on_error=False)
        for screen in self.console_screens():
            screen.absorb(self.view)

    def remember(self, **changes: object) -> None:
        """Keep a look for this scheduler."""
        self._looks = msgspec.structs.replace(self._looks, **changes)
        self.settings.remember(self.backend.profile, self._looks)

    @property
    def looks(self) -> Looks:
        """How this scheduler is shown."""
        return self._looks

    # actions that work everywhere

    def action_reconnect(self) -> None:
        """Try the connection again now."""
        self.backend.reconnect()

    def action_save(self) -> None:
        """Save what is shown."""
        self.save_to("")

    def save_to(self, path: str) -> None:
        """Save what is shown, to a path or to one made from the time."""
        stem, content = self.top.export()
        self.say(save(stem, content, path, self.view.now))

    def action_command(self) -> None:
        """Open the `:` prompt."""
        self.top.open_prompt(":")

    def action_help(self) -> None:
        """Show all keys."""
        flows.show_help(self)

    def action_step_back(self) -> None:
        """Close or clear one thing."""
        if self.view.message:
            self.say("")
        if not self.top.close_step() and len(self.screen_stack) > 1:
            self.pop_screen()

    def action_close(self) -> None:
        """Go back; on the dashboard quit."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        else:
            self.leave()

    async def action_quit(self) -> None:
        """Quit; Textual's own binding ends here too."""
        self.action_quit_now()

    def action_quit_now(self) -> None:
        """Quit; an embedded scheduler asks what becomes of it."""
        self.leave()

    def action_not_kill(self) -> None:
        """The key k9s kills with without a question."""
        self.notify(f"{self.keymap.key('end')} kills or drains, and asks first", timeout=4)

    def set_theme(self, name: str) -> None:
        """Change the colours; they are remembered as every change of the theme is."""
        self.theme = name

    def copy(self, text: str) -> None:
        """Copy through the terminal (OSC 52), which works over ssh."""
        self.copy_to_clipboard(text)
        self.say(f"copied: {text}")

    def open_page(self, url: str) -> None:
        """Open a URL where there is a browser; elsewhere show and copy it."""
        if any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
            self.open_url(url)
            self.say(f"opened {url}")
        else:
            self.copy_to_clipboard(url)
            self.say(f"{url} (no browser here: copied)")

    def home(self) -> Dashboard:
        """The dashboard, with everything above it closed."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        return cast("Dashboard", self.screen)

    def leave(self) -> None:
        """Leave; an embedded scheduler asks what becomes of it."""
        if not self.view.embedded:
            self.exit(Wish.LEAVE)
            return

        def answered(leaving: Leaving | None) -> None:
            if leaving is not None:
                self.exit(Wish.STOP if leaving is Leaving.STOP else Wish.LEAVE)

        totals = self.view.snapshot.totals if self.view.snapshot else Totals()
        self.push_screen(LeaveDialog(totals.runners, totals.busy), answered)

    def _fatal_error(self) -> None:
        """Report a crash without the values of any variable, which Textual's own report would print."""
        problem = self._exception
        text = crash.report(type(problem), problem, problem.__traceback__) if problem else "krs: the console crashed"
        self._report_crash(text)
        self.panic(text)
