"""The core against an outside world whose truth it cannot see; the moves of the machine are the faults."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from krs.core.model import Name
from tests.core.build import T0
from tests.core.drive import Tally, machine, swarm
from tests.core.outside import API, SMALL, Outside, Service

DEEP = int(os.environ.get("KRS_DEEP_EXAMPLES", "20000"))


def run(examples: int, steps: int, *, derandomize: bool) -> Tally:
    """So many runs of the machine by Hypothesis."""
    tally = Tally()
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        report_multiple_bugs=False,
        derandomize=derandomize,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(machine(tally), settings=profile)
    return tally


def test_the_laws_hold_whatever_hypothesis_does() -> None:
    """Every fault of the outside, in any order: no job killed, no limit broken, everything served, nothing left."""
    assert run(40, 30, derandomize=True).turns > 0


def test_the_laws_hold_in_a_swarm_of_walks() -> None:
    """The same on longer walks, each with a few of the faults."""
    assert swarm(range(60), moves=60).jobs > 300


@pytest.mark.deep
@pytest.mark.timeout(0)
def test_the_laws_hold_in_depth(capsys: pytest.CaptureFixture[str]) -> None:
    """KRS_DEEP_EXAMPLES runs by Hypothesis; prints what was lived through."""
    tally = run(DEEP, 50, derandomize=False)
    with capsys.disabled():
        print(f"\nHypothesis: {tally}")
    assert tally.walks >= DEEP


@pytest.mark.deep
@pytest.mark.timeout(0)
def test_the_laws_hold_in_a_deep_swarm(capsys: pytest.CaptureFixture[str]) -> None:
    """KRS_DEEP_EXAMPLES walks by seeds (from KRS_DEEP_SEED on); prints what was lived through."""
    first = int(os.environ.get("KRS_DEEP_SEED", "1000"))
    tally = swarm(range(first, first + DEEP), moves=80)
    with capsys.disabled():
        print(f"\nswarm: {tally}")
    assert tally.walks == DEEP


def test_the_machine_can_see_a_killed_job() -> None:
    """The law bites: a deletion of a busy service is noticed, and by whose hand it was."""
    outside = Outside(T0)
    job = outside.queue(API, SMALL)
    service = Service(Name("runner-fra-small-00000"), "id", API, SMALL, T0, T0 + 86_400)
    outside.create(service)
    outside.boot(service)
    outside.give(job, service)
    outside.stop(service, "krs")
    assert outside.killed == [(job.id, "krs")]
