"""Answers that are late, stale, doubled or early: what they must not make the core do."""

from typing import Any

import pytest
from msgspec.structs import replace

from krs.core import actions
from krs.core import facts as f
from krs.core.commands import CreateRunner, DeleteRunner, ListRegistrations, ListServices
from krs.core.deadline import next_deadline
from krs.core.decide import decide
from krs.core.model import Instant, Name, Op, OpKind, Scope, World
from krs.core.policy import Policy
from krs.core.strays import is_ours
from krs.core.views import StartBody
from krs.core.vocabulary import JobState, Lifecycle, Reason
from tests.core.build import POLICY, at, created, fold, job, listed, only, swept, told, turn

SCOPE = Scope("acme/api")


def up(count: int, policy: Policy = POLICY, **fields: Any) -> tuple[World, list[Name]]:
    """A world with some runners just created, each for a job of its own."""
    world, commands = turn(swept(policy), *(job(n, **fields) for n in range(1, count + 1)), policy=policy)
    names = [command.name for command in only(commands, CreateRunner)]
    return turn(world, *(created(name) for name in names), policy=policy)[0], names


def registered(name: Name, what: f.Observed, seconds: float) -> f.RegistrationsListed:
    """GitHub's list of one runner."""
    row = f.RegistrationSeen(name=name, id=7, observed=what, labels=("koyeb-fra-small",))
    return f.RegistrationsListed(scope=SCOPE, asked_at=at(seconds), runners=(row,))


def test_a_list_heard_twice_counts_once() -> None:
    """A runner that one list omits is missed once, and a registration that is absent is unknown once."""
    world, (name,) = up(1)
    world = fold(world, registered(name, f.Observed.IDLE, 5), seconds=5)
    nobody = f.RegistrationsListed(scope=SCOPE, asked_at=at(60), runners=())
    absent = f.RegistrationObserved(name=name, asked_at=at(61), observed=f.Observed.ABSENT)
    once = told(fold(world, listed(60), nobody, absent, seconds=62))
    twice = fold(once, listed(60), nobody, absent, seconds=63)
    assert (once.runners[name].misses, once.runners[name].unknown_sweeps) == (1, 2)
    assert (twice.runners, twice.news) == (once.runners, ())


def test_a_stale_list_does_not_ask_for_another() -> None:
    """While a newer question is in flight, the late answer to an older one asks no third time."""
    world, (name,) = up(1)
    world, commands = turn(world, seconds=61)
    assert len(only(commands, ListServices)) == len(only(commands, ListRegistrations)) == 1
    stale = (listed(1), registered(name, f.Observed.ABSENT, 1))
    world, commands = turn(world, *stale, seconds=62)
    assert only(commands, ListServices) == only(commands, ListRegistrations) == []


def test_a_failed_look_at_one_runner_leaves_the_list_in_flight() -> None:
    """The scope's list is not asked for twice since a question about one of its runners failed."""
    world, (name,) = up(1)
    world, commands = turn(world, seconds=61)
    assert len(only(commands, ListRegistrations)) == 1
    failed = f.GithubFailed(scope=SCOPE, message="no", name=name)
    world, _ = turn(world, failed, seconds=62)
    assert only(turn(world, seconds=68)[1], ListRegistrations) == []


@pytest.mark.parametrize(
    "late",
    [
        lambda name: f.RegistrationObserved(name=name, asked_at=at(5), observed=f.Observed.IDLE),
        lambda name: f.ServiceFound(name=name, asked_at=at(5), service=None),
        lambda name: f.Protected(name=name, deletes_at=at(90_000)),
        created,
        lambda name: f.GithubFailed(scope=SCOPE, message="no", name=name),
    ],
    ids=["observed", "found", "protected", "created", "failed"],
)
def test_a_late_answer_ends_only_a_command_of_its_own_kind(late: Any) -> None:
    """A deletion under way stays under way, whatever else is answered."""
    world, (name,) = up(1)
    deleting = replace(world.runners[name], wanted=False, why=Reason.KILLED, op=Op(OpKind.DELETE, at(60)))
    world = fold(replace(world, runners={name: deleting}), late(name), seconds=10)
    assert world.runners[name].op == Op(OpKind.DELETE, at(60))


def test_a_runner_is_adopted_with_the_job_that_is_known_to_run_on_it() -> None:
    """With a fresh disk a delivery may come before the first list; where GitHub may not be asked only it can veto."""
    name = Name("runner-fra-small-1z14azh")
    service = f.ServiceSeen(id="s", name=name, status="HEALTHY", created_at=at(-700))
    found = f.Adoptable(service=service, scope=SCOPE, labels=("koyeb-fra-small",))
    early = job(1, JobState.RUNNING, runner=name, seconds=1)
    denied = f.GithubFailed(scope=SCOPE, message="no", denied=True)
    first = f.ServicesListed(asked_at=at(2), services=(service,), adoptable=(found,))
    world, commands = turn(World(), early, denied, first, seconds=3)
    assert world.runners[name].busy_job == 1
    assert only(commands, DeleteRunner) == []


def test_an_operator_starts_nothing_before_koyeb_was_listed() -> None:
    """With half a world no limit can be kept."""
    body = StartBody(label="koyeb-fra-small", scope="acme/api")
    early = actions.start(World(), body, "ana", at(0), POLICY)
    assert isinstance(early, actions.Refusal)
    assert early.code == "not_ready"
    assert isinstance(actions.start(swept(), body, "ana", at(0), POLICY), f.StartAsked)


def test_a_busy_flag_that_comes_before_the_delivery_buys_no_second_runner() -> None:
    """For a minute a runner that GitHub calls busy counts for the job that is still called queued, no longer."""
    world, (name,) = up(1)
    world, commands = turn(world, registered(name, f.Observed.BUSY, 20), seconds=20)
    assert only(commands, CreateRunner) == []
    assert next_deadline(world, at(20), POLICY) <= at(80)
    assert only(turn(world, seconds=79)[1], CreateRunner) == []
    assert len(only(turn(world, seconds=80)[1], CreateRunner)) == 1


def test_a_lent_runner_and_a_warm_spare_are_counted_alike_before_and_after_a_plan() -> None:
    """A pool that borrows for its job and starts a spare of its own starts one, not one a turn."""
    policy = replace(POLICY, min_idle=1)
    world, names = up(1, policy, labels=("koyeb-fra-small", "linux"))
    rows = tuple(
        f.RegistrationSeen(name=name, id=number, observed=f.Observed.IDLE) for number, name in enumerate(names)
    )
    looked = f.RegistrationsListed(scope=SCOPE, asked_at=at(20), runners=rows)
    world, _ = turn(world, looked, job(1, JobState.RUNNING, runner=names[0], seconds=20), seconds=20, policy=policy)
    world, commands = turn(world, job(2, seconds=21), seconds=21, policy=policy)
    assert len(only(commands, CreateRunner)) == 1
    assert decide(world, at(21), policy) == (world, ())


def test_a_registration_left_by_an_operators_runner_is_ours() -> None:
    """It is removed like those of runners that jobs asked for."""
    asked = actions.start(swept(), StartBody(label="koyeb-fra-small", scope="acme/api"), "ana", at(0), POLICY)
    assert isinstance(asked, f.StartAsked)
    row = f.RegistrationSeen(name=asked.name, id=7, observed=f.Observed.OFFLINE, labels=asked.labels)
    assert is_ours(row, POLICY)


def test_the_net_is_moved_at_the_instant_at_which_the_loop_wakes_for_it() -> None:
    """Two hours before Koyeb would delete a busy runner; half an hour earlier nothing is due."""
    world, (name,) = up(1)
    world, _ = turn(world, job(1, JobState.RUNNING, runner=name, seconds=20), seconds=20)
    quiet = replace(world.koyeb, not_before=Instant(at(90_000)))
    world = replace(world, koyeb=quiet)
    wake = at(86_400 - 7200)
    assert next_deadline(world, Instant(wake - 1), POLICY) <= wake
    assert OpKind.PROTECT not in _ops(decide(world, Instant(wake - 1), POLICY)[0])
    assert OpKind.PROTECT in _ops(decide(world, wake, POLICY)[0])


def _ops(world: World) -> list[OpKind]:
    return [runner.op.kind for runner in world.runners.values() if runner.op is not None]


def test_a_runner_that_vanished_after_its_job_is_tidied_up_at_once() -> None:
    """The linger keeps a machine; where there is none its registration goes without it."""
    policy = replace(POLICY, lifecycle=Lifecycle.EPHEMERAL)
    world, (name,) = up(1, policy)
    gone = f.ServiceFound(name=name, asked_at=at(30), service=None)
    ended = job(1, JobState.DONE, runner=name, seconds=30)
    world, commands = turn(
        world, job(1, JobState.RUNNING, runner=name, seconds=20), ended, gone, seconds=30, policy=policy
    )
    assert len(only(commands, DeleteRunner)) == 1
