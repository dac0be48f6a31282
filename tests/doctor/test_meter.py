"""What the headers of answers tell: calls that are left, and the time."""

import pytest

from krs.core.model import Instant
from krs.doctor.meter import Budget, Meter

NOW = 1_800_000_000.0
GITHUB = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4999", "x-ratelimit-reset": str(int(NOW) + 60)}
KOYEB = {"x-ratelimit-limit": "400, 400;w=60", "x-ratelimit-remaining": "12", "x-ratelimit-reset": "50"}


def meter(headers: dict[str, str], *, later: float = 0.0) -> Meter:
    """A meter that saw one answer some seconds ago."""
    now = [NOW]
    made = Meter(lambda: Instant(now[0]))
    made.call("api", "GET", 200, 0.1, headers)
    now[0] += later
    return made


@pytest.mark.parametrize(
    ("headers", "later", "budget"),
    [
        (GITHUB, 10.0, Budget(4999, 5000, 50.0)),
        (GITHUB, 61.0, None),
        (KOYEB, 10.0, Budget(12, 400, 40.0)),
        (KOYEB, 51.0, None),
        ({**KOYEB, "x-ratelimit-reset": "soon"}, 99.0, Budget(12, 400, None)),
        ({**KOYEB, "x-ratelimit-limit": "many"}, 0.0, None),
        ({}, 0.0, None),
    ],
)
def test_a_budget_is_read_as_each_api_writes_it(headers: dict[str, str], later: float, budget: Budget | None) -> None:
    """GitHub's reset is an instant, Koyeb's a number of seconds; what has been reset is known no more."""
    assert meter(headers, later=later).budgets().get("api") == budget


def test_an_answer_without_a_budget_leaves_the_last_one() -> None:
    """An error may come without the headers; a call without an answer tells nothing."""
    seen = meter(GITHUB)
    seen.call("api", "GET", 401, 0.1, {})
    seen.call("api", "GET", 0, 0.0, {})
    assert seen.budgets()["api"].remaining == 4999


@pytest.mark.parametrize(
    ("date", "ahead"),
    [("Fri, 15 Jan 2027 08:00:00 GMT", 0.0), ("Fri, 15 Jan 2027 08:01:30 GMT", 90.0), ("today", None), ("", None)],
)
def test_the_clock_of_an_api_is_compared_with_ours(date: str, ahead: float | None) -> None:
    """The Date of an answer against the instant at which it came."""
    assert meter({"date": date}, later=500.0).ahead().get("api") == ahead
