"""The rows of a live table: names survive everything that happens to positions."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tui.widgets.table_model import TableModel

NAMES = st.sampled_from([f"r{number}" for number in range(12)])
ROWS = st.dictionaries(NAMES, st.integers(0, 5), max_size=12)


def by_value(item: int) -> object:
    """Sort by the row itself."""
    return item


class AnyOrder(RuleBasedStateMachine):
    """Does everything that can be done to a table, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.model: TableModel[int] = TableModel(by_value)
        self.limit: int | None = None

    @initialize(rows=ROWS)
    def fill(self, rows: dict[str, int]) -> None:
        """Begin with some rows."""
        self.model.replace(rows)

    @rule(rows=ROWS)
    def replace(self, rows: dict[str, int]) -> None:
        """Rows come, go and change."""
        before = self.model.cursor
        lost = self.model.replace(rows)
        self._kept(before, lost)

    @rule(reverse=st.booleans(), by_name=st.booleans())
    def sort(self, reverse: bool, by_name: bool) -> None:
        """Sorting never moves the cursor to another row."""
        before = self.model.cursor
        self.model.sort(None if by_name else by_value, reverse=reverse)
        assert self.model.cursor == before

    @rule(limit=st.none() | st.integers(0, 6))
    def filter(self, limit: int | None) -> None:
        """Show only small rows, or all."""
        self.limit = limit
        before = self.model.cursor
        lost = self.model.filter(None if limit is None else lambda item: item < limit)
        self._kept(before, lost)

    @rule(rows=st.integers(-20, 20))
    def move(self, rows: int) -> None:
        """Move the cursor."""
        self.model.move(rows)

    @precondition(lambda self: self.model.cursor is not None)
    @rule()
    def mark(self) -> None:
        """Mark the cursor's row."""
        self.model.toggle(self.model.cursor)

    @rule()
    def mark_range(self) -> None:
        """Mark a range."""
        self.model.mark_range()

    def _kept(self, before: str | None, lost: str | None) -> None:
        if before is not None and before in self.model.order:
            assert self.model.cursor == before
            assert lost is None
        elif before is not None:
            assert lost == before

    @invariant()
    def cursor_is_shown(self) -> None:
        """There is a cursor if and only if there is a row, and it is on a row that is shown."""
        assert (self.model.cursor is None) == (not self.model.order)
        assert self.model.cursor is None or self.model.cursor in self.model.order

    @invariant()
    def marks_are_rows(self) -> None:
        """Marks are a subset of the names, and what an action is for exists."""
        assert self.model.marks <= self.model.items.keys()
        assert set(self.model.chosen()) <= self.model.items.keys()

    @invariant()
    def order_is_what_passes(self) -> None:
        """Exactly the rows that pass are shown, each once."""
        passing = {name for name, item in self.model.items.items() if self.limit is None or item < self.limit}
        assert sorted(self.model.order) == sorted(passing)


TestAnyOrder = AnyOrder.TestCase


@given(rows=ROWS)
def test_sort_is_stable_by_name(rows: dict[str, int]) -> None:
    """Equal rows keep the order of their names."""
    model: TableModel[int] = TableModel(by_value)
    model.replace(rows)
    assert model.order == sorted(rows, key=lambda name: (rows[name], name))


def test_cursor_goes_to_the_row_below_then_above() -> None:
    """A vanished row hands the cursor to the nearest one: the next below, else the next above."""
    model: TableModel[int] = TableModel(None)
    model.replace({"a": 1, "b": 2, "c": 3})
    model.point("b")
    assert model.replace({"a": 1, "c": 3}) == "b"
    assert model.cursor == "c"
    assert model.replace({"a": 1}) == "c"
    assert model.cursor == "a"


def test_range_marks_between_the_last_mark_and_the_cursor() -> None:
    """A range follows the order shown."""
    model: TableModel[int] = TableModel(None)
    model.replace(dict.fromkeys("abcde", 0))
    model.point("b")
    model.toggle("b")
    model.point("d")
    model.mark_range()
    assert model.chosen() == ("b", "c", "d")
