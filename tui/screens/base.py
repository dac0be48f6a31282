"""What every screen has: a header, a status line, a prompt, a key line, and one honest line when there is no room."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.screen import Screen

from tui import commands
from tui import format as fmt
from tui.backend import Link, RunnerView
from tui.keymap import ACTIONS, Action, Where
from tui.view import View
from tui.widgets.drawn import Drawn, Spans
from tui.widgets.header import header
from tui.widgets.keyline import key_line
from tui.widgets.prompt import Prompt
from tui.widgets.ring import Line
from tui.widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import ConsoleApp

SMALLEST = (60, 15)
"""Columns and lines below which nothing useful can be shown."""


def too_small(view: View, _width: int, height: int) -> list[Spans]:
    """The line for a terminal without room, with what matters most."""
    total = view.snapshot.totals if view.snapshot else None
    lines: list[Spans] = [((f"terminal too small, need {SMALLEST[0]}x{SMALLEST[1]}", Tone.WARN),)]
    if total is not None:
        lines.append(((f"{total.runners} run {total.queued} queued {fmt.hourly(total.cost_hourly)}", Tone.PLAIN),))
    lines.append(((f"{view.connection.link.value}", Tone.PLAIN),))
    return lines[:height] if height else lines


class ConsoleScreen(Screen[None]):
    """A full screen. Subclasses give the body, what the status line says, and which keys the key line offers."""

    WHERE: ClassVar[Where] = Where.EVERYWHERE
    """Whose keys the help shows first."""
    OFFERS: ClassVar[tuple[str, ...]] = ()
    """Ids of the actions of the key line, most used first."""

    @property
    def console(self) -> "ConsoleApp":
        """The app."""
        return cast("ConsoleApp", self.app)

    def compose(self) -> ComposeResult:
        """The frame around the body."""
        yield Drawn(header, id="header")
        yield from self.body()
        yield Drawn(self._status, id="status")
        yield Prompt(id="prompt", commands=sorted(commands.BY_NAME))
        yield Drawn(self._keys, id="keys")
        yield Drawn(too_small, id="small")

    @abstractmethod
    def body(self) -> ComposeResult:
        """What is between header and status line."""

    @abstractmethod
    def describe(self, view: View, width: int) -> Spans:
        """What the status line says when there is nothing newer to say."""

    def absorb(self, view: View) -> None:
        """Show another view. Subclasses add their own widgets."""
        for drawn in self.query(Drawn):
            drawn.absorb(view)

    def tick(self, view: View) -> None:
        """Let time pass: the same as another view unless a screen knows better."""
        self.absorb(view)

    def take(self, lines: Iterable[Line]) -> None:
        """New events came."""

    def on_mount(self) -> None:
        """Show what is known already."""
        self.absorb(self.console.view)

    def refresh_lines(self) -> None:
        """Draw the lines around the body again."""
        for name in ("#header", "#status", "#keys"):
            self.query_one(name, Drawn).absorb(self.console.view)

    def where(self) -> Where:
        """Whose keys the help shows first: those of the focused pane."""
        return self.WHERE

    def chosen(self) -> tuple[RunnerView, ...]:
        """The runners an action is for."""
        return ()

    def open_prompt(self, kind: str, text: str = "") -> None:
        """Open the prompt, for a command or a filter."""
        self.query_one(Prompt).open(kind, text)
        self.refresh_lines()

    def prompt_filter(self) -> str:
        """The filter in force, to start editing from."""
        return ""

    def apply_filter(self, text: str) -> None:
        """Filter what is shown. Raises `FilterError`. Screens without a filter ignore it."""

    def close_step(self) -> bool:
        """Close or clear one thing; False when there was nothing, and the screen itself should go."""
        return False

    def export(self) -> tuple[str, list[dict[str, object]] | str]:
        """What `save` writes: a stem for the file, and rows or text."""
        return "view", ""

    def enabled(self, action: Action) -> bool:
        """Whether an action works now."""
        if action.id == "undo" and not self.console.view.undo:
            return False
        return not (action.dangerous and self.console.view.off)

    def _status(self, view: View, width: int, _height: int) -> list[Spans]:
        if view.message:
            undo = f"   {self.console.keymap.key('undo')} undoes the {view.undo}" if view.undo else ""
            return [((f" {fmt.one_line(view.message)}", Tone.WARN if "refused" in view.message else Tone.GOOD),
                     (undo, Tone.MUTED))]  # fmt: skip
        match view.connection.link:
            case Link.LOST:
                said = f" {fmt.one_line(view.connection.message)}. Actions are off; ~ is counted here."
                return [((said, Tone.BAD),)]
            case Link.DENIED:
                return [((f" {fmt.one_line(view.connection.message)}", Tone.BAD),)]
            case _:
                return [self.describe(view, width)]

    def _keys(self, view: View, width: int, _height: int) -> list[Spans]:
        by_id = {action.id: action for action in ACTIONS}
        offered = [by_id[name] for name in self.offers()]
        if view.connection.link is not Link.LIVE:
            offered = [by_id["reconnect"], *offered]
        titles = {"reconnect": "retry now", "close": self.close_title()}
        keys = self.console.keymap
        if self.query_one(Prompt).is_open:
            return key_line((("enter", "apply"), ("esc", "cancel"), ("right", "complete")), width)
        return key_line(
            ((keys.key(one.id), titles.get(one.id, one.title)) for one in offered if self.enabled(one)), width
        )

    def offers(self) -> tuple[str, ...]:
        """Ids of the actions of the key line now, most used first."""
        return self.OFFERS

    def close_title(self) -> str:
        """What `q` does here."""
        return "back"

    @on(Prompt.Cancelled)
    def prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        """Give the focus back; a filter that was being typed is taken away."""
        self.refresh_lines()
        if event.kind == "/":
            self.apply_filter("")
        self.focus_body()

    @on(Prompt.Submitted)
    def prompt_submitted(self, event: Prompt.Submitted) -> None:
        """Carry the line out."""
        self.focus_body()
        self.refresh_lines()
        if event.kind == "/":
            self.console.try_filter(event.text)
        else:
            self.console.run_command(event.text)

    @on(Prompt.Edited)
    def prompt_edited(self, event: Prompt.Edited) -> None:
        """Filter while it is typed."""
        if event.kind == "/":
            self.console.try_filter(event.text)

    def focus_body(self) -> None:
        """Give the focus to the main widget."""
        self.focus_next()
