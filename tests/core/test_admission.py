"""Who may use runners, and what is said about those who may not, or whose code is that of strangers."""

from typing import Any

import pytest
from msgspec.structs import replace

from krs.core.admission import ADVICE, judge
from krs.core.commands import CreateRunner
from krs.core.labels import Placement
from krs.core.model import World
from krs.core.policy import Policy, PoolRule
from krs.core.snapshot import snapshot
from krs.core.vocabulary import EventKind, JobState, Mode, PublicRepositories, Reason
from tests.core.build import POLICY, at, job, only, swept, told, turn

DENY = replace(POLICY, public_repositories=PublicRepositories.DENY)
SMALL = ("koyeb-fra-small",)


def warned(world: World) -> list[str | None]:
    """The repositories that events warn of."""
    return [event.repo for event in world.news if event.kind is EventKind.WARNING]


def warnings(world: World, policy: Policy = POLICY) -> tuple[str, ...]:
    """What the console and the API show."""
    return snapshot(world, at(0), policy, seq=0, version="test", counters={}).warnings


def test_a_public_repository_is_warned_of_once_and_shown_as_long_as_it_is_one() -> None:
    """One event however many jobs and labels; a standing line in the snapshot, until it is private."""
    world, _ = turn(swept(), job(1, outside=True), job(2, outside=True))
    assert warned(world) == ["acme/api"]
    (shown,) = warnings(world)
    assert "acme/api" in shown
    world, _ = turn(told(world), job(3, outside=True, labels=("koyeb-was-small",)), job(4, repo="acme/web"))
    assert warned(world) == []
    world, _ = turn(told(world), job(5, repo="acme/other", outside=True))
    assert warned(world) == ["acme/other"]
    world, _ = turn(told(world), job(6))
    assert "acme/api" in warnings(world)[0]
    world, _ = turn(told(world), job(7, outside=False), job(8, repo="acme/other", outside=False))
    assert warnings(world) == ()


def test_nobody_is_warned_when_public_repositories_are_allowed() -> None:
    """Neither by an event nor by a line."""
    policy = replace(POLICY, public_repositories=PublicRepositories.ALLOW)
    world, _ = turn(swept(policy), job(1, outside=True), policy=policy)
    assert (warned(world), warnings(world, policy)) == ([], ())


def test_a_refused_job_is_visible_with_its_reason_and_what_to_do() -> None:
    """An event that says which setting refuses, and a job that no runner awaits."""
    world, commands = turn(swept(DENY), job(1, outside=True), policy=DENY)
    assert only(commands, CreateRunner) == []
    (event,) = [event for event in world.news if event.kind is EventKind.JOB_UNPLACEABLE]
    assert event.reason is Reason.PUBLIC_REPOSITORY
    assert "policy.public_repositories" in event.message
    (shown,) = snapshot(world, at(0), DENY, seq=0, version="test", counters={}).jobs
    assert (shown.placeable, shown.reason) == (False, Reason.PUBLIC_REPOSITORY)


def test_an_answer_that_does_not_say_whether_a_repository_is_public_lets_no_refused_job_in() -> None:
    """GitHub's answer about a job has no repository: what was refused stays so, and an unknown one is refused."""
    world, _ = turn(swept(DENY), job(1, outside=True), policy=DENY)
    world, commands = turn(told(world), job(1), job(2, repo="acme/unheard"), seconds=600, policy=DENY)
    assert only(commands, CreateRunner) == []
    assert {found.reason for found in world.jobs.values()} == {Reason.PUBLIC_REPOSITORY}
    world, commands = turn(told(world), job(1, outside=False), seconds=601, policy=DENY)
    assert len(only(commands, CreateRunner)) == 1


def test_an_answer_about_a_repository_that_was_served_before_is_taken() -> None:
    """A private repository stays one when an answer does not say so."""
    world, _ = turn(swept(DENY), job(1, outside=False), policy=DENY)
    world, _ = turn(told(world), job(2), policy=DENY)
    assert world.jobs[2].reason is None  # type: ignore[index]
    world = replace(told(world), jobs={})
    world, _ = turn(world, job(3), policy=DENY)
    assert world.jobs[3].reason is None  # type: ignore[index]


@pytest.mark.parametrize(
    ("labels", "fields", "expected"),
    [
        (("KOYEB-Fra-SMALL", "Linux"), {}, None),
        (("koyeb-xyz-small",), {}, Reason.UNKNOWN_REGION),
        (("koyeb-fra-gigantic",), {}, Reason.UNKNOWN_INSTANCE_TYPE),
        (("koyeb-was-2xlarge",), {}, Reason.NOT_SOLD_IN_REGION),
        (("koyeb-fra-free",), {}, Reason.WEB_ONLY),
        (("koyeb-fra-small", "koyeb-was-small"), {}, Reason.AMBIGUOUS_LABEL),
        (("koyeb-fra-small", "gpu"), {}, Reason.LABEL_NOT_COVERED),
        (SMALL, {"deny": ("acme/*",)}, Reason.REPOSITORY_DENIED),
        (SMALL, {"public_repositories": PublicRepositories.DENY}, Reason.PUBLIC_REPOSITORY),
    ],
)
def test_every_refusal_has_advice(labels: tuple[str, ...], fields: dict[str, Any], expected: Reason | None) -> None:
    """Each reason that makes a job unplaceable comes with what to do about it."""
    found = judge(labels, "acme/api", replace(POLICY, **fields), outside=True)
    assert isinstance(found, Placement) if expected is None else found is expected
    assert expected is None or ADVICE[expected]


def test_a_job_that_is_not_ours_is_not_refused_either() -> None:
    """Nobody is told of jobs for other people's runners."""
    assert judge(("ubuntu-latest",), "acme/api", replace(POLICY, deny=("*",)), outside=True) is None


def test_in_organization_mode_an_entry_covers_labels_where_it_sets_terms() -> None:
    """Repositories of an owner share their pools, so an entry for one of them holds for all, in both respects."""
    rules = (PoolRule(repository="acme/api", extra_labels=frozenset({"fast"}), maximum=3),)
    policy = replace(POLICY, mode=Mode.ORGANIZATION, rules=rules)
    assert isinstance(judge((*SMALL, "fast"), "acme/web", policy, outside=False), Placement)
    assert policy.terms(SMALL[0], "acme").maximum == 3
    assert judge((*SMALL, "fast"), "other/web", policy, outside=False) is Reason.LABEL_NOT_COVERED


def test_a_waiting_job_of_a_public_repository_is_warned_of_like_a_queued_one() -> None:
    """An approval comes later; the code is known already."""
    world, _ = turn(swept(), job(1, JobState.WAITING, outside=True))
    assert warned(world) == ["acme/api"]
