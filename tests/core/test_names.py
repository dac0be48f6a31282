"""Names as functions of the state."""

import re

from hypothesis import given
from hypothesis import strategies as st

from krs.core.model import JobId, Name, Pool, PoolId, Scope
from krs.core.names import base36, job_runner, pool_id, pool_labels, spare_runner

PLACE = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+){0,5}", fullmatch=True)


def pool(region: str = "fra", instance_type: str = "small", key: str = "acme.api~koyeb-fra-small") -> Pool:
    """A pool somewhere."""
    return Pool(
        id=PoolId(key), scope=Scope("acme/api"), labels=("koyeb-fra-small",), region=region, instance_type=instance_type
    )


@given(st.integers(min_value=0, max_value=2**64))
def test_base36_is_read_back_by_int(number: int) -> None:
    """Python's own int() reads what base36 writes."""
    assert int(base36(number), 36) == number


@given(PLACE, PLACE, st.integers(min_value=1, max_value=2**64), st.integers(min_value=0, max_value=40))
def test_every_name_fits_koyeb_and_is_new(region: str, kind: str, job: int, used: int) -> None:
    """Whatever the place and the number of tries, a name is valid, at most 63 characters, and not taken."""
    taken: set[Name] = set()
    for _ in range(used):
        taken.add(job_runner(pool(region, kind), JobId(job), taken))
    name = job_runner(pool(region, kind), JobId(job), taken)
    assert name not in taken
    assert len(taken) == used
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,61}[a-z0-9]", name)


def test_the_same_decision_makes_the_same_name() -> None:
    """A name depends on the pool, the job and what is taken, on nothing else."""
    assert job_runner(pool(), JobId(35), ()) == job_runner(pool(), JobId(35), ()) == "runner-fra-small-z"
    assert job_runner(pool(), JobId(35), {Name("runner-fra-small-z")}) == "runner-fra-small-z-2"


def test_spares_of_two_pools_of_one_place_never_share_a_name() -> None:
    """Two repositories that ask for the same machine keep their warm spares apart."""
    assert spare_runner(pool(), ()) != spare_runner(pool(key="acme.web~koyeb-fra-small"), ())


def test_a_pool_is_its_scope_and_its_set_of_labels() -> None:
    """Order and case of labels make no other pool; the krs label stands first and the id is one path segment."""
    labels = pool_labels("Koyeb-fra-small", ("linux", "Koyeb-fra-small", "self-hosted", "LINUX"))
    assert labels[0] == "Koyeb-fra-small"
    assert len(labels) == 3
    assert pool_id(Scope("Acme/API"), labels) == "acme.api~koyeb-fra-small+linux+self-hosted"
    assert "/" not in pool_id(Scope("acme/api"), labels)
