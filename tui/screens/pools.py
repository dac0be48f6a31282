"""The pools: what each serves, why it starts no runners, and pausing and resuming it."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui import flows, rows
from tui import format as fmt
from tui.backend import PoolView
from tui.keymap import Where, bindings
from tui.screens.listing import ListingScreen
from tui.view import View
from tui.widgets.drawn import Spans
from tui.widgets.live_table import LiveTable
from tui.widgets.tones import Tone


class PoolsScreen(ListingScreen[PoolView]):
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
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.POOLS)
    NAME = TABLE = "pools"
    FIELDS = rows.POOL_FIELDS

    def body(self) -> ComposeResult:
        """The table."""
        yield LiveTable[PoolView](
            rows.pool_columns(), empty="no pool yet: one appears with its first job", markable=False, id="pools"
        )

    def absorb(self, view: View) -> None:
        """Show other pools."""
        if view.snapshot is not None:
            self.table.replace({pool.id: pool for pool in view.snapshot.pools}, view.now)
        self.table.stale = view.stale
        paused = " ─ everything is PAUSED" if view.snapshot is not None and view.snapshot.paused else ""
        self.entitle(f"Pools {len(self.table.model.order)}{paused}")
        super().absorb(view)

    def fields(self, row: PoolView) -> Mapping[str, str]:
        """What a filter sees of a pool."""
        return rows.pool_fields(row)

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
