"""The lines of a stream: following, holding still, counting, forgetting."""

from hypothesis import given
from hypothesis import strategies as st

from tui.backend import Level
from tui.widgets.ring import Line, Ring


def lines(first: int, last: int) -> list[Line]:
    """Lines by seq, every third an error."""
    return [
        Line(seq=seq, at=0.0, level=Level.ERROR if seq % 3 == 0 else Level.INFO, text=f"line {seq}")
        for seq in range(first, last + 1)
    ]


def test_follows_the_newest() -> None:
    """While following, the last line is on screen."""
    ring = Ring(100)
    ring.extend(lines(1, 30))
    assert ring.shown[ring.top(10)].seq == 21
    ring.extend(lines(31, 35))
    assert ring.shown[ring.top(10)].seq == 26
    assert ring.unread == 0


def test_holds_still_and_counts() -> None:
    """Scrolled up, the same line stays on top while new ones are counted; at the end it follows again."""
    ring = Ring(100)
    ring.extend(lines(1, 30))
    ring.hold(ring.top(10) - 3, 10)
    top = ring.shown[ring.top(10)].seq
    ring.extend(lines(31, 50))
    assert ring.shown[ring.top(10)].seq == top
    assert ring.unread == 20
    ring.hold(10_000, 10)
    assert ring.following
    assert ring.unread == 0


@given(size=st.integers(5, 40), batches=st.lists(st.integers(0, 30), max_size=8))
def test_a_held_line_only_moves_when_it_is_forgotten(size: int, batches: list[int]) -> None:
    """The ring keeps at most its size, and the held line stays on top for as long as it is in the ring."""
    ring = Ring(size)
    ring.extend(lines(1, 10))
    ring.freeze(2)
    held = ring.shown[ring.top(1)].seq
    last = 10
    for number in batches:
        ring.extend(lines(last + 1, last + number))
        last += number
        assert len(ring.lines) <= size
        kept = any(line.seq == held for line in ring.lines)
        assert ring.shown[ring.top(1)].seq == held or not kept


def test_overlap_is_ignored() -> None:
    """Lines that are known already, as after a resumed stream, are not shown twice."""
    ring = Ring(100)
    ring.extend(lines(1, 10))
    ring.extend(lines(5, 12))
    assert [line.seq for line in ring.shown] == list(range(1, 13))


def test_filter_and_marks() -> None:
    """A filter hides lines without forgetting them; the next mark is found among those shown."""
    ring = Ring(100)
    ring.extend(lines(1, 12))
    ring.filter(lambda line: line.level is Level.ERROR)
    assert [line.seq for line in ring.shown] == [3, 6, 9, 12]
    ring.mark(9)
    assert ring.next_mark(0) == 2
    ring.filter(None)
    assert len(ring.shown) == 12
    assert ring.next_mark(0) == 8


def test_marks_go_with_their_lines() -> None:
    """A mark on a forgotten line is forgotten."""
    ring = Ring(5)
    ring.extend(lines(1, 5))
    ring.mark(1)
    ring.extend(lines(6, 9))
    assert ring.marks == set()
