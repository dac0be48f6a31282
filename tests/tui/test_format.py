"""How quantities read: one table per kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui import format as fmt


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "00:00"), (0, "00:00"), (42, "00:42"), (761, "12:41"), (3599, "59:59"), (3600, "1h00m"), (11_220, "3h07m"),
     (86_400, "1d00h"), (187_200, "2d04h"), (10_627_200, "123d")],
)  # fmt: skip
def test_duration(seconds: float, text: str) -> None:
    """A duration fits into six cells, whatever it is."""
    assert fmt.duration(seconds) == text
    assert len(text) <= 6


@pytest.mark.parametrize(
    ("until", "guessed", "text"),
    [(None, False, "-"), (1039.0, False, "17:19"), (110.0, False, "01:50!"), (0.0, False, "due"), (-3.0, False, "due"),
     (110.0, True, "~01:50!"), (-1.0, True, "~00:00?")],
)  # fmt: skip
def test_left(until: float | None, guessed: bool, text: str) -> None:
    """Time left says when it is soon, past, or only guessed."""
    assert fmt.left(until, 0.0, guessed=guessed) == text


@pytest.mark.parametrize(
    ("usd", "text"), [(None, "-"), (0.0, "0.000"), (0.0214, "0.021"), (1.2, "1.20"), (99.0, "99.00"), (118.2, "118")]
)
def test_money(usd: float | None, text: str) -> None:
    """Amounts keep three digits that matter."""
    assert fmt.money(usd) == text


@pytest.mark.parametrize(("usd", "text"), [(None, "-"), (0.0072, "$0.0072/h"), (0.41, "$0.41/h"), (0.0, "$0.00/h")])
def test_hourly(usd: float | None, text: str) -> None:
    """Small prices keep their digits."""
    assert fmt.hourly(usd) == text


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=80)


@given(text=WORDS, width=st.integers(0, 40))
def test_cuts_are_exact(text: str, width: int) -> None:
    """Whatever the text, emoji and wide characters too, a cell is exactly as wide as its column."""
    for cut in (fmt.cut, fmt.cut_middle, fmt.align_right):
        assert cell_len(cut(text, width)) == width


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [("acme/api", 10, "acme/api  "), ("abcdefghij", 6, "ab..ij"), ("abcdefghij", 7, "abc..ij"), ("abcdef", 3, "a..")],
)
def test_cut_middle(text: str, width: int, cut: str) -> None:
    """Both ends of a name stay."""
    assert fmt.cut_middle(text, width) == cut


@pytest.mark.parametrize(
    ("name", "short"),
    [("runner-fra-small-7f3a", "7f3a"), ("runner-fra-small", "fra-small"), ("legacy", "legacy"),
     ("runner-fra-small-7f3a-2", "7f3a-2")],
)  # fmt: skip
def test_short_name(name: str, short: str) -> None:
    """The place goes where it is repeated; a name is never empty."""
    assert fmt.short_name(name, "fra", "small") == short


def test_one_line_has_no_escapes() -> None:
    """Text from elsewhere cannot move the terminal's cursor."""
    assert fmt.one_line("a\x1b[2Jb\nc\td") == "a [2Jb c d"


@given(st.lists(st.floats(0, 1e6), max_size=80), st.integers(1, 60))
def test_spark_has_its_width(values: list[float], width: int) -> None:
    """A sparkline is exactly as wide as asked."""
    assert len(fmt.spark(values, width)) == width


def test_spark_scales_to_the_largest() -> None:
    """The largest value is a full bar, nothing is a blank."""
    assert fmt.spark([0.0, 4.0, 8.0], 4) == "  ▄█"


def test_moment_names_the_day_unless_it_is_today() -> None:
    """An end of tomorrow does not read as one of today."""
    assert fmt.moment(86_400 + 3661, 2 * 86_400 - 1) == "01:01:01"
    assert fmt.moment(2 * 86_400, 2 * 86_400 - 1) == "1970-01-03 00:00:00"
