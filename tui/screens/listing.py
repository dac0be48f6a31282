"""A screen that is one table with a filter: what the pools and the doctor's checks share."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar, cast

import msgspec
from textual.binding import Binding, BindingType

from tui.filter import EVERYTHING, Filter, parse
from tui.screens.base import ConsoleScreen
from tui.widgets.live_table import LiveTable

Row = TypeVar("Row", bound=msgspec.Struct)


class ListingScreen(ConsoleScreen, Generic[Row]):
    """`NAME` is how an export of it is called, `TABLE` the id of its table, `FIELDS` what a filter may name."""

    NAME: ClassVar[str]
    TABLE: ClassVar[str]
    FIELDS: ClassVar[tuple[str, ...]]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", show=False),
        Binding("c", "copy", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._filter: Filter = EVERYTHING

    @abstractmethod
    def fields(self, row: Row) -> Mapping[str, str]:
        """What a filter sees of a row."""

    @property
    def table(self) -> LiveTable[Row]:
        """The rows."""
        return cast("LiveTable[Row]", self.query_one(f"#{self.TABLE}"))

    def entitle(self, title: str) -> None:
        """Name the table, and the filter in force."""
        filtered = f" ─ filter: {self._filter.text}" if self._filter.text else ""
        self.table.border_title = f"{title}{filtered}".replace("[", r"\[")

    def on_live_table_highlighted(self) -> None:
        """Another row: other lines about it."""
        self.refresh_lines()

    def apply_filter(self, text: str) -> None:
        """Show only the rows that match. Raises `FilterError`."""
        parsed = self._filter = parse(text, self.FIELDS)
        self.table.filter(None if parsed is EVERYTHING else lambda row: parsed.matches(self.fields(row)))
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
        """The rows shown."""
        return self.NAME, [msgspec.to_builtins(row) for row in self.table.model.shown()]

    def action_filter(self) -> None:
        """Type a filter."""
        self.open_prompt("/", self.prompt_filter())
