"""Answers that are late, stale, doubled or early: what they must not make the core do."""

from typing import Any

import pytest
from msgspec.structs import replace

from krs.core import actions
from krs.core import facts as f
from krs.core.commands import CreateRunner, DeleteRunner, ListRegistrations, ListServices
from krs.core.deadline import next_deadline
from krs.core.decide import decide
from krs.core.endings import all_endings
from krs.core.model import Instant, JobId, Name, Op, OpKind, Probe, Scope, World
from krs.core.names import pool_id
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


def test_a_warm_spare_on_its_way_frees_no_runner_to_be_lent() -> None:
    """A pool starts a spare beside its idle runner and its job; a poorer pool's job, paused, waits as before."""
    world, (name,) = up(1, labels=("koyeb-fra-small", "linux"))
    world, _ = turn(world, registered(name, f.Observed.IDLE, 20), job(1, JobState.DONE, seconds=20), seconds=20)
    policy = replace(POLICY, min_idle=1)
    asked = (job(2, seconds=21, labels=("koyeb-fra-small", "linux")), job(3, seconds=21))
    poor = f.PauseAsked(pool=pool_id(SCOPE, ("koyeb-fra-small",)))
    world, commands = turn(fold(world, *asked, seconds=21), poor, seconds=21, policy=policy)
    assert len(only(commands, CreateRunner)) == 1
    assert decide(world, at(21), policy) == (world, ())
    assert world.jobs[JobId(3)].reason is Reason.POOL_PAUSED


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


def test_two_stores_name_the_runner_of_a_job_alike() -> None:
    """Whatever else a store knows, the name is a function of the pool and the job: the lock between two daemons."""
    rich, _ = up(3)
    rich = fold(rich, *(job(n, JobState.DONE, seconds=5) for n in (1, 2, 3)), seconds=5)
    (here,) = only(turn(swept(), job(9, repo="acme/web"))[1], CreateRunner)
    (there,) = only(turn(rich, job(9, repo="acme/web"), seconds=9)[1], CreateRunner)
    assert here.name == there.name


def test_a_delivery_that_comes_again_after_the_end_buys_nothing() -> None:
    """For an hour what is over is remembered, so that a `queued` out of order is known to be old."""
    world, (name,) = up(1)
    world, _ = turn(world, job(1, JobState.RUNNING, runner=name, seconds=20), seconds=20)
    world, _ = turn(world, job(1, JobState.DONE, runner=name, seconds=30), f.DrainAsked(name=name), seconds=30)
    world, commands = turn(world, job(1), seconds=40)
    assert only(commands, CreateRunner) == []
    assert world.jobs[JobId(1)].state is JobState.DONE


def test_the_time_to_boot_counts_from_the_creation() -> None:
    """A create that succeeds after minutes of refusals has its full time to come online."""
    world, commands = turn(swept(), job(1))
    (create,) = only(commands, CreateRunner)
    refused = f.CreateFailed(name=create.name, reason=Reason.UNREACHED, message="no")
    world, _ = turn(world, refused, seconds=1)
    world, _ = turn(world, created(create.name, 500), seconds=500)
    absent = f.RegistrationObserved(name=create.name, asked_at=at(700), observed=f.Observed.ABSENT)
    world, _ = turn(world, absent, seconds=700)
    assert world.runners[create.name].wanted


def test_a_runner_that_is_too_old_lets_its_job_end() -> None:
    """Its age makes it unwanted, and the job that runs on it keeps it."""
    policy = replace(POLICY, max_age=600.0)
    world, (name,) = up(1, policy)
    world, _ = turn(world, job(1, JobState.RUNNING, runner=name, seconds=20), seconds=20, policy=policy)
    world, commands = turn(world, seconds=700, policy=policy)
    assert (world.runners[name].wanted, only(commands, DeleteRunner)) == (False, [])


def test_an_idle_runner_that_a_job_waits_for_does_not_expire() -> None:
    """GitHub may take long to hand out a job; until then its runner is kept."""
    world, (name,) = up(1)
    world = fold(world, registered(name, f.Observed.IDLE, 5), seconds=5)
    assert all_endings(world, at(90_000), POLICY)[name][1] is Reason.MAX_AGE


def test_a_list_asked_for_before_a_create_says_nothing_of_it() -> None:
    """Though it is the newest list that has come."""
    world, commands = turn(swept(), job(1), seconds=1)
    (create,) = only(commands, CreateRunner)
    world, _ = turn(world, created(create.name, 20), seconds=20)
    world, _ = turn(world, listed(10), seconds=21)
    assert world.runners[create.name].misses == 0


def unasked(world: World) -> World:
    """The same world, but nothing is asked or forgotten for a day: only its runners can wake the loop."""
    quiet = replace(world.koyeb, asked_until=at(90_000))
    return replace(world, koyeb=quiet, github={SCOPE: Probe(asked_until=at(90_000))}, jobs={}, creates=())


def test_a_runner_grows_too_old_though_nobody_can_tell_whether_it_is_idle() -> None:
    """An earlier end that waits for GitHub's answer does not hide the maximum age; the loop wakes for it."""
    world, (name,) = up(1)
    world, _ = turn(world, registered(name, f.Observed.IDLE, 5), job(1, JobState.DONE, seconds=5), seconds=5)
    assert next_deadline(unasked(world), at(86_000), POLICY) == at(86_400)
    world, _ = turn(world, seconds=86_400)
    assert world.runners[name].why is Reason.MAX_AGE


def test_the_loop_wakes_when_a_runner_should_be_online() -> None:
    """Ten minutes after its creation."""
    world, (name,) = up(1)
    denied = replace(unasked(world), github={SCOPE: Probe(asked_until=at(90_000), denied=True)})
    assert name in denied.runners
    assert next_deadline(denied, at(100), POLICY) == at(600)


def test_a_refusal_after_an_unanswered_create_frees_no_place_before_koyeb_was_asked() -> None:
    """The first attempt may have bought the machine: it counts until a look says that it is not there."""
    policy = replace(POLICY, max_total=1)
    world, commands = turn(swept(policy), job(1), policy=policy)
    (first,) = only(commands, CreateRunner)
    seconds = first.expires - at(0)
    world, commands = turn(world, seconds=seconds, policy=policy)
    assert [command.retry for command in only(commands, CreateRunner)] == [True]
    refused = f.CreateFailed(name=first.name, reason=Reason.QUOTA, message="quota")
    world, commands = turn(world, refused, job(2, repo="acme/web", seconds=seconds), seconds=seconds, policy=policy)
    assert only(commands, CreateRunner) == []
    assert world.jobs[JobId(2)].reason is Reason.MAX_TOTAL
    assert [command.name for command in only(commands, DeleteRunner)] == [first.name]
