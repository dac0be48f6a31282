"""The rows of a live table without a screen: order, cursor, marks, sort and filter, all by name.

A position is only ever computed from a name, never kept, so that nothing an operator points at can change identity.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class TableModel(Generic[T]):
    """Rows by name, and which of them are shown in which order.

    `key_of` gives what the rows are sorted by; equal keys keep the order of their names.
    """

    def __init__(self, key_of: Callable[[T], object] | None = None) -> None:
        self.items: dict[str, T] = {}
        self.order: list[str] = []
        self.cursor: str | None = None
        self.marks: set[str] = set()
        self._positions: dict[str, int] = {}
        self._anchor: str | None = None
        self._key_of = key_of
        self._reverse = False
        self._passes: Callable[[T], bool] | None = None

    def replace(self, items: Mapping[str, T]) -> str | None:
        """Take a new set of rows. Returns the name the cursor was on if that row is no longer shown."""
        self.items = dict(items)
        self.marks &= self.items.keys()
        if self._anchor is not None:
            self._anchor = self._anchor if self._anchor in self.items else None
        return self._arrange()

    def sort(self, key_of: Callable[[T], object] | None, *, reverse: bool) -> None:
        """Sort by a key; None by name."""
        self._key_of, self._reverse = key_of, reverse
        self._arrange()

    def filter(self, passes: Callable[[T], bool] | None) -> str | None:
        """Show only the rows that pass. Returns the name the cursor was on if that row is no longer shown."""
        self._passes = passes
        return self._arrange()

    def position(self, name: str | None) -> int | None:
        """Where a row is shown; None when it is not."""
        return None if name is None else self._positions.get(name)

    def move(self, rows: int) -> None:
        """Move the cursor by rows, stopping at the ends."""
        self.move_to((self.position(self.cursor) or 0) + rows)

    def move_to(self, position: int) -> None:
        """Put the cursor on the row shown at a position, or the nearest."""
        if self.order:
            self.cursor = self.order[max(0, min(position, len(self.order) - 1))]

    def point(self, name: str) -> bool:
        """Put the cursor on a row by name; False when it is not shown."""
        if name not in self._positions:
            return False
        self.cursor = name
        return True

    def toggle(self, name: str | None) -> None:
        """Mark a row, or take its mark away; a range starts here."""
        if name in self.items:
            self.marks ^= {name}
            self._anchor = name

    def mark_range(self) -> None:
        """Mark every row shown between the last one toggled and the cursor."""
        end = self.position(self.cursor)
        if end is None:
            return
        start = self.position(self._anchor)
        low, high = sorted((end if start is None else start, end))
        self.marks |= set(self.order[low : high + 1])
        self._anchor = self.cursor

    def clear_marks(self) -> None:
        """Take all marks away."""
        self.marks.clear()
        self._anchor = None

    def chosen(self) -> tuple[str, ...]:
        """What an action is for: the marked rows in order (those the filter hides last), else the cursor's row."""
        if self.marks:
            shown = [name for name in self.order if name in self.marks]
            return (*shown, *sorted(self.marks - set(shown)))
        return () if self.cursor is None else (self.cursor,)

    def shown(self) -> Iterable[T]:
        """The rows shown, in order."""
        return (self.items[name] for name in self.order)

    def _arrange(self) -> str | None:
        before, was_at = self.order, self.position(self.cursor)
        items, passes, key_of = self.items, self._passes, self._key_of
        names = sorted(items if passes is None else (name for name, item in items.items() if passes(item)))
        if key_of is not None:
            names.sort(key=lambda name: key_of(items[name]), reverse=self._reverse)  # type: ignore[arg-type,return-value]  # a key is comparable with keys of its own column
        elif self._reverse:
            names.reverse()
        self.order = names
        self._positions = {name: at for at, name in enumerate(names)}
        return self._settle(before, was_at)

    def _settle(self, before: list[str], was_at: int | None) -> str | None:
        """Keep the cursor on its row, or put it on the nearest one that is still shown."""
        lost = self.cursor
        if lost is not None and lost in self._positions:
            return None
        self.cursor = self._nearest(before, was_at or 0)
        return lost

    def _nearest(self, before: list[str], was_at: int) -> str | None:
        below = (name for name in before[was_at + 1 :] if name in self._positions)
        above = (name for name in reversed(before[:was_at]) if name in self._positions)
        found = next(below, None) or next(above, None)
        return found or (self.order[0] if self.order else None)
