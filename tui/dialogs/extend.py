"""Extend: by how long, what that makes of the end, and what it costs."""

from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from tui import commands
from tui import format as fmt
from tui.backend import RunnerView
from tui.commands import CommandError
from tui.dialogs.base import Dialog
from tui.widgets.choice import Choice

CHOICES = ((15.0, "+15m"), (30.0, "+30m"), (60.0, "+1h"), (120.0, "+2h"))
"""Minutes and how they are written."""
DAY = 86_400.0


class ExtendWish(msgspec.Struct, frozen=True):
    """What was chosen, for which runners: minutes, or an instant."""

    runners: tuple[RunnerView, ...]
    minutes: float | None = None
    until: float | None = None


def until(text: str, now: float) -> float:
    """The next instant with this time of day (UTC): `15:00`. Raises `CommandError`."""
    hours, colon, minutes = text.removeprefix("until").strip().partition(":")
    if not colon or not hours.isdigit() or not minutes.isdigit() or int(hours) > 23 or int(minutes) > 59:
        raise CommandError(f"{text!r} is not a time; write 45m, 2h or until 15:00")
    at = now - now % DAY + int(hours) * 3600 + int(minutes) * 60
    return at if at > now else at + DAY


class ExtendDialog(Dialog[ExtendWish]):
    """Four usual lengths, or one that is typed."""

    AUTO_FOCUS = "#how"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(at + 1), f"pick({at})", show=False) for at in range(len(CHOICES) + 1)),
        Binding("n", "cancel", show=False),
        Binding("enter", "accept", show=False),
    ]
    KEYS = "1-5 pick and extend  enter extend  esc cancel"

    def __init__(self, runners: tuple[RunnerView, ...]) -> None:
        title = f"Extend {runners[0].name}" if len(runners) == 1 else f"Extend {len(runners)} runners"
        super().__init__(title, yes="Extend")
        self._runners = runners

    def body(self) -> ComposeResult:
        """The present end and the choices."""
        now = self.console.view.now
        yield Static("\n".join(self._line(runner, now) for runner in self._runners[:8]), id="names", markup=False)
        if len(self._runners) > 8:
            yield Static(f"and {len(self._runners) - 8} more", markup=False)
        options = [f"{at}  {text:5} {self._effect(minutes, now)}" for at, (minutes, text) in enumerate(CHOICES, 1)]
        yield Choice([*options, f"{len(CHOICES) + 1}  other, typed below"], chosen=1, id="how")
        yield Input(id="typed", compact=True, max_length=20, placeholder="45m, 2h or until 15:00 (UTC)")
        yield Static(id="missing", markup=False)

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """The last choice is typed."""
        if event.index == len(CHOICES):
            self.query_one("#typed", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the input accepts."""
        event.stop()
        self.accept()

    def action_pick(self, at: int) -> None:
        """Choose and extend; the last one waits for a time."""
        if at < len(CHOICES):
            self.dismiss(ExtendWish(self._runners, minutes=CHOICES[at][0]))
        else:
            self.query_one("#how", Choice).choose(at)
            self.query_one("#typed", Input).focus()

    def action_accept(self) -> None:
        """Enter on the choices extends."""
        self.accept()

    def accept(self) -> None:
        """Extend by what is chosen."""
        at = self.query_one("#how", Choice).index
        if at < len(CHOICES):
            self.action_pick(at)
            return
        text = self.query_one("#typed", Input).value.strip()
        try:
            wish = (
                ExtendWish(self._runners, until=until(text, self.console.view.now))
                if ":" in text
                else ExtendWish(self._runners, minutes=commands.minutes(text))
            )
        except CommandError as problem:
            self.query_one("#missing", Static).update(str(problem))
            self.query_one("#typed", Input).focus()
        else:
            self.dismiss(wish)

    def _line(self, runner: RunnerView, now: float) -> str:
        if runner.expires_at is None:
            return f"{runner.name}  {runner.state.upper()}  no end set"
        ends = f"ends {fmt.clock(runner.expires_at)} UTC, in {fmt.left(runner.expires_at, now)}"
        return f"{runner.name}  {runner.state.upper()}  {ends}"

    def _effect(self, minutes: float, now: float) -> str:
        ends = sorted((runner.expires_at or now) + minutes * 60 for runner in self._runners)
        span = fmt.clock(ends[0]) if ends[0] == ends[-1] else f"{fmt.clock(ends[0])} .. {fmt.clock(ends[-1])}"
        prices = [runner.price_hourly for runner in self._runners if runner.price_hourly is not None]
        cost = f"   up to ${sum(prices) * minutes / 60:.3f}" if prices else ""
        return f"-> {span}{cost}"
