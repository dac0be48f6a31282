"""The doctor: what is wrong, why, and what to do; made when the screen opens and when it is asked for."""

from typing import ClassVar, cast

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui import checks
from tui import format as fmt
from tui.backend import ActionError, Backend, Check, Diagnosis
from tui.filter import EVERYTHING, Filter, parse
from tui.keymap import Where, bindings
from tui.screens.base import ConsoleScreen
from tui.view import View
from tui.widgets.drawn import Drawn, Spans
from tui.widgets.live_table import LiveTable
from tui.widgets.tones import Tone


class DoctorScreen(ConsoleScreen):
    """A table of checks, and the one under the cursor in full."""

    WHERE = Where.DOCTOR
    OFFERS: ClassVar[tuple[str, ...]] = ("doctor-again", "filter", "copy", "save", "command", "help", "close")
    AUTO_FOCUS = "#checks"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.DOCTOR),
        Binding("slash", "filter", show=False),
        Binding("c", "copy", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: Diagnosis | None = None
        self._problem = ""
        self._asked: Backend | None = None
        self._filter: Filter = EVERYTHING

    def body(self) -> ComposeResult:
        """The table above, one check below."""
        yield LiveTable[Check](checks.columns(), empty="the doctor is looking", markable=False, id="checks")
        yield Drawn(lambda _view, width, _height: checks.in_full(self.table.current, width), id="check")

    @property
    def table(self) -> LiveTable[Check]:
        """The checks."""
        return cast("LiveTable[Check]", self.query_one("#checks"))

    def absorb(self, view: View) -> None:
        """Ask when there is somebody new to ask; the checks themselves change only when asked for."""
        if view.live and self._asked is not self.console.backend:
            self.action_doctor_again()
        self.table.stale = view.stale
        self._title()
        super().absorb(view)

    def action_doctor_again(self) -> None:
        """Have the checks made."""
        if self.console.view.stale:
            self.console.say("refused: not connected")
            return
        self._asked, self._problem = self.console.backend, ""
        self.run_worker(self._ask(self.console.backend), exclusive=True, exit_on_error=False)
        self.refresh_lines()

    async def _ask(self, backend: Backend) -> None:
        try:
            found = await backend.doctor()
        except ActionError as problem:
            self._problem = problem.message
        else:
            self._found = found
            self.table.replace(checks.named(found), found.at)
        self._title()
        self.refresh_lines()

    def _title(self) -> None:
        made = f"  {checks.summary(self._found)}  at {fmt.clock(self._found.at)} UTC" if self._found else ""
        filtered = f" ─ filter: {self._filter.text}" if self._filter.text else ""
        self.table.border_title = f"Doctor{made}{filtered}".replace("[", r"\[")

    def refresh_lines(self) -> None:
        """Draw the check in full again too."""
        super().refresh_lines()
        check = self.table.current
        pane = self.query_one("#check", Drawn)
        pane.border_title = f"{check.name} {check.subject}".rstrip().replace("[", r"\[") if check else ""
        pane.absorb(self.console.view)

    def describe(self, view: View, width: int) -> Spans:
        """How asking goes, or how the installation is."""
        if self._problem:
            return ((f" {fmt.one_line(self._problem)}", Tone.BAD),)
        if self._found is None:
            return ((" asking Koyeb, GitHub and the daemon", Tone.MUTED),)
        again = self.console.keymap.key("doctor-again")
        return ((f" made {fmt.age(self._found.at, view.now)} ago; {again} makes them again", Tone.MUTED),)

    def on_live_table_highlighted(self) -> None:
        """Another check in full."""
        self.refresh_lines()

    def apply_filter(self, text: str) -> None:
        """Show only the checks that match. Raises `FilterError`."""
        parsed = self._filter = parse(text, checks.FIELDS)
        self.table.filter(None if parsed is EVERYTHING else lambda check: parsed.matches(checks.fields(check)))
        self.absorb(self.console.view)

    def prompt_filter(self) -> str:
        """The filter in force."""
        return self._filter.text

    def close_step(self) -> bool:
        """Clear the filter."""
        filtered = self._filter is not EVERYTHING
        if filtered:
            self.apply_filter("")
        return filtered

    def focus_body(self) -> None:
        """Give the focus to the table."""
        self.table.focus()

    def export(self) -> tuple[str, list[dict[str, object]] | str]:
        """The checks shown."""
        return "doctor", [msgspec.to_builtins(check) for check in self.table.model.shown()]

    def action_filter(self) -> None:
        """Type a filter."""
        self.open_prompt("/", self.prompt_filter())

    def action_copy(self) -> None:
        """Copy what was found and what to do."""
        if (check := self.table.current) is not None:
            self.console.copy(" ".join(filter(None, (check.subject, check.message, check.advice))))
