"""Columns of a live table: what they show, what they sort by, and which of them fit into a width."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tui.format import align_right, cut, cut_middle
from tui.widgets.tones import Tone

T = TypeVar("T")

GAP = 1
"""Cells between columns."""


def plain(_: object) -> Tone:
    """The tone of a cell that says nothing special."""
    return Tone.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[T]):
    """One column. `text` is given the row and the present instant; `key` what the row is sorted by."""

    id: str
    title: str
    width: int
    """Cells it needs at least."""
    text: Callable[[T, float], str]
    key: Callable[[T], object]
    flex: int = 0
    """Its share of the cells left over; 0 keeps its width."""
    longest: int = 80
    """Cells beyond which it does not grow."""
    drop: int = 0
    """Columns with the largest number go first when the table is narrow; 0 never goes."""
    right: bool = False
    middle: bool = False
    """Cut in the middle instead of at the end."""
    tone: Callable[[T], Tone] = plain


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """A column and the width it was given."""

    column: Column[T]
    width: int

    def fit(self, text: str) -> str:
        """Text in exactly this column's width."""
        if self.column.right:
            return align_right(text, self.width)
        return cut_middle(text, self.width) if self.column.middle else cut(text, self.width)


def place(columns: Sequence[Column[T]], width: int) -> tuple[Placed[T], ...]:
    """The columns that fit into a width, in order, with the cells left over shared out."""
    kept = list(columns)
    while _needed(kept) > width and any(column.drop for column in kept):
        kept.remove(max(kept, key=lambda column: column.drop))
    spare = max(0, width - _needed(kept))
    widths = {column.id: column.width for column in kept}
    while spare > 0 and (growing := [c for c in kept if c.flex and widths[c.id] < c.longest]):
        total, portion = sum(column.flex for column in growing), spare
        for column in growing:
            share = min(max(1, portion * column.flex // total), spare, column.longest - widths[column.id])
            widths[column.id] += share
            spare -= share
    return tuple(Placed(column, widths[column.id]) for column in kept)


def _needed(columns: Sequence[Column[T]]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)
