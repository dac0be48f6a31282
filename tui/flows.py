"""What happens when a person asks for something: which dialog opens, and what its answer leads to."""

from typing import TYPE_CHECKING

from textual.command import CommandPalette
from textual.theme import ThemeProvider

from tui.backend import PoolId, RunnerView
from tui.dialogs.confirm import Confirm
from tui.dialogs.end import EndDialog, EndWish
from tui.dialogs.extend import ExtendDialog, ExtendWish
from tui.dialogs.start import StartDialog, StartWish
from tui.screens.connect import ConnectScreen
from tui.screens.detail import DetailScreen
from tui.screens.doctor import DoctorScreen
from tui.screens.help import HelpScreen
from tui.screens.logs import LogsScreen
from tui.screens.pools import PoolsScreen
from tui.screens.text import TextScreen, to_json

if TYPE_CHECKING:
    from tui.app import ConsoleApp


def detail(console: "ConsoleApp", name: str) -> None:
    """Show everything about a runner."""
    console.push_screen(DetailScreen(name))


def logs(console: "ConsoleApp", name: str) -> None:
    """Show a runner's log."""
    console.push_screen(LogsScreen(name))


def pools(console: "ConsoleApp") -> None:
    """Show the pools."""
    if not isinstance(console.top, PoolsScreen):
        console.push_screen(PoolsScreen())


def doctor(console: "ConsoleApp") -> None:
    """Show what is wrong."""
    if not isinstance(console.top, DoctorScreen):
        console.push_screen(DoctorScreen())


def show_help(console: "ConsoleApp") -> None:
    """Show the keys, those of the present place first."""
    if not isinstance(console.top, HelpScreen):
        console.push_screen(HelpScreen(console.top.where()))


def json(console: "ConsoleApp", runner: RunnerView) -> None:
    """Show a runner as the API shows it."""
    console.push_screen(TextScreen(runner.name, to_json(runner)))


def end(console: "ConsoleApp", runners: tuple[RunnerView, ...]) -> None:
    """Ask whether to kill or drain, and do it."""
    if not runners:
        console.say("no runner is chosen here")
        return
    if not console.may_act():
        return

    def answered(wish: EndWish | None) -> None:
        if wish is None or not console.may_act():
            return
        if wish.kill:
            console.act(console.operations.kill(wish.runners, force=wish.force))
        else:
            console.act(console.operations.drain(wish.runners))

    console.push_screen(EndDialog(runners), answered)


def extend(console: "ConsoleApp", runners: tuple[RunnerView, ...]) -> None:
    """Ask for how long, and extend."""
    if not runners:
        console.say("no runner is chosen here")
        return
    if not console.may_act():
        return

    def answered(wish: ExtendWish | None) -> None:
        if wish is not None and console.may_act():
            console.act(console.operations.extend(wish.runners, minutes=wish.minutes, until=wish.until))

    console.push_screen(ExtendDialog(runners), answered)


def start(console: "ConsoleApp", label: str = "", scope: str = "") -> None:
    """Ask for a label and a scope, and start a runner."""
    if not console.may_act():
        return

    def answered(wish: StartWish | None) -> None:
        if wish is not None and console.may_act():
            console.act(console.operations.start(wish.label, wish.scope))

    console.push_screen(StartDialog(label, scope), answered)


def pause(console: "ConsoleApp", pool: PoolId | None, *, resume: bool) -> None:
    """Pause or resume a pool at once, everything after a question."""
    if not console.may_act():
        return
    if resume:
        console.act(console.operations.resume(pool))
        return
    if pool is not None:
        console.act(console.operations.pause(pool))
        return

    def answered(yes: bool | None) -> None:
        if yes and console.may_act():
            console.act(console.operations.pause(None))

    question = "No runner will be started anywhere until it is resumed. Runners that are up go on."
    console.push_screen(Confirm("Pause everything", (question,), yes="Pause all"), answered)


def undo(console: "ConsoleApp") -> None:
    """Take the last extend or drain back."""
    if console.may_act():
        console.act(console.operations.undo(console.view))


def connect(console: "ConsoleApp", profile: str) -> None:
    """Talk to another scheduler: the one named, or one that is picked."""
    if console.connect is None:
        console.say("refused: this console has its scheduler in the same process")
        return
    if profile:
        use(console, profile)
        return
    console.push_screen(ConnectScreen(console.profiles()), lambda chosen: use(console, chosen) if chosen else None)


def use(console: "ConsoleApp", profile: str) -> None:
    """Connect by the name of a profile or a URL."""
    assert console.connect is not None
    try:
        backend = console.connect(profile)
    except ValueError as problem:
        console.say(f"refused: {problem}")
    else:
        console.switch(backend)


def pick_theme(console: "ConsoleApp") -> None:
    """Search the themes."""
    console.push_screen(CommandPalette(providers=[ThemeProvider], placeholder="Search for themes"))
