"""Filter expressions: what they match, and what is refused in one line."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.filter import EVERYTHING, FilterError, parse

FIELDS = ("state", "region", "repo", "job")
ROW = {"state": "busy", "region": "fra", "repo": "acme/api", "job": "test (3.12)"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [("", True), ("busy", True), ("idle", False), ("!idle", True), ("!busy", False), ("state:busy", True),
     ("region:busy", False), ("BUSY FRA", True), ("busy was", False), ("repo:^acme/", True), ("! state:idle", True),
     ("! state:busy", False), ("! busy was", True), ("3\\.1[0-9]", True), ("!state:idle repo:api", True)],
)  # fmt: skip
def test_matches(text: str, matches: bool) -> None:
    """Words must all match; `!` and fields do what they say."""
    assert parse(text, FIELDS).matches(ROW) is matches


@pytest.mark.parametrize(
    ("text", "why"),
    [("colour:red", "no field 'colour'"), ("state:", "nothing after"), ("[", "not a regular expression"),
     ("!", "nothing after"), ("(a+)+", "too long"), ("(a|a)*b*c*d*", "too long"), ("x" * 300, "longer than")],
)  # fmt: skip
def test_refused(text: str, why: str) -> None:
    """What cannot be used is refused with the reason in one line."""
    with pytest.raises(FilterError, match=why) as caught:
        parse(text, FIELDS)
    assert "\n" not in str(caught.value)


def test_empty_is_everything() -> None:
    """An empty expression is no filter at all."""
    assert parse("   ", FIELDS) is EVERYTHING


@given(st.text(max_size=60))
def test_never_anything_but_a_filter_or_a_refusal(text: str) -> None:
    """Whatever is typed, there is a filter or one clear refusal."""
    with contextlib.suppress(FilterError):
        assert parse(text, FIELDS).matches(ROW) in {True, False}
