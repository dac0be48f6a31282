"""The first screen: matrix, last hour, runners, jobs and events. Composition and focus only; layout is in the CSS."""

from collections.abc import Iterable
from typing import ClassVar, cast

import msgspec
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.widget import Widget

from tui import flows, rows
from tui import format as fmt
from tui.backend import JobView, Level, RunnerView
from tui.filter import EVERYTHING, Filter, parse
from tui.keymap import Where, bindings
from tui.screens.runner import RunnerScreen
from tui.screens.text import TextScreen, to_json
from tui.view import View
from tui.widgets.drawn import Drawn, Spans
from tui.widgets.event_stream import EventStream
from tui.widgets.facts import facts
from tui.widgets.live_table import LiveTable
from tui.widgets.matrix import matrix
from tui.widgets.ring import Line
from tui.widgets.tones import Tone
from tui.widgets.trends import trends

PANES = ("runners", "jobs", "events")
OFFERS = {
    "runners": (
        "detail", "end", "extend", "undo", "logs", "filter", "mark", "command", "help", "close",
        "pane-next", "open", "pools", "doctor", "start", "zoom", "copy", "save",
    ),
    "jobs": (
        "detail", "open", "filter", "pane-next", "command", "help", "close", "pools", "doctor", "start", "zoom", "save",
    ),
    "events": (
        "follow", "stream-mark", "filter", "pane-next", "command", "help", "close", "pools", "doctor", "zoom", "save",
    ),
}  # fmt: skip
"""What the key line offers, by pane."""
FIELDS = {"runners": rows.RUNNER_FIELDS, "jobs": rows.JOB_FIELDS, "events": rows.EVENT_FIELDS}
NO_RUNNERS = "No runners right now, as it should be: one starts when a job asks."


class Dashboard(RunnerScreen):
    """All at one look. Exactly one of the panes is the present one; narrow terminals show only that one."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.DASHBOARD)
    AUTO_FOCUS = "#runners"

    def __init__(self) -> None:
        super().__init__()
        self.pane = "runners"
        self._staleness = rows.Staleness()
        self._filters: dict[str, Filter] = dict.fromkeys(PANES, EVERYTHING)
        self._problems_only = False
        self._errors = 0

    def body(self) -> ComposeResult:
        """The panes."""
        with Horizontal(id="top"):
            yield Drawn(matrix, id="matrix")
            yield Drawn(trends, id="trends")
        with Horizontal(id="middle"):
            yield LiveTable[RunnerView](rows.runner_columns(self._staleness), empty=NO_RUNNERS, id="runners")
            with Vertical(id="side"):
                yield Drawn(lambda view, width, height: facts(view, self.current(), width, height), id="facts")
        with Horizontal(id="bottom"):
            yield LiveTable[JobView](rows.job_columns(), empty="no job waits", markable=False, id="jobs")
            yield EventStream(id="events", empty=" nothing happened yet")

    def on_mount(self) -> None:
        """Look as last time."""
        looks = self.console.looks
        self.runners.sort_by(looks.sort, reverse=looks.reverse)
        self.set_class(not looks.matrix, "no-matrix")
        self.query_one("#matrix").border_title = "Region x type"
        self.query_one("#trends").border_title = "Last hour"
        self.take(self.console.lines)
        self.show_pane("runners")
        super().on_mount()

    @property
    def runners(self) -> LiveTable[RunnerView]:
        """The runners table."""
        return cast("LiveTable[RunnerView]", self.query_one("#runners"))

    @property
    def jobs(self) -> LiveTable[JobView]:
        """The jobs queue."""
        return cast("LiveTable[JobView]", self.query_one("#jobs"))

    @property
    def stream(self) -> EventStream:
        """The events."""
        return self.query_one("#events", EventStream)

    # what comes in

    def absorb(self, view: View) -> None:
        """Show another view."""
        self._staleness.guessed = view.stale
        if view.snapshot is not None:
            self.runners.replace({runner.name: runner for runner in view.snapshot.runners}, view.now)
            self.jobs.replace(rows.waiting(view.snapshot.jobs), view.now)
        self._around(view)

    def tick(self, view: View) -> None:
        """Let time pass."""
        self._staleness.guessed = view.stale
        for table in (self.runners, self.jobs):
            table.tick(view.now)
        self._around(view)

    def _around(self, view: View) -> None:
        """Draw what is not a table."""
        for table in (self.runners, self.jobs):
            table.stale = view.stale
        for name in ("#matrix", "#trends"):
            self.query_one(name).set_class(view.stale, "-stale")
        self._titles(view)
        super().absorb(view)

    def on_resize(self) -> None:
        """Titles are others on a narrow screen, which is known once the new size is laid out."""
        self.call_after_refresh(lambda: self._titles(self.console.view))

    def take(self, lines: Iterable[Line]) -> None:
        """Append events."""
        lines = list(lines)
        self._errors += sum(1 for line in lines if line.level is Level.ERROR)
        self.stream.extend(lines)

    def _titles(self, view: View) -> None:
        shown, all_of_them = len(self.runners.model.order), len(self.runners.model.items)
        number = f"{shown}/{all_of_them}" if shown != all_of_them else str(all_of_them)
        marks = len(self.runners.model.marks)
        order = f"sort: {self.runners.sort_column.id} {'v' if self.runners.sort_reverse else '^'}"
        waits = len(self.jobs.model.order)
        oldest = view.snapshot.totals.oldest_wait if view.snapshot else 0.0
        self._title(self.runners, "runners", f"1 Runners {number}", f"{order}{f'  {marks} marked' if marks else ''}")
        self._title(self.jobs, "jobs", f"2 Jobs {waits}", f"oldest {fmt.duration(oldest)}" if waits else "")
        errors = f"  {fmt.count(self._errors, 'error')}" if self._errors else ""
        self._title(self.stream, "events", f"3 Events  {self.stream.standing}", errors.strip())
        side = self.query_one("#side")
        side.border_title = "4 Detail"

    def _title(self, pane: Widget, name: str, title: str, subtitle: str) -> None:
        filtered = self._filters[name].text or ("problems" if name == "runners" and self._problems_only else "")
        right = "  ".join(part for part in (f"filter: {filtered}" if filtered else "", subtitle) if part)
        tabs = "" if not self.has_class("-narrow") or name == "events" else f"   {self._tabs(name)}"
        text = f"{title}{tabs}" + (f" ─ {right}" if right else "")
        if pane.border_title != text.replace("[", r"\["):
            pane.border_title = text.replace("[", r"\[")

    def _tabs(self, shown: str) -> str:
        jobs, runners = len(self.jobs.model.order), len(self.runners.model.order)
        tabs = {"runners": f"1 Runners {runners}", "jobs": f"2 Jobs {jobs}", "events": "3 Events"}
        return "   ".join(text for name, text in tabs.items() if name != shown)

    # what is shown

    def show_pane(self, name: str) -> None:
        """Make a pane the present one."""
        self.pane = name
        for other in PANES:
            self.set_class(other == name, f"pane-{other}")
        self.query_one(f"#{name}").focus()

    def focus_body(self) -> None:
        """Give the focus back to the present pane."""
        self.query_one(f"#{self.pane}").focus()

    def where(self) -> Where:
        """Whose keys the help shows first."""
        return Where.STREAM if self.pane == "events" else Where.RUNNER

    def sort(self, column: str) -> bool:
        """Sort the runners; False when there is no such column."""
        known = column in {one.id for one in rows.runner_columns(self._staleness)}
        if known:
            self.runners.sort_by(column)
        return known

    def current(self) -> RunnerView | None:
        """The runner under the cursor of the runners."""
        return self.runners.current

    def chosen(self) -> tuple[RunnerView, ...]:
        """The marked runners, else the one under the cursor; none in another pane, where they are not in sight."""
        if self.pane != "runners":
            return ()
        model = self.runners.model
        return tuple(model.items[name] for name in model.chosen() if name in model.items)

    def apply_filter(self, text: str) -> None:
        """Filter the present pane. Raises `FilterError`."""
        parsed = parse(text, FIELDS[self.pane])
        self._filters[self.pane] = parsed
        self._refilter()

    def prompt_filter(self) -> str:
        """The present pane's filter."""
        return self._filters[self.pane].text

    def _refilter(self) -> None:
        runners, jobs, lines = (self._filters[pane] for pane in PANES)
        problems = self._problems_only
        self.runners.filter(
            None
            if runners is EVERYTHING and not problems
            else lambda runner: (
                runners.matches(rows.runner_fields(runner)) and (not problems or rows.is_problem(runner))
            )
        )
        self.jobs.filter(None if jobs is EVERYTHING else lambda job: jobs.matches(rows.job_fields(job)))
        self.stream.filter(
            None if lines is EVERYTHING else lambda line: lines.matches(rows.event_fields(line)), lines.text
        )
        self._titles(self.console.view)
        self.refresh_lines()

    def close_step(self) -> bool:
        """Clear the present filter, then the marks, then the zoom."""
        if self._filters[self.pane] is not EVERYTHING or self._problems_only:
            self._filters[self.pane], self._problems_only = EVERYTHING, False
            self._refilter()
            return True
        if self.runners.model.marks:
            self.runners.action_clear_marks()
            return True
        if self.has_class("zoom"):
            self.remove_class("zoom")
            return True
        return False

    def describe(self, view: View, width: int) -> Spans:
        """The marks, or the row under the cursor."""
        marks = self.runners.model.marks
        if marks and self.pane == "runners":
            hidden = len(marks - set(self.runners.model.order))
            names = " ".join(fmt.cut_middle(name, 24).strip() for name in sorted(marks)[:4])
            more = f" and {len(marks) - 4} more" if len(marks) > 4 else ""
            unseen = f" ({hidden} hidden by the filter)" if hidden else ""
            return ((f" {len(marks)} marked: {names}{more}{unseen}   actions apply to the marks", Tone.WARN),)
        if view.off:
            return ((f" {view.off}: kill, extend, drain and start are off", Tone.WARN),)
        if self.pane == "jobs" and (job := self.jobs.current) is not None:
            labels = " ".join(job.labels)
            return (
                (f" {fmt.one_line(job.repo)} {fmt.one_line(job.name)}  [{labels}]  {rows.job_reason(job)}", Tone.PLAIN),
            )
        if view.snapshot is not None and view.snapshot.warnings:
            first, *others = view.snapshot.warnings
            more = f" ({len(others) + 1} warnings) " if others else " "
            return ((f"{more}{fmt.one_line(first)}", Tone.WARN),)
        return self._describe_runner(view)

    def _describe_runner(self, view: View) -> Spans:
        runner = self.runners.current
        if runner is None:
            return ()
        ends = f"ends {fmt.moment(runner.expires_at, view.now)} UTC" if runner.expires_at else rows.no_end(runner)
        why = f" ({runner.ends_because.replace('_', ' ')})" if runner.ends_because else ""
        error = f"  {fmt.one_line(runner.error)}" if runner.error else ""
        job = f"  {fmt.one_line(runner.job_name)} @ {fmt.one_line(runner.branch or '-')}" if runner.job_name else ""
        return (
            (f" {runner.name}", Tone.TITLE),
            (f"  {rows.runner_state(runner)} {fmt.age(runner.since, view.now)}{job}  {ends}{why}", Tone.PLAIN),
            (error, Tone.BAD),
        )

    def close_title(self) -> str:
        """The dashboard is the first screen."""
        return "quit"

    def export(self) -> tuple[str, list[dict[str, object]] | str]:
        """The present pane: the rows shown, or the lines."""
        if self.pane == "events":
            return "events", self.stream.text()
        table: LiveTable[RunnerView] | LiveTable[JobView] = self.runners if self.pane == "runners" else self.jobs
        return self.pane, [msgspec.to_builtins(item) for item in table.model.shown()]

    def subject(self) -> object:
        """The runner or the job under the cursor."""
        return self.jobs.current if self.pane == "jobs" else self.current()

    def offers(self) -> tuple[str, ...]:
        """The keys of the present pane."""
        return OFFERS[self.pane]

    # keys

    def action_detail(self) -> None:
        """Everything about the runner, or about the job."""
        job = self.jobs.current
        if self.pane == "jobs" and job is not None:
            self.console.push_screen(TextScreen(f"{job.repo} {job.name}", to_json(job)))
        elif self.pane == "runners":
            super().action_detail()

    def action_open(self) -> None:
        """The job in the browser."""
        job = self.jobs.current
        if self.pane == "jobs" and job is not None:
            self.console.open_page(job.url)
        else:
            super().action_open()

    def action_pane(self, name: str) -> None:
        """Go to a pane."""
        self.show_pane(name)

    def action_next_pane(self, step: int) -> None:
        """Go round the panes."""
        self.show_pane(PANES[(PANES.index(self.pane) + step) % len(PANES)])

    def action_zoom(self) -> None:
        """The present pane alone, and back."""
        self.toggle_class("zoom")

    def action_header(self) -> None:
        """Show or hide the matrix and the last hour."""
        self.toggle_class("no-matrix")
        self.console.remember(matrix=not self.has_class("no-matrix"))

    def action_filter(self) -> None:
        """Type a filter for the present pane."""
        self.open_prompt("/", self.prompt_filter())

    def action_problems(self) -> None:
        """Only runners with a problem, and back."""
        self._problems_only = not self._problems_only
        self._refilter()

    def action_sort(self, column: str) -> None:
        """Sort the runners."""
        self.sort(column)

    def action_pools(self) -> None:
        """The pools."""
        flows.pools(self.console)

    def action_doctor(self) -> None:
        """What is wrong."""
        flows.doctor(self.console)

    @on(LiveTable.Selected)
    def row_entered(self) -> None:
        """Enter a row by clicking it."""
        self.action_detail()

    @on(LiveTable.Highlighted)
    def row_changed(self) -> None:
        """Another row: other facts."""
        self.refresh_lines()
        self.query_one("#facts", Drawn).absorb(self.console.view)

    @on(LiveTable.MarksChanged)
    def marks_changed(self) -> None:
        """Other marks: another title and line."""
        self._titles(self.console.view)
        self.refresh_lines()

    @on(LiveTable.SortChanged)
    def sort_changed(self) -> None:
        """Remember the order."""
        self.console.remember(sort=self.runners.sort_column.id, reverse=self.runners.sort_reverse)
        self._titles(self.console.view)

    @on(LiveTable.CursorLost)
    def cursor_lost(self, event: LiveTable.CursorLost) -> None:
        """Say that the row is gone: the next key would act on another one."""
        gone = event.lost not in self.runners.model.items
        if event.table_id == "runners" and self.pane == "runners" and gone:
            now_on = f"; the cursor is on {event.now_on}" if event.now_on else ""
            self.console.say(f"{event.lost} is no longer here{now_on}")

    @on(EventStream.Changed)
    def stream_changed(self) -> None:
        """Follow or held."""
        self._titles(self.console.view)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A pane focused with the mouse is the present one."""
        name = event.widget.id or ""
        if name in PANES and name != self.pane:
            self.show_pane(name)
        try:
            self.refresh_lines()
        except NoMatches:
            return
