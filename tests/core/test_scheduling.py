"""The rules of the domain, one by one: what is started, kept, ended and refused, and why."""

from typing import Any

import pytest
from msgspec.structs import replace

from krs.core import facts as f
from krs.core.actions import Refusal, extend, find, kill, start
from krs.core.commands import (
    CheckJob,
    Command,
    CreateRunner,
    DeleteRunner,
    ListRegistrations,
    ListServices,
    ObserveRunner,
    ProtectRunner,
)
from krs.core.deadline import next_deadline
from krs.core.model import Cloud, Name, Runner, Scope, World
from krs.core.policy import Policy, PoolRule
from krs.core.state import state_of
from krs.core.views import ExtendBody, KillBody, StartBody
from krs.core.vocabulary import EventKind, JobState, Lifecycle, PublicRepositories, Reason, RunnerState
from tests.core.build import POLICY, at, created, fold, job, only, swept, told, turn

SCOPE = Scope("acme/api")


def up(count: int, policy: Policy = POLICY, **fields: Any) -> tuple[World, list[Name]]:
    """A world with some runners just created, each for a job of its own."""
    world, commands = turn(swept(policy), *(job(n, **fields) for n in range(1, count + 1)), policy=policy)
    names = [command.name for command in only(commands, CreateRunner)]
    return turn(world, *(created(name) for name in names), policy=policy)[0], names


def observed(name: str, what: f.Observed, seconds: float) -> f.RegistrationObserved:
    """One look at GitHub."""
    return f.RegistrationObserved(name=Name(name), asked_at=at(seconds), observed=what, id=7)


def online(world: World, names: list[Name], seconds: float, policy: Policy = POLICY) -> World:
    """GitHub sees the runners idle."""
    return turn(world, *(observed(name, f.Observed.IDLE, seconds) for name in names), seconds=seconds, policy=policy)[0]


def served(policy: Policy = POLICY, ended: float = 100.0) -> tuple[World, str]:
    """A world with one idle runner whose job has ended."""
    world, (name,) = up(1, policy)
    world, _ = turn(world, job(1, JobState.RUNNING, runner=Name(name), seconds=20), seconds=20, policy=policy)
    world, _ = turn(world, job(1, JobState.DONE, runner=Name(name), seconds=ended), seconds=ended, policy=policy)
    return world, name


def answered(world: World, command: Command, answer: f.Observed, now: float) -> list[f.Fact]:
    """What a world in which nothing changes would say; GitHub gives the same answer about every runner."""
    alive = [runner for runner in world.runners.values() if runner.cloud is Cloud.UP]
    match command:
        case ObserveRunner():
            return [observed(command.name, answer, now)]
        case DeleteRunner():
            return [f.DeleteAccepted(name=command.name, gone=True)]
        case ListServices():
            services = tuple(
                f.ServiceSeen(id=r.service_id, name=r.name, status="HEALTHY", created_at=at(0), deletes_at=r.deletes_at)
                for r in alive
            )
            return [f.ServicesListed(asked_at=at(now), services=services)]
        case ListRegistrations():
            absent = answer is f.Observed.ABSENT
            seen = tuple(f.RegistrationSeen(name=r.name, id=7, observed=answer) for r in alive if not absent)
            return [f.RegistrationsListed(scope=command.scope, asked_at=at(now), runners=seen)]
        case CheckJob():
            return [f.JobUnanswered(id=command.id, message="not asked here")]
        case ProtectRunner():
            return [f.Protected(name=command.name, deletes_at=command.deletes_at)]
        case _:
            return []


def run(
    world: World, until: float, *, begin: float, answer: f.Observed, policy: Policy = POLICY
) -> list[tuple[float, Command]]:
    """Go from deadline to deadline; gives what was asked for and when."""
    asked: list[tuple[float, Command]] = []
    now = begin
    facts: list[f.Fact] = []
    while now <= until:
        world, commands = turn(told(world), *facts, seconds=now, policy=policy)
        asked += [(now, command) for command in commands]
        facts = [fact for command in commands for fact in answered(world, command, answer, now)]
        if not facts:
            now = next_deadline(world, at(now), policy) - at(0)
    return asked


def test_nothing_is_decided_before_koyeb_was_listed() -> None:
    """A start with a queued job asks for the list of services and for nothing else."""
    world, commands = turn(World(), job(1))
    assert [type(command) for command in commands] == [ListServices]
    assert world.runners == {}


def test_a_queued_job_starts_one_runner_however_often_it_is_heard_of() -> None:
    """Redeliveries, doubled and late, never buy a second runner."""
    world, commands = turn(swept(), job(1), job(1))
    assert len(only(commands, CreateRunner)) == 1
    for seconds in (1.0, 30.0, 59.0):
        world, commands = turn(world, job(1), seconds=seconds)
        assert only(commands, CreateRunner) == []


def test_twenty_jobs_start_as_many_runners_as_a_pool_may_have() -> None:
    """Sixteen are started; the other four jobs say that the pool is full."""
    policy = replace(POLICY, max_total=100)
    world, commands = turn(swept(policy), *(job(n) for n in range(1, 21)), policy=policy)
    assert len(only(commands, CreateRunner)) == 16
    assert [row.reason for row in world.jobs.values()].count(Reason.MAX_PER_POOL) == 4


@pytest.mark.parametrize(
    ("limit", "reason", "started"),
    [
        ({"max_per_pool": 4}, Reason.MAX_PER_POOL, 4),
        ({"max_total": 3}, Reason.MAX_TOTAL, 3),
        ({"creates_per_hour": 2}, Reason.CREATES_PER_HOUR, 2),
        ({"max_hourly_cost": 0.035}, Reason.MAX_HOURLY_COST, 3),
    ],
)
def test_every_ceiling_holds_and_names_itself(limit: dict[str, Any], reason: Reason, started: int) -> None:
    """Places in a pool and in all, creates and money an hour: each stops jobs' and operators' runners, and is named."""
    policy = replace(POLICY, **limit)
    world, commands = turn(swept(policy), *(job(n) for n in range(1, 6)), policy=policy)
    assert len(only(commands, CreateRunner)) == started
    assert {row.reason for row in world.jobs.values() if row.reason} == {reason}
    order = start(world, StartBody(label="koyeb-fra-small", scope="acme/api"), "ana", at(1), policy)
    assert isinstance(order, Refusal)
    assert (order.status, order.code) == (409, reason.value)


def test_two_repositories_get_runners_of_their_own() -> None:
    """In repository mode a label means another pool in each repository."""
    _, commands = turn(swept(), job(1), job(2, repo="acme/web"))
    assert sorted(command.scope for command in only(commands, CreateRunner)) == ["acme/api", "acme/web"]


def test_an_organization_shares_its_runners() -> None:
    """In organization mode an idle runner serves the jobs of any repository of the owner."""
    from krs.core.vocabulary import Mode

    policy = replace(POLICY, mode=Mode.ORGANIZATION)
    _, commands = turn(swept(policy), job(1), job(2, repo="acme/web"), policy=policy)
    assert {command.scope for command in only(commands, CreateRunner)} == {"acme"}


def test_an_idle_runner_with_more_labels_covers_a_job_that_asks_for_fewer() -> None:
    """Supply is counted by subset of labels, so no second machine is bought."""
    world, (name,) = up(1, labels=("koyeb-fra-small", "linux"))
    world = online(world, [name], 10)
    world, _ = turn(world, job(1, JobState.DONE, seconds=11), seconds=11)
    _, commands = turn(world, job(2, labels=("koyeb-fra-small",), seconds=12), seconds=12)
    assert only(commands, CreateRunner) == []


def test_a_job_cancelled_before_its_runner_was_bought_costs_nothing() -> None:
    """A planned runner that nobody needs any more is forgotten, not created."""
    policy = replace(POLICY, creates_per_hour=1)
    world, commands = turn(swept(policy), job(1), policy=policy)
    (create,) = only(commands, CreateRunner)
    failed = f.CreateFailed(name=create.name, reason=Reason.UNREACHED, message="no")
    world, _ = turn(world, failed, seconds=1, policy=policy)
    world, commands = turn(world, job(1, JobState.DONE, seconds=2), seconds=2, policy=policy)
    assert only(commands, CreateRunner) == []
    assert all(not runner.wanted for runner in world.runners.values())


@pytest.mark.parametrize(
    "labels", [("koyeb-fra-gigantic",), ("koyeb-xyz-small",), ("koyeb-fra-small", "gpu"), ("koyeb-fra-free",)]
)
def test_a_job_that_cannot_be_placed_is_visible_and_calls_nobody(labels: tuple[str, ...]) -> None:
    """One state, one reason, one event; no runner."""
    world, commands = turn(swept(), job(1, labels=labels))
    assert only(commands, CreateRunner) == []
    assert world.jobs[1].reason is not None  # type: ignore[index]
    assert [event.kind for event in world.news].count(EventKind.JOB_UNPLACEABLE) == 1


def test_jobs_of_others_leave_no_trace() -> None:
    """GitHub-hosted jobs are not remembered."""
    world, _ = turn(swept(), job(1, labels=("ubuntu-latest",)), job(2, JobState.DONE, labels=()))
    assert world.jobs == {}


def test_a_completed_job_never_seen_before_changes_no_count() -> None:
    """Check runs pose as jobs: an unknown `completed` neither frees nor takes a runner."""
    world, names = up(1)
    after, commands = turn(world, job(99, JobState.DONE, seconds=5), seconds=5)
    assert set(after.runners) == set(names)
    assert only(commands, CreateRunner) == only(commands, DeleteRunner) == []


def test_waiting_for_an_approval_starts_nothing_until_it_is_queued_again() -> None:
    """queued, waiting, queued in any order of arrival ends queued, by the time of each event."""
    first, waiting, again = job(1), job(1, JobState.WAITING, seconds=5), job(1, seconds=9)
    world, _ = turn(swept(), waiting, seconds=5)
    assert world.runners == {}
    for order in ((first, waiting, again), (again, waiting, first), (waiting, again, first)):
        assert fold(swept(), *order, seconds=10).jobs[1].state is JobState.QUEUED  # type: ignore[index]


def test_an_idle_runner_expires_after_its_ttl_and_a_fresh_look_at_github() -> None:
    """Two hours after its job ended, once GitHub has been asked again, it is deregistered and deleted."""
    world, name = served()
    asked = run(world, 9000, begin=101, answer=f.Observed.IDLE)
    looks = [when for when, command in asked if isinstance(command, ObserveRunner)]
    ((when, delete),) = [(when, command) for when, command in asked if isinstance(command, DeleteRunner)]
    assert delete.name == name
    assert delete.deregister
    assert 7300 <= when <= 7302
    assert looks[-1] >= 7300


def test_two_looks_must_be_far_apart_even_when_the_ttl_is_short() -> None:
    """With a ttl of a minute the second look still comes 90 s after the first, and the deletion after that."""
    policy = replace(POLICY, ttl=60.0)
    world, name = served(policy)
    world, _ = turn(world, observed(name, f.Observed.IDLE, 101), seconds=101, policy=policy)
    asked = run(world, 400, begin=102, answer=f.Observed.IDLE, policy=policy)
    (end,) = [when for when, command in asked if isinstance(command, DeleteRunner)]
    assert 101 + policy.idle_confirm <= end <= 195


def test_a_runner_that_github_says_is_busy_never_expires() -> None:
    """GitHub's word `busy` keeps it, though our own table knows no job."""
    world, _ = served()
    asked = run(world, 40_000, begin=101, answer=f.Observed.BUSY)
    assert [command for _, command in asked if isinstance(command, DeleteRunner)] == []


def test_a_busy_runner_is_kept_whatever_github_says() -> None:
    """Our own table of running jobs vetoes: GitHub may say idle for hours."""
    world, (name,) = up(1)
    world, _ = turn(world, job(1, JobState.RUNNING, runner=Name(name), seconds=20), seconds=20)
    asked = run(world, 80_000, begin=21, answer=f.Observed.IDLE)
    assert [command for _, command in asked if isinstance(command, DeleteRunner)] == []
    assert any(isinstance(command, CheckJob) for _, command in asked)
    assert any(isinstance(command, ProtectRunner) for _, command in asked)


def test_of_several_idle_runners_all_but_one_go_early() -> None:
    """The surplus ends after five minutes, the oldest idle first; one stays for the full ttl."""
    world, names = up(3)
    for number, name in enumerate(names, 1):
        running = job(number, JobState.RUNNING, runner=Name(name), seconds=20)
        world, _ = turn(world, running, seconds=20)
        world, _ = turn(world, job(number, JobState.DONE, runner=Name(name), seconds=30 + number), seconds=30 + number)
    asked = run(world, 9000, begin=40, answer=f.Observed.IDLE)
    deletes = {command.name: when for when, command in asked if isinstance(command, DeleteRunner)}
    assert 330 <= deletes[names[0]] <= 335
    assert 330 <= deletes[names[1]] <= 335
    assert deletes[names[2]] >= 7200


def test_an_idle_runner_makes_room_for_a_job_that_finds_all_places_taken() -> None:
    """When everything is full, the longest idle runner of another pool goes as soon as it is surely idle."""
    policy = replace(POLICY, max_total=1)
    world, name = served(policy)
    world, commands = turn(world, job(2, repo="acme/web", seconds=110), seconds=110, policy=policy)
    assert only(commands, CreateRunner) == []
    asked = run(world, 400, begin=111, answer=f.Observed.IDLE, policy=policy)
    ((gone, delete),) = [(when, command) for when, command in asked if isinstance(command, DeleteRunner)]
    come = min(when for when, command in asked if isinstance(command, CreateRunner))
    assert delete.name == name
    assert 190 <= gone <= come <= 300


def test_a_hold_postpones_the_end_and_activity_does_not_shorten_it() -> None:
    """Extended by an operator, a runner stays until then, also when a job comes and goes."""
    world, name = served()
    until = at(20_000)
    world, _ = turn(world, f.ExtendAsked(name=Name(name), until=until, by="ana"), seconds=200)
    asked = run(world, 30_000, begin=201, answer=f.Observed.IDLE)
    assert min(when for when, command in asked if isinstance(command, DeleteRunner)) >= 20_000


def test_a_runner_that_never_comes_online_fails_and_five_trip_the_pool() -> None:
    """Ten minutes after creation it is deleted; after five in a row no more is started for half an hour."""
    policy = replace(POLICY, trip_after=2)
    world, names = up(2, policy)
    world, _ = turn(world, *(observed(name, f.Observed.ABSENT, 601) for name in names), seconds=601, policy=policy)
    assert {state_of(world.runners[Name(name)]) for name in names} == {RunnerState.FAILED}
    (pool,) = world.pools.values()
    assert pool.tripped_until == at(601 + 1800)
    assert {row.reason for row in world.jobs.values()} == {Reason.TRIPPED}
    resumed, commands = turn(told(world), f.ResumeAsked(pool=pool.id, by="ana"), seconds=602, policy=policy)
    assert len(only(commands, CreateRunner)) == 2
    assert resumed.pools[pool.id].tripped_until is None


def test_without_an_answer_of_github_nothing_fails_for_not_being_online() -> None:
    """An error is not an answer: an unreachable GitHub deletes no runner that may well be working."""
    world, (name,) = up(1)
    failed = f.GithubFailed(scope=SCOPE, message="no route")
    world, commands = turn(world, failed, seconds=700)
    assert world.runners[Name(name)].wanted
    assert only(commands, DeleteRunner) == []


def test_a_refusal_by_github_keeps_the_runner_until_its_job_ends() -> None:
    """422 is the fact `busy`: the runner stays, marked to go, and no second delete is sent at once."""
    world, name = served()
    world, _ = turn(world, f.KillAsked(name=Name(name), by="ana"), seconds=110)
    busy = f.DeleteFailed(name=Name(name), reason=Reason.BUSY, message="busy", stage="github")
    world, commands = turn(world, busy, seconds=111)
    assert only(commands, DeleteRunner) == []
    assert state_of(world.runners[Name(name)]) is RunnerState.DRAINING


def test_absence_from_one_list_proves_nothing() -> None:
    """A service that one list omits is not given up; only a direct answer ends it."""
    world, (name,) = up(1)
    for seconds in (60, 120):
        world, _ = turn(world, f.ServicesListed(asked_at=at(seconds), services=()), seconds=seconds)
        assert world.runners[Name(name)].wanted
    world, _ = turn(world, f.ServiceFound(name=Name(name), asked_at=at(121), service=None), seconds=121)
    assert state_of(world.runners[Name(name)]) is RunnerState.GONE


def test_a_list_asked_for_before_a_create_does_not_refute_it() -> None:
    """Facts are compared by the instant they were asked for, not by when they arrive."""
    world, names = up(1)
    world, _ = turn(world, f.ServicesListed(asked_at=at(-5), services=()), seconds=3)
    assert world.runners[Name(names[0])].misses == 0


def test_services_of_others_are_shown_and_left_alone() -> None:
    """A service that is not ours appears as foreign; no command ever names it."""
    stranger = f.ServiceSeen(id="x", name=Name("database"), status="HEALTHY", created_at=at(0))
    world, commands = turn(World(), f.ServicesListed(asked_at=at(0), services=(stranger,)))
    assert [service.name for service in world.foreign.values()] == ["database"]
    assert world.runners == {}
    assert only(commands, DeleteRunner) == []


def test_a_runner_found_at_koyeb_is_adopted_and_counts_as_supply() -> None:
    """With a fresh disk the runner that exists serves the job; no second one is started."""
    service = f.ServiceSeen(id="s", name=Name("runner-fra-small-z"), status="HEALTHY", created_at=at(-60))
    found = f.Adoptable(service=service, scope=SCOPE, labels=("koyeb-fra-small",))
    listed = f.ServicesListed(asked_at=at(0), services=(service,), adoptable=(found,))
    world, commands = turn(World(), listed, job(1))
    assert list(world.runners) == ["runner-fra-small-z"]
    assert only(commands, CreateRunner) == []


def test_a_quota_refusal_blocks_the_pool_and_is_tried_again_slowly_with_one() -> None:
    """The job shows why; after five minutes a single runner is tried, not all."""
    world, commands = turn(swept(), job(1), job(2), job(3))
    creates = only(commands, CreateRunner)
    refused = [f.CreateFailed(name=c.name, reason=Reason.QUOTA, message="due to your quota") for c in creates]
    world, commands = turn(world, *refused, seconds=1)
    assert only(commands, CreateRunner) == []
    assert {row.reason for row in world.jobs.values()} == {Reason.QUOTA}
    _, commands = turn(world, seconds=302)
    assert len(only(commands, CreateRunner)) == 1


def test_a_lost_answer_is_asked_for_by_the_same_name() -> None:
    """After an ambiguous create the same name is looked up and made again, never another."""
    world, commands = turn(swept(), job(1))
    (first,) = only(commands, CreateRunner)
    world, commands = turn(world, seconds=61)
    (second,) = only(commands, CreateRunner)
    assert (second.name, second.retry, first.retry) == (first.name, True, False)


def test_warm_spares_are_kept_and_not_churned() -> None:
    """min_idle keeps one idle runner for ever, beyond its ttl, until its maximum age."""
    policy = replace(POLICY, min_idle=1)
    world, _ = up(2, policy)
    assert len(world.runners) == 3
    world, _ = turn(
        world, job(1, JobState.DONE, seconds=50), job(2, JobState.DONE, seconds=50), seconds=50, policy=policy
    )
    asked = run(world, 30_000, begin=101, answer=f.Observed.IDLE, policy=policy)
    assert len([command for _, command in asked if isinstance(command, DeleteRunner)]) == 2
    assert [command for _, command in asked if isinstance(command, CreateRunner)] == []


def test_an_ephemeral_runner_ends_with_its_job_after_a_linger() -> None:
    """One job, thirty seconds, gone."""
    policy = replace(POLICY, lifecycle=Lifecycle.EPHEMERAL)
    world, name = served(policy)
    assert not world.runners[Name(name)].wanted
    asked = run(world, 400, begin=101, answer=f.Observed.ABSENT, policy=policy)
    (when,) = [when for when, command in asked if isinstance(command, DeleteRunner)]
    assert 130 <= when <= 131


def test_a_pool_has_the_terms_of_the_first_rule_that_matches() -> None:
    """Label and repository patterns choose lifecycle, ttl and maximum."""
    rules = (PoolRule(label="koyeb-fra-*", repository="acme/*", maximum=1), PoolRule(maximum=9))
    policy = replace(POLICY, rules=rules)
    _, commands = turn(swept(policy), job(1), job(2), policy=policy)
    assert len(only(commands, CreateRunner)) == 1


@pytest.mark.parametrize(
    ("fields", "repo", "refused"),
    [
        ({"deny": ("acme/*",)}, "acme/api", True),
        ({"allow": ("other/*",)}, "acme/api", True),
        ({"allow": ("ACME/*",)}, "acme/api", False),
        ({"deny": ("Acme/A*",)}, "ACME/api", True),
        ({"public_repositories": PublicRepositories.DENY}, "acme/api", True),
        ({"public_repositories": PublicRepositories.WARN}, "acme/api", False),
    ],
)
def test_who_may_use_runners_is_a_matter_of_patterns(fields: dict[str, Any], repo: str, refused: bool) -> None:
    """Denied repositories get no runner and their jobs say so."""
    policy = replace(POLICY, **fields)
    world, commands = turn(swept(policy), job(1, repo=repo, outside=True), policy=policy)
    assert (only(commands, CreateRunner) == []) is refused
    assert (world.jobs[1].reason is not None) is refused  # type: ignore[index]


def test_a_killed_job_is_noticed() -> None:
    """A job cut off while we deleted its runner is counted, whoever asked for it."""
    world, (name,) = up(1)
    world, _ = turn(world, job(1, JobState.RUNNING, runner=Name(name), seconds=20), seconds=20)
    world, commands = turn(world, f.KillAsked(name=Name(name), force=True, by="ana"), seconds=30)
    (delete,) = only(commands, DeleteRunner)
    assert delete.force
    cut = job(1, JobState.DONE, runner=Name(name), seconds=31, conclusion="cancelled", killed=True)
    world, _ = turn(told(world), cut, seconds=32)
    assert EventKind.JOB_KILLED in [event.kind for event in world.news]


def test_actions_are_checked_on_the_world_as_it_is() -> None:
    """A stale version, a busy runner, an unknown name and a bad value are refused with a code; a good one is not."""
    world, (name,) = up(1)
    world, _ = turn(world, job(1, JobState.RUNNING, runner=Name(name), seconds=20), seconds=20)
    version = world.runners[Name(name)].version
    cases: list[tuple[object, str]] = [
        (kill(world, name, KillBody(), "ana"), "busy"),
        (kill(world, name, KillBody(force=True, version=version - 1), "ana"), "stale"),
        (find(world, name[:-1] + "x"), "unknown_runner"),
        (extend(world, name, ExtendBody(minutes=-5), "ana", at(0), POLICY), "bad_value"),
        (extend(world, name, ExtendBody(minutes=1e9), "ana", at(0), POLICY), "bad_value"),
        (extend(world, name, ExtendBody(), "ana", at(0), POLICY), "bad_value"),
        (start(world, StartBody(label="koyeb-fra-gigantic", scope="acme/api"), "ana", at(0), POLICY), "bad_label"),
        (start(world, StartBody(label="koyeb-fra-small", scope="acme"), "ana", at(0), POLICY), "bad_scope"),
    ]
    assert [answer.code for answer, _ in cases if isinstance(answer, Refusal)] == [code for _, code in cases]
    unknown = find(world, name[:-1] + "x")
    assert isinstance(unknown, Refusal)
    assert name in unknown.hint
    assert isinstance(kill(world, name, KillBody(force=True, version=version), "ana"), f.KillAsked)


def test_a_drain_can_be_taken_back_and_is_no_supply() -> None:
    """A draining runner serves no new demand; cancelled, it does again."""
    world, name = served()
    world, commands = turn(world, f.DrainAsked(name=Name(name), by="ana"), job(2, seconds=120), seconds=120)
    assert len(only(commands, CreateRunner)) == 1
    back, _ = turn(world, f.DrainAsked(name=Name(name), by="ana", cancel=True), seconds=121)
    runner: Runner = back.runners[Name(name)]
    assert (runner.draining, runner.wanted) == (False, True)


def test_every_fact_absorbed_twice_changes_nothing_more() -> None:
    """Idempotence: the second time gives the same world and no further news."""
    world, name = served()
    for fact in (
        job(1, JobState.DONE, runner=Name(name), seconds=100),
        job(5, seconds=110),
        observed(name, f.Observed.IDLE, 115),
        f.KillAsked(name=Name(name), by="ana"),
        f.DeleteAccepted(name=Name(name)),
        f.JobGone(id=world.jobs[1].id),  # type: ignore[index]
    ):
        once = told(fold(world, fact, seconds=120))
        twice = fold(once, fact, seconds=120)
        assert (twice.jobs, twice.runners, twice.pools) == (once.jobs, once.runners, once.pools), fact
        world = once
