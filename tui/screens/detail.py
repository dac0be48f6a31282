"""One runner: all its facts, its job, and its history as it goes on."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from tui import format as fmt
from tui import rows
from tui.backend import ActionError, RunnerView
from tui.keymap import Where
from tui.screens.runner import RunnerScreen
from tui.view import View
from tui.widgets.drawn import Drawn, Spans
from tui.widgets.event_stream import EventStream, event_line
from tui.widgets.facts import facts
from tui.widgets.ring import Line
from tui.widgets.tones import Tone


class DetailScreen(RunnerScreen):
    """Holds a name: the runner may change, end, and be shown as it last was."""

    WHERE = Where.RUNNER
    OFFERS: ClassVar[tuple[str, ...]] = (
        "end",
        "extend",
        "logs",
        "open",
        "copy",
        "json",
        "undo",
        "command",
        "help",
        "close",
    )
    AUTO_FOCUS = "#events"

    def __init__(self, runner_name: str) -> None:
        super().__init__()
        self.runner_name = runner_name
        self._last: RunnerView | None = None
        self._gone = False
        self._early: list[Line] = []
        self._loaded = False

    def body(self) -> ComposeResult:
        """Facts above, history below."""
        yield Drawn(lambda view, width, height: facts(view, self._last, width, height), id="facts")
        yield EventStream(id="events", empty=" no history")

    def on_mount(self) -> None:
        """Ask for the history."""
        self.query_one("#facts").border_title = self.runner_name
        super().on_mount()
        self.run_worker(self._load(), exit_on_error=False)

    async def _load(self) -> None:
        stream = self.query_one("#events", EventStream)
        try:
            past = await self.console.backend.history(self._last.name) if self._last else ()
        except ActionError as problem:
            past = ()
            self.console.say(f"history: {problem.message}")
        stream.extend([event_line(event) for event in past])
        self._loaded = True
        stream.extend(self._early)
        self._early.clear()

    def absorb(self, view: View) -> None:
        """Show the runner as it is, or as it last was."""
        present = view.runner(self.runner_name)
        if present is not None:
            self._last = present
        self._gone = present is None and self._last is not None and view.live
        facts_pane = self.query_one("#facts", Drawn)
        facts_pane.set_class(self._gone or view.stale, "-stale")
        facts_pane.border_subtitle = "gone: as it last was" if self._gone else ""
        self._stream_title()
        super().absorb(view)

    def take(self, lines: Iterable[Line]) -> None:
        """Append the events of this runner."""
        subject = self.runner_name.removeprefix("runner-")
        own = [line for line in lines if line.subject == subject]
        if self._loaded:
            self.query_one("#events", EventStream).extend(own)
        else:
            self._early += own

    def chosen(self) -> tuple[RunnerView, ...]:
        """This runner, while it is there."""
        return (self._last,) if self._last is not None and not self._gone else ()

    def current(self) -> RunnerView | None:
        """This runner, even when it is gone: its job and its log may still be looked at."""
        return self._last

    def action_detail(self) -> None:
        """It is shown already."""

    def describe(self, view: View, width: int) -> Spans:
        """Where one is."""
        state = "gone" if self._gone or self._last is None else rows.runner_state(self._last)
        return (
            (f" Runners > {fmt.cut_middle(self.runner_name, 40).strip()}  {state}", Tone.MUTED),
            (f"   {view.off}" if view.off else "", Tone.WARN),
        )

    def export(self) -> tuple[str, list[dict[str, object]] | str]:
        """Facts and history as text."""
        stream = self.query_one("#events", EventStream)
        return self.runner_name, f"{self.query_one('#facts', Drawn).text()}\n\n{stream.text()}"

    @on(EventStream.Changed)
    def _stream_title(self) -> None:
        stream = self.query_one("#events", EventStream)
        stream.border_title = f"History  {stream.standing}"
