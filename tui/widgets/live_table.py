"""A table for live data: a thousand rows that change all the time, painted line by line and only where they changed.

Textual's own DataTable repaints every visible row for one changed cell and points at row numbers; here cursor and
marks are names, and a row that does not look different is not painted again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.keymap import Where, bindings
from tui.widgets.columns import GAP, Column, Placed, place
from tui.widgets.table_model import TableModel
from tui.widgets.tones import TONE_CSS, TONES, Tone

T = TypeVar("T")

GUTTER = 3
"""Cells on the left: `>` the cursor, `*` a mark where rows can be marked, a blank."""
HEADER = 1
"""Lines on top that do not scroll."""
CURSOR_TONES = {True: Tone.CURSOR, False: Tone.CURSOR_AWAY}

Look = tuple[tuple[str, ...], tuple[Tone, ...], str]
"""How a row looks: its texts, their tones, and its gutter. Equal looks are equal strips."""


class LiveTable(ScrollView, Generic[T], can_focus=True, inherit_bindings=False):
    """Rows of `T` by name. `empty` is said instead of rows when there are none."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.TABLE)
    COMPONENT_CLASSES: ClassVar[set[str]] = TONES
    DEFAULT_CSS = "LiveTable { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1;" + TONE_CSS + "}"

    class Highlighted(Message):
        """The cursor is on another row; `name` is None when there is no row."""

        def __init__(self, table_id: str, name: str | None) -> None:
            super().__init__()
            self.table_id = table_id
            self.name = name

    class Selected(Message):
        """A row was entered, by key or by clicking the row under the cursor."""

        def __init__(self, table_id: str, name: str) -> None:
            super().__init__()
            self.table_id = table_id
            self.name = name

    class CursorLost(Message):
        """The row under the cursor is no longer shown; the cursor went to its neighbour `now_on`."""

        def __init__(self, table_id: str, lost: str, now_on: str | None) -> None:
            super().__init__()
            self.table_id = table_id
            self.lost = lost
            self.now_on = now_on

    class MarksChanged(Message):
        """Rows were marked or unmarked."""

    class SortChanged(Message):
        """The table is sorted otherwise."""

    def __init__(self, columns: Sequence[Column[T]], *, empty: str = "", markable: bool = True, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.table_id = id
        self.model: TableModel[T] = TableModel(columns[0].key)
        self.now = 0.0
        self.empty = empty
        self.markable = markable
        self._gutter = GUTTER if markable else GUTTER - 1
        self.sort_column = columns[0]
        self.sort_reverse = False
        self._columns = tuple(columns)
        self._placed: tuple[Placed[T], ...] = ()
        self._placed_for = -1
        self._stale = False
        self._painted: dict[int, Look | None] = {}
        self._strips: dict[str, tuple[Look, Strip]] = {}

    # what a screen does

    def replace(self, items: Mapping[str, T], now: float) -> None:
        """Show other rows. The cursor keeps its row and that row keeps its place on screen."""
        self.now = now
        self._rearrange(lambda: self.model.replace(items))
        for gone in self._strips.keys() - items.keys():
            del self._strips[gone]

    def tick(self, now: float) -> None:
        """Let time pass: repaint the visible rows whose texts changed."""
        self.now = now
        self._repaint()

    def filter(self, passes: Callable[[T], bool] | None) -> None:
        """Show only the rows that pass."""
        self._rearrange(lambda: self.model.filter(passes))

    def sort_by(self, column_id: str, *, reverse: bool | None = None) -> None:
        """Sort by a column; by the same one again reverses. Unknown ids are ignored."""
        found = next((column for column in self._columns if column.id == column_id), None)
        if found is None:
            return
        same = found is self.sort_column
        self.sort_reverse = (same and not self.sort_reverse) if reverse is None else reverse
        self.sort_column = found
        self.model.sort(found.key, reverse=self.sort_reverse)
        self._follow_cursor()
        self.refresh()
        self.post_message(self.SortChanged())

    def point(self, name: str) -> bool:
        """Put the cursor on a row by name; False when it is not shown."""
        return self._moved(lambda: self.model.point(name))

    @property
    def stale(self) -> bool:
        """Whether the rows are a last known state, drawn dim."""
        return self._stale

    @stale.setter
    def stale(self, stale: bool) -> None:
        if stale is not self._stale:
            self._stale = stale
            self._forget()

    @property
    def current(self) -> T | None:
        """The row under the cursor."""
        return None if self.model.cursor is None else self.model.items.get(self.model.cursor)

    # painting

    def render_line(self, y: int) -> Strip:
        """The header, a row, or nothing."""
        width = self._fit()
        if y < HEADER:
            return self._header().crop_extend(0, width, self.rich_style)
        at = y - HEADER + self.scroll_offset.y
        if at >= len(self.model.order):
            self._painted[y] = None
            return self._note(y).crop_extend(0, width, self.rich_style)
        name = self.model.order[at]
        look = self._painted[y] = self._look(name)
        cached = self._strips.get(name)
        if cached is None or cached[0] != look:
            cached = self._strips[name] = (look, self._strip(look).crop_extend(0, width, self.rich_style))
        return cached[1]

    def tone(self, tone: Tone) -> Style:
        """The style of a tone in the present theme."""
        return self.get_component_rich_style(tone.value)

    def _look(self, name: str) -> Look:
        item, now = self.model.items[name], self.now
        on_cursor = name == self.model.cursor
        gutter = (">" if on_cursor else " ") + ("*" if name in self.model.marks else " ") * self.markable + " "
        texts = tuple(placed.fit(placed.column.text(item, now)) for placed in self._placed)
        tones = (
            (CURSOR_TONES[self.has_focus],) * len(texts)
            if on_cursor
            else tuple(placed.column.tone(item) for placed in self._placed)
        )
        return texts, tones, gutter

    def _strip(self, look: Look) -> Strip:
        texts, tones, gutter = look
        dim = Style(dim=True) if self._stale else Style()
        base = self.tone(tones[0]) if gutter.startswith(">") else self.rich_style
        segments = [Segment(gutter, base + dim)]
        for text, tone in zip(texts, tones, strict=True):
            segments += [Segment(text, self.tone(tone) + dim), Segment(" " * GAP, base + dim)]
        return Strip(segments)

    def _header(self) -> Strip:
        style = self.tone(Tone.TITLE)
        parts = [" " * self._gutter]
        for placed in self._placed:
            mark = ("v" if self.sort_reverse else "^") if placed.column is self.sort_column else ""
            parts.append(placed.fit(f"{placed.column.title}{mark}") + " " * GAP)
        return Strip([Segment("".join(parts), style)])

    def _note(self, y: int) -> Strip:
        if self.model.order or y != HEADER + 1 or not self.empty:
            return Strip([])
        text = self.empty if not self.model.items else f"nothing matches the filter ({len(self.model.items)} hidden)"
        return Strip([Segment(f"{' ' * self._gutter}{text}", self.tone(Tone.MUTED))])

    def _repaint(self) -> None:
        """Refresh the visible lines whose look changed."""
        self._fit()
        first = self.scroll_offset.y
        for y in range(HEADER, self.size.height):
            at = y - HEADER + first
            look = self._look(self.model.order[at]) if at < len(self.model.order) else None
            if self._painted.get(y) != look:
                self.refresh(Region(0, y, self.size.width, 1))

    def _forget(self) -> None:
        self._strips.clear()
        self._painted.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget strips painted in another theme."""
        super().notify_style_update()
        self._forget()

    def on_resize(self) -> None:
        """Other rows fit; the cursor stays in sight."""
        self._extent()
        self._follow_cursor()
        self._forget()

    def _fit(self) -> int:
        """The width, with columns chosen for it. Borders and the scrollbar change it without a resize."""
        width = self.scrollable_content_region.width
        if width != self._placed_for:
            self._placed = place(self._columns, width - self._gutter)
            self._placed_for = width
            self._strips.clear()
        return width

    def on_focus(self) -> None:
        """The cursor row looks different with the focus."""
        self._repaint()

    def on_blur(self) -> None:
        """The cursor row looks different without the focus."""
        self._repaint()

    # keeping the place

    def _rearrange(self, change: Callable[[], str | None]) -> None:
        before, at = self.model.cursor, self.model.position(self.model.cursor)
        offset = None if at is None else at - self.scroll_offset.y
        was_empty = not self.model.order
        lost = change()
        self._extent()
        at = self.model.position(self.model.cursor)
        if at is not None and offset is not None and 0 <= offset < self._page():
            self.scroll_to(y=max(0, at - offset), animate=False, force=True, immediate=True)
        if was_empty is not (not self.model.order):
            self.refresh()
        self._repaint()
        if lost is not None:
            self.post_message(self.CursorLost(self.table_id, lost, self.model.cursor))
        if self.model.cursor != before:
            self.post_message(self.Highlighted(self.table_id, self.model.cursor))

    def _extent(self) -> None:
        extent = Size(self.size.width, len(self.model.order) + HEADER)
        if extent != self.virtual_size:
            self.virtual_size = extent

    def _page(self) -> int:
        return max(1, self.size.height - HEADER)

    def _follow_cursor(self) -> None:
        at = self.model.position(self.model.cursor)
        if at is None:
            return
        top, page = self.scroll_offset.y, self._page()
        target = min(at, max(top, at - page + 1))
        if target != top:
            self.scroll_to(y=target, animate=False, force=True, immediate=True)

    def _moved(self, move: Callable[[], object]) -> bool:
        before = self.model.cursor
        move()
        self._follow_cursor()
        self._repaint()
        if self.model.cursor != before:
            self.post_message(self.Highlighted(self.table_id, self.model.cursor))
        return self.model.cursor != before

    # keys and mouse

    def action_cursor_up(self) -> None:
        """Move up."""
        self._moved(lambda: self.model.move(-1))

    def action_cursor_down(self) -> None:
        """Move down."""
        self._moved(lambda: self.model.move(1))

    def action_cursor_top(self) -> None:
        """Move to the first row."""
        self._moved(lambda: self.model.move_to(0))

    def action_cursor_bottom(self) -> None:
        """Move to the last row."""
        self._moved(lambda: self.model.move_to(len(self.model.order)))

    def action_cursor_page_up(self) -> None:
        """Move up by a page."""
        self._moved(lambda: self.model.move(-self._page()))

    def action_cursor_page_down(self) -> None:
        """Move down by a page."""
        self._moved(lambda: self.model.move(self._page()))

    def action_enter(self) -> None:
        """Enter the row under the cursor."""
        if self.model.cursor is not None:
            self.post_message(self.Selected(self.table_id, self.model.cursor))

    def action_mark(self) -> None:
        """Mark the row under the cursor and go on to the next."""
        self.model.toggle(self.model.cursor)
        self._marked()
        self.action_cursor_down()

    def action_mark_range(self) -> None:
        """Mark from the last mark to the cursor."""
        self.model.mark_range()
        self._marked()

    def action_clear_marks(self) -> None:
        """Take all marks away."""
        self.model.clear_marks()
        self._marked()

    def action_sort_shift(self, step: int) -> None:
        """Sort by the next or the previous column shown."""
        shown = [placed.column.id for placed in self._placed]
        at = shown.index(self.sort_column.id) if self.sort_column.id in shown else 0
        self.sort_by(shown[(at + step) % len(shown)], reverse=False)

    def action_sort_reverse(self) -> None:
        """Reverse the order."""
        self.sort_by(self.sort_column.id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Marking is off where nothing acts on marks."""
        return self.markable or action not in {"mark", "mark_range", "clear_marks"}

    def _marked(self) -> None:
        self._repaint()
        self.post_message(self.MarksChanged())

    def on_click(self, event: events.Click) -> None:
        """Sort by a header, move to a row, or enter the row that has the cursor."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < HEADER:
            self._sort_at(offset.x)
            return
        at = offset.y - HEADER + self.scroll_offset.y
        if at >= len(self.model.order):
            return
        if self.model.order[at] == self.model.cursor:
            self.action_enter()
        else:
            self._moved(lambda: self.model.move_to(at))

    def _sort_at(self, x: int) -> None:
        start = self._gutter
        for placed in self._placed:
            if start <= x < start + placed.width + GAP:
                self.sort_by(placed.column.id)
                return
            start += placed.width + GAP
