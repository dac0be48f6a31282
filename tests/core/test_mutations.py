"""Every break of the core in the list is noticed by the test that it names."""

import pytest

from tests.core.mutations import MUTATIONS, Mutation, Walks

WALKS = sorted({mutation.caught_by for mutation in MUTATIONS if isinstance(mutation.caught_by, Walks)}, key=str)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_break_still_applies(mutation: Mutation) -> None:
    """Its text is found once in the function that it names, so that the list cannot rot."""
    assert mutation.source().count(mutation.old) == 1
    with mutation.applied():
        pass


@pytest.mark.slow
@pytest.mark.parametrize("check", WALKS, ids=str)
def test_the_sound_core_passes_the_same_walks(check: Walks) -> None:
    """The checks that are no tests of their own find nothing when nothing is broken."""
    check()


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_break_of_the_core_is_caught(mutation: Mutation) -> None:
    """The test that it names, which passes on the core as it is, fails on the broken one."""
    with mutation.applied(), pytest.raises((AssertionError, ValueError)):
        mutation.caught_by()
