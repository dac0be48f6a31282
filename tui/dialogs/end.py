"""Kill or drain: who exactly, what becomes of their jobs, and a typed confirmation when it is worth one.

The list is frozen by name when the dialog opens. A runner that changes while it is open is drawn as it is now, and
what was typed is cleared: nobody confirms what they did not see.
"""

from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Input, Static

from tui import format as fmt
from tui import rows
from tui.backend import RunnerState, RunnerView
from tui.dialogs.base import Dialog, button_label
from tui.view import View
from tui.widgets.choice import Choice

HOW = ("drain: no new job, gone when its job ends", "kill now")
GONE = "gone meanwhile: skipped"


class EndWish(msgspec.Struct, frozen=True):
    """What was confirmed: the runners as they were shown, and whether to kill or drain them."""

    runners: tuple[RunnerView, ...]
    kill: bool
    force: bool


class EndDialog(Dialog[EndWish]):
    """Names every victim. Drain is preselected when a job runs on any of them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "yes", show=False), Binding("n", "cancel", show=False)]

    def __init__(self, runners: tuple[RunnerView, ...]) -> None:
        title = f"End {runners[0].name}" if len(runners) == 1 else f"End {len(runners)} runners"
        super().__init__(title, yes="Kill" if len(runners) == 1 and not any(map(_busy, runners)) else "Confirm")
        self.names = tuple(runner.name for runner in runners)
        self._shown: dict[str, RunnerView | None] = {runner.name: runner for runner in runners}
        self._kill = not any(map(_busy, runners))
        self._notice = ""
        self._now = 0.0

    @property
    def runners(self) -> tuple[RunnerView, ...]:
        """The victims that are still there, as shown."""
        return tuple(runner for name in self.names if (runner := self._shown[name]) is not None)

    @property
    def phrase(self) -> str:
        """What must be typed; empty when `y` is enough."""
        runners = self.runners
        if self._kill and len(runners) == 1:
            return "kill" if _busy(runners[0]) or runners[0].state is RunnerState.LOST else ""
        return f"{'kill' if self._kill else 'drain'} {len(runners)}" if len(runners) > 1 else ""

    def body(self) -> ComposeResult:
        """The victims, the consequence, the choice, and the confirmation."""
        with VerticalScroll(id="victims", can_focus=False):
            yield Static(id="names", markup=False)
        yield Static(id="consequence", markup=False)
        yield Choice(HOW, chosen=int(self._kill), id="how")
        yield Static(id="ask", markup=False)
        yield Input(id="typed", compact=True, max_length=40, placeholder="_" * 12)
        yield Static(id="missing", markup=False)

    def on_mount(self) -> None:
        """Show the victims."""
        self._now = self.console.view.now
        self._redraw()

    def absorb(self, view: View) -> None:
        """Show what became of the victims; arm again when one of them changed."""
        self._now = view.now
        changed = False
        for name in self.names:
            before, present = self._shown[name], view.runner(name)
            if before is not None and (present is None or present.version != before.version):
                changed = True
                self._shown[name] = present
                after = GONE if present is None else rows.runner_state(present)
                self._notice = f"{name} changed: {after}. Look again."
        if changed:
            self.query_one("#typed", Input).value = ""
        if not self.runners:
            self.dismiss(None)
            self.console.say("nothing left to do: the runners are gone")
            return
        self._redraw()

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """Kill or drain."""
        self._kill = bool(event.index)
        self.query_one("#typed", Input).value = ""
        self._redraw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the input accepts."""
        event.stop()
        self.accept()

    def action_yes(self) -> None:
        """Agree with one key, where that is enough."""
        if not self.phrase:
            self.accept()

    def accept(self) -> None:
        """Answer, if the confirmation was typed."""
        typed = " ".join(self.query_one("#typed", Input).value.split())
        if self.phrase and typed != self.phrase:
            self.query_one("#missing", Static).update(f"type  {self.phrase}  first")
            self.query_one("#typed", Input).focus()
            return
        runners = self.runners
        self.dismiss(EndWish(runners, kill=self._kill, force=self._kill and any(map(_busy, runners))))

    def _redraw(self) -> None:
        self.query_one("#names", Static).update("\n".join(self._line(name) for name in self.names))
        self.query_one("#consequence", Static).update("\n".join(self._consequence()))
        phrase = self.phrase
        self.query_one("#ask", Static).update(
            f"type  {phrase}  to confirm:" if phrase else f"y {'kills' if self._kill else 'drains'} it"
        )
        self.query_one("#typed", Input).display = bool(phrase)
        self.query_one("#missing", Static).update(self._notice)
        self.query_one("#yes", Button).label = button_label("Kill" if self._kill else "Drain")

    def _line(self, name: str) -> str:
        runner = self._shown[name]
        if runner is None:
            return f"{name}  {GONE}"
        since = fmt.age(runner.since, self._now)
        unknown = "a job that only GitHub knows" if _busy(runner) else "no job"
        job = f"{runner.repo} {runner.job_name}" if runner.job else unknown
        return f"{name}  {rows.runner_state(runner)} {since}  {fmt.one_line(job)}"

    def _consequence(self) -> tuple[str, ...]:
        busy = sum(map(_busy, self.runners))
        if not busy:
            return ("No job is running there.",)
        jobs = fmt.count(busy, "job")
        if self._kill:
            return (f"{jobs} will fail at GitHub and are not queued again." if busy > 1
                    else "Its job will fail at GitHub and is not queued again.",)  # fmt: skip
        return (f"{jobs} may finish; then the {'runners go' if busy > 1 else 'runner goes'}.",)


def _busy(runner: RunnerView) -> bool:
    """Whether a job would fail; after the loss of the state file GitHub may know of one that krs does not."""
    return runner.job is not None or runner.state is RunnerState.BUSY
