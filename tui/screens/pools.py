"""The pools: what each serves, why it starts no runners, and pausing and resuming it."""

from typing import ClassVar, cast

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui import flows, rows
from tui import format as fmt
from tui.backend import PoolView
from tui.filter import EVERYTHING, Filter, parse
from tui.keymap import Where, bindings
from tui.screens.base import ConsoleScreen
from tui.view import View
from tui.widgets.drawn import Spans
from tui.widgets.live_table import LiveTable
from tui.widgets.tones import Tone


class PoolsScreen(ConsoleScreen):
    """One table of pools."""

    WHERE = Where.POOLS
    OFFERS: ClassVar[tuple[str, ...]] = (
        "pool-pause",
        "pool-resume",
        "pool-start",
        "pause-all",
        "resume-all",
        "filter",
        "command",
        "help",
        "close",
    )
    AUTO_FOCUS = "#pools"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.POOLS),
        Binding("slash", "filter", show=False),
        Binding("c", "copy", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._filter: Filter = EVERYTHING

    def body(self) -> ComposeResult:
        """The table."""
        yield LiveTable[PoolView](
            rows.pool_columns(), empty="no pool yet: one appears with its first job", markable=False, id="pools"
        )

    @property
    def table(self) -> LiveTable[PoolView]:
        """The pools."""
        return cast("LiveTable[PoolView]", self.query_one("#pools"))

    def absorb(self, view: View) -> None:
        """Show other pools."""
        if view.snapshot is not None:
            self.table.replace({pool.id: pool for pool in view.snapshot.pools}, view.now)
        self.table.stale = view.stale
        filtered = f" ─ filter: {self._filter.text}" if self._filter.text else ""
        paused = " ─ everything is PAUSED" if view.snapshot is not None and view.snapshot.paused else ""
        self.table.border_title = f"Pools {len(self.table.model.order)}{paused}{filtered}".replace("[", r"\[")
        super().absorb(view)

    def describe(self, view: View, width: int) -> Spans:
        """The pool under the cursor, in full."""
        pool = self.table.current
        if view.off:
            return ((f" {view.off}: pause, resume and start are off", Tone.WARN),)
        if pool is None:
            return ()
        note = rows.pool_note(pool, view.now)
        text = f" {pool.scope}  [{' '.join(pool.labels)}]  ttl {fmt.duration(pool.ttl)}  {note}"
        return ((text, Tone.WARN if note else Tone.PLAIN),)

    def on_live_table_highlighted(self) -> None:
        """Another pool: another status line."""
        self.refresh_lines()

    def apply_filter(self, text: str) -> None:
        """Show only the pools that match. Raises `FilterError`."""
        parsed = self._filter = parse(text, rows.POOL_FIELDS)
        self.table.filter(None if parsed is EVERYTHING else lambda pool: parsed.matches(rows.pool_fields(pool)))
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
        """The pools shown."""
        return "pools", [msgspec.to_builtins(pool) for pool in self.table.model.shown()]

    def action_filter(self) -> None:
        """Type a filter."""
        self.open_prompt("/", self.prompt_filter())

    def action_copy(self) -> None:
        """Copy the pool's id."""
        if (pool := self.table.current) is not None:
            self.console.copy(pool.id)

    def action_pool_pause(self) -> None:
        """Start no more runners in the pool."""
        if (pool := self.table.current) is not None:
            flows.pause(self.console, pool.id, resume=False)

    def action_pool_resume(self) -> None:
        """Take a pause or a trip back."""
        if (pool := self.table.current) is not None:
            flows.pause(self.console, pool.id, resume=True)

    def action_pool_start(self) -> None:
        """Start a runner in the pool."""
        if (pool := self.table.current) is not None:
            flows.start(self.console, pool.labels[0] if pool.labels else "", pool.scope)

    def action_pause_all(self) -> None:
        """Start no runner anywhere."""
        flows.pause(self.console, None, resume=False)

    def action_resume_all(self) -> None:
        """Take the pause of everything back."""
        flows.pause(self.console, None, resume=True)
