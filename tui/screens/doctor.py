"""The doctor: what is wrong, why, and what to do; made when the screen opens and when it is asked for."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui import checks
from tui import format as fmt
from tui.backend import ActionError, Backend, Check, Diagnosis
from tui.keymap import Where, bindings
from tui.screens.listing import ListingScreen
from tui.view import View
from tui.widgets.drawn import Drawn, Spans
from tui.widgets.live_table import LiveTable
from tui.widgets.tones import Tone


class DoctorScreen(ListingScreen[Check]):
    """A table of checks, and the one under the cursor in full."""

    WHERE = Where.DOCTOR
    OFFERS: ClassVar[tuple[str, ...]] = ("doctor-again", "filter", "copy", "save", "command", "help", "close")
    AUTO_FOCUS = "#checks"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.DOCTOR)
    NAME, TABLE = "doctor", "checks"
    FIELDS = checks.FIELDS

    def __init__(self) -> None:
        super().__init__()
        self._found: Diagnosis | None = None
        self._problem = ""
        self._asked: Backend | None = None

    def body(self) -> ComposeResult:
        """The table above, one check below."""
        yield LiveTable[Check](checks.columns(), empty="the doctor is looking", markable=False, id="checks")
        yield Drawn(lambda _view, width, _height: checks.in_full(self.table.current, width), id="check")

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
        self.entitle(f"Doctor{made}")

    def refresh_lines(self) -> None:
        """Draw the check in full again too."""
        super().refresh_lines()
        check = self.table.current
        pane = self.query_one("#check", Drawn)
        pane.border_title = f"{check.name} {check.subject}".rstrip().replace("[", r"\[") if check else ""
        pane.absorb(self.console.view)

    def fields(self, row: Check) -> Mapping[str, str]:
        """What a filter sees of a check."""
        return checks.fields(row)

    def describe(self, view: View, width: int) -> Spans:
        """How asking goes, or how the installation is."""
        if self._problem:
            return ((f" {fmt.one_line(self._problem)}", Tone.BAD),)
        if self._found is None:
            return ((" asking Koyeb, GitHub and the daemon", Tone.MUTED),)
        again = self.console.keymap.key("doctor-again")
        return ((f" made {fmt.age(self._found.at, view.now)} ago; {again} makes them again", Tone.MUTED),)

    def action_copy(self) -> None:
        """Copy what was found and what to do."""
        if (check := self.table.current) is not None:
            self.console.copy(" ".join(filter(None, (check.subject, check.message, check.advice))))
