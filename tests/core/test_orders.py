"""Deliveries come in any order and number: what krs knows of a job in the end does not depend on it."""

import random

from hypothesis import given
from hypothesis import strategies as st

from krs.core.facts import JobFact
from krs.core.model import JobId, Name, World
from krs.core.vocabulary import JobState
from tests.core.build import fold, job, swept, told

LIFE = (
    job(1),
    job(1, JobState.WAITING, seconds=5),
    job(1, seconds=9),
    job(1, JobState.RUNNING, seconds=20, runner=Name("runner-fra-small-1")),
    job(1, JobState.DONE, seconds=90, runner=Name("runner-fra-small-1"), conclusion="success"),
)
"""Queued, held for an approval, queued again, running, done."""


def known(facts: tuple[JobFact, ...]) -> World:
    """What krs knows after these, heard at one instant."""
    return told(fold(swept(), *facts, seconds=100))


@given(
    length=st.integers(1, len(LIFE)),
    again=st.lists(st.integers(0, len(LIFE) - 1), max_size=4),
    chance=st.randoms(use_true_random=False),
)
def test_deliveries_in_any_order_and_number_end_the_same(length: int, again: list[int], chance: random.Random) -> None:
    """Any part of a job's life, shuffled and with any of it doubled, ends with the state that it really has."""
    heard = [*LIFE[:length], *(LIFE[index] for index in again if index < length)]
    chance.shuffle(heard)
    row, straight = known(tuple(heard)).jobs[JobId(1)], known(LIFE[:length]).jobs[JobId(1)]
    assert (row.state, row.conclusion, row.runner) == (straight.state, straight.conclusion, straight.runner)
