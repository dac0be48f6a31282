"""A runner's log at Koyeb, followed as it is written. The steps of its job are at GitHub."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from tui import format as fmt
from tui.backend import ActionError, Name
from tui.filter import EVERYTHING, Filter, parse
from tui.keymap import Where
from tui.screens.base import ConsoleScreen
from tui.view import View
from tui.widgets.drawn import Spans
from tui.widgets.event_stream import EventStream, log_line
from tui.widgets.tones import Tone

FIELDS = ("stream", "text")


class LogsScreen(ConsoleScreen):
    """One stream; it says when the log ended or cannot be read."""

    WHERE = Where.STREAM
    OFFERS: ClassVar[tuple[str, ...]] = ("follow", "stream-mark", "filter", "save", "command", "help", "close")
    AUTO_FOCUS = "#log"
    BINDINGS = [("slash", "filter", "filter")]  # noqa: RUF012 - Textual's class attribute

    def __init__(self, runner_name: str) -> None:
        super().__init__()
        self.runner_name = runner_name
        self._state = "reading"
        self._filter: Filter = EVERYTHING

    def body(self) -> ComposeResult:
        """The stream."""
        yield EventStream(id="log", empty=" no line yet", columns=False)

    def on_mount(self) -> None:
        """Start reading."""
        super().on_mount()
        self.run_worker(self._read(), exit_on_error=False)
        self._title()

    @property
    def stream(self) -> EventStream:
        """The lines."""
        return self.query_one("#log", EventStream)

    async def _read(self) -> None:
        number = 0
        try:
            async for line in self.console.backend.logs(Name(self.runner_name), follow=True):
                number += 1
                self.stream.extend([log_line(number, line)])
            self._state = "ended"
        except ActionError as problem:
            self._state = problem.message
        self._title()
        self.refresh_lines()

    def apply_filter(self, text: str) -> None:
        """Show only the lines that match. Raises `FilterError`."""
        parsed = self._filter = parse(text, FIELDS)
        self.stream.filter(
            None if parsed is EVERYTHING else lambda line: parsed.matches({"stream": line.subject, "text": line.text}),
            parsed.text,
        )

    def prompt_filter(self) -> str:
        """The filter in force."""
        return self._filter.text

    def close_step(self) -> bool:
        """Clear the filter."""
        filtered = self._filter is not EVERYTHING
        self.apply_filter("")
        return filtered

    def describe(self, view: View, width: int) -> Spans:
        """How reading goes."""
        tone = Tone.MUTED if self._state in {"reading", "ended"} else Tone.BAD
        said = {"reading": "reading as it is written", "ended": "the log ended"}.get(self._state, self._state)
        return ((f" Runners > {fmt.cut_middle(self.runner_name, 40).strip()} > Log   {said}", tone),)

    def export(self) -> tuple[str, list[dict[str, object]] | str]:
        """The lines shown."""
        return f"{self.runner_name}-log", self.stream.text()

    def focus_body(self) -> None:
        """Give the focus to the stream."""
        self.stream.focus()

    def action_filter(self) -> None:
        """Type a filter."""
        self.open_prompt("/", self.prompt_filter())

    @on(EventStream.Changed)
    def _title(self) -> None:
        stream = self.stream
        filtered = f" ─ filter: {stream.filter_text}" if stream.filter_text else ""
        title = f"Log {self.runner_name}  {len(stream.ring.shown)} lines  {stream.standing}{filtered}"
        stream.border_title = title.replace("[", r"\[")
