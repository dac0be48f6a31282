"""What every screen about runners can do with them; which runners is each screen's own business."""

from typing import ClassVar

from textual.binding import BindingType

from tui import flows
from tui.backend import RunnerView
from tui.keymap import Action, Needs, Where, bindings
from tui.screens.base import ConsoleScreen


class RunnerScreen(ConsoleScreen):
    """A screen with runners. `chosen` gives those an action is for, `current` the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.RUNNER)

    def current(self) -> RunnerView | None:
        """The runner under the cursor."""
        chosen = self.chosen()
        return chosen[0] if chosen else None

    def enabled(self, action: Action) -> bool:
        """What is about a runner needs one."""
        return super().enabled(action) and (action.needs is not Needs.RUNNER or self.subject() is not None)

    def subject(self) -> object:
        """What the actions about a runner would be about; None when there is nothing."""
        return self.current()

    def action_detail(self) -> None:
        """Everything about the runner under the cursor."""
        if (runner := self.current()) is not None:
            flows.detail(self.console, runner.name)

    def action_end(self) -> None:
        """Kill or drain, after a question."""
        flows.end(self.console, self.chosen())

    def action_extend(self) -> None:
        """Keep longer."""
        flows.extend(self.console, self.chosen())

    def action_undo(self) -> None:
        """Take the last extend or drain back."""
        flows.undo(self.console)

    def action_logs(self) -> None:
        """The runner's log."""
        if (runner := self.current()) is not None:
            flows.logs(self.console, runner.name)

    def action_open(self) -> None:
        """The runner's job in the browser."""
        if (runner := self.current()) is None:
            return
        if runner.job_url:
            self.console.open_page(runner.job_url)
        else:
            self.console.say(f"{runner.name} has no job")

    def action_copy(self) -> None:
        """Copy the names."""
        if chosen := self.chosen():
            self.console.copy(" ".join(runner.name for runner in chosen))

    def action_json(self) -> None:
        """The runner as JSON."""
        if (runner := self.current()) is not None:
            flows.json(self.console, runner)

    def action_start(self) -> None:
        """Start a runner."""
        runner = self.current()
        flows.start(self.console, "", runner.scope if runner else "")
