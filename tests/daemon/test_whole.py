"""The real daemon, store and clients against the simulated cloud: what a team relies on."""

import asyncio

import pytest

from krs.core.vocabulary import EventKind, Lifecycle, Reason, RunnerState
from krs.daemon import Daemon, StartError
from krs.sim.moods import Moods
from krs.store import StoreLocked
from tests.daemon.conftest import House
from tests.deliveries import delivery

SMALL = ("koyeb-fra-small",)


async def test_jobs_are_served_and_their_runners_end(house: House) -> None:
    """Jobs of two repositories queue, run and end; idle runners expire; nothing is left, nothing was killed."""
    await house.up()
    for number in range(6):
        house.simulation.queue(f"acme/{'api' if number % 2 else 'web'}", SMALL, seconds=30)
    await house.until(lambda: house.simulation.stats()["served"] == 6)
    await house.until(lambda: not house.simulation.cloud.alive())
    stats = house.simulation.stats()
    assert (stats["killed"], stats["registrations"]) == (0, 0)
    assert stats["services_created"] == stats["services_deleted"] >= 2
    reasons = {event.reason for event in await house.journal(EventKind.RUNNER_RETIRED)}
    assert reasons <= {Reason.EXPIRED, Reason.SURPLUS}


async def test_ephemeral_runners_serve_one_job_each(house: House) -> None:
    """As many runners as jobs, each deregistered and deleted after its job."""
    await house.up(lifecycle=Lifecycle.EPHEMERAL)
    for _ in range(5):
        house.simulation.queue("acme/api", SMALL, seconds=20)
    await house.until(lambda: house.simulation.stats()["served"] == 5)
    await house.until(lambda: not house.simulation.cloud.alive())
    stats = house.simulation.stats()
    assert (stats["services_created"], stats["killed"], stats["registrations"]) == (5, 0, 0)


async def test_a_restart_keeps_everything_and_creates_nothing(house: House) -> None:
    """The same runners, the same expiries, no second create, after the process is gone."""
    await house.up(ttl=7200.0)
    house.simulation.queue("acme/api", SMALL, seconds=20)
    await house.until(lambda: house.daemon.scheduler.snapshot().totals.idle == 1)
    before = house.daemon.scheduler.snapshot().runners[0]
    await house.daemon.stop()
    await house.up()
    await house.until(lambda: house.daemon.ready()[0])
    after = house.daemon.scheduler.snapshot().runners[0]
    assert (after.name, after.expires_at, after.idle_since) == (before.name, before.expires_at, before.idle_since)
    assert house.simulation.cloud.created == 1


async def test_with_a_fresh_disk_the_runners_are_adopted(house: House) -> None:
    """Names, environment and creation times at Koyeb rebuild the world; the busy runner is known to be busy."""
    await house.up(ttl=7200.0)
    house.simulation.queue("acme/api", SMALL, seconds=3000)
    await house.until(lambda: house.daemon.scheduler.snapshot().totals.busy == 1)
    await house.daemon.stop()
    house.path = house.path.with_name("fresh.db")
    await house.up()
    await house.until(lambda: [r.state for r in house.daemon.scheduler.snapshot().runners] == [RunnerState.BUSY])
    (adopted,) = house.daemon.scheduler.snapshot().runners
    assert (adopted.origin, adopted.scope, adopted.labels) == (Reason.ADOPTED, "acme/api", SMALL)
    assert house.simulation.cloud.created == 1


async def test_a_service_of_the_go_program_is_adopted_and_a_foreign_one_left_alone(house: House) -> None:
    """REPO_URL and RUNNER_LABELS say what it is; a service without them is shown and never touched."""
    cloud = house.simulation.cloud
    app_id = cloud.create_app("github-runner")
    definition = {"instance_types": [{"type": "small"}], "regions": ["fra"]}
    env = {"REPO_URL": "https://github.com/acme/api", "RUNNER_LABELS": "koyeb-fra-small", "GITHUB_TOKEN": "x"}
    rows = [{"key": key, "value": value} for key, value in env.items()]
    cloud.create_service({"app_id": app_id, "name": "runner-fra-small", "definition": {**definition, "env": rows}})
    cloud.create_service({"app_id": app_id, "name": "runner-of-others", "definition": {**definition, "env": []}})
    odd = [*rows[:2], {"key": "KRS_LIFECYCLE", "value": "of the future"}]
    cloud.create_service({"app_id": app_id, "name": "runner-odd", "definition": {**definition, "env": odd}})
    await house.up()
    await house.until(lambda: bool(house.daemon.scheduler.snapshot().runners))
    now = house.daemon.scheduler.snapshot()
    assert [runner.name for runner in now.runners] == ["runner-fra-small"]
    assert {service.name for service in now.foreign} == {"runner-of-others", "runner-odd"}


async def test_lost_answers_make_no_second_machine(house: House) -> None:
    """Koyeb and GitHub act and answer 5xx half of the time: one service a job, all gone in the end."""
    house.simulation.set_moods(Moods(koyeb_answer_lost=0.5, github_answer_lost=0.3))
    await house.up()
    for number in range(4):
        house.simulation.queue(f"acme/repo{number}", SMALL, seconds=20)
    await house.until(lambda: house.simulation.stats()["served"] == 4)
    assert house.simulation.cloud.created == 4
    house.simulation.set_moods(Moods())
    await house.until(lambda: not house.simulation.cloud.alive())
    assert house.simulation.stats()["killed"] == 0


async def test_lost_and_doubled_webhooks_leave_nothing_behind(house: House) -> None:
    """Of the jobs that krs heard of all are served; no runner outlives its time for want of a `completed`."""
    house.simulation.set_moods(Moods(webhook_lost=0.3, webhook_doubled=0.3))
    await house.up()
    for _ in range(10):
        house.simulation.queue("acme/api", SMALL, seconds=20)
    await house.until(lambda: house.simulation.stats()["served"] >= 3)
    await house.until(lambda: not house.simulation.cloud.alive())
    assert house.simulation.stats()["killed"] == 0


async def test_a_quota_is_shown_and_outlived(house: House) -> None:
    """With room for one service the second job says why it waits, and is served when the room is there."""
    house.simulation.set_moods(Moods(quota=1))
    await house.up()
    house.simulation.queue("acme/api", SMALL, seconds=60)
    house.simulation.queue("acme/web", SMALL, seconds=60)
    await house.until(lambda: any(j.reason is Reason.QUOTA for j in house.daemon.scheduler.snapshot().jobs))
    await house.until(lambda: house.simulation.stats()["served"] == 2)


async def test_when_koyeb_refuses_a_life_cycle_runners_start_without(house: House) -> None:
    """The safety net is not available to everybody; that is said once, and work goes on."""
    house.simulation.set_moods(Moods(life_cycle_refused=True))
    await house.up()
    house.simulation.queue("acme/api", SMALL, seconds=20)
    await house.until(lambda: house.simulation.stats()["served"] == 1)
    assert any("refuses to delete runners by itself" in text for text in house.daemon.scheduler.snapshot().warnings)


async def test_an_outage_of_both_apis_kills_nothing(house: House) -> None:
    """While Koyeb and GitHub are down a running job goes on; afterwards all is as before."""
    await house.up()
    house.simulation.queue("acme/api", SMALL, seconds=600)
    await house.until(lambda: house.simulation.stats()["running"] == 1)
    house.simulation.set_moods(Moods(koyeb_down=True, github_down=True))

    def lost() -> set[str]:
        return {u.name.partition(" ")[0] for u in house.daemon.scheduler.snapshot().upstreams if not u.ok}

    await house.until(lambda: lost() == {"koyeb", "github"})
    house.simulation.set_moods(Moods())
    await house.until(lambda: house.simulation.stats()["served"] == 1)
    assert house.simulation.stats()["killed"] == 0
    kinds = {event.kind for event in await house.journal(EventKind.KOYEB_LOST, EventKind.KOYEB_BACK)}
    assert kinds == {EventKind.KOYEB_LOST, EventKind.KOYEB_BACK}


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({}, delivery(), 202, "accepted"),
        ({}, delivery(labels=["ubuntu-latest"]), 202, "ignored"),
        ({"x_github_event": "push"}, b"{}", 202, "ignored"),
        ({"x_github_event": "ping"}, b'{"zen": "Speak like a human."}', 200, "pong"),
        ({"x_hub_signature_256": "sha256=00"}, delivery(), 401, "bad_signature"),
        ({"x_hub_signature_256": ""}, delivery(), 401, "bad_signature"),
        ({}, b"{", 400, "undecodable"),
        ({}, b"[]", 400, "undecodable"),
        ({"x_github_event": "ping"}, b'"text"', 400, "undecodable"),
        ({"content_type": "application/x-www-form-urlencoded"}, b"a=b", 400, "undecodable"),
        ({"content_type": "text/plain"}, delivery(), 415, "unsupported_type"),
        ({"x_github_event": "push"}, b'{"a":"' + b"x" * (5 * 2**20 - 8) + b'"}', 202, "ignored"),
        ({"x_github_event": "push"}, b'{"a":"' + b"x" * (5 * 2**20 - 7) + b'"}', 413, "too_large"),
        ({"x_github_event": "push"}, b"x" * (10 * 2**20), 413, "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_every_delivery_gets_its_documented_answer(
    house: House, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    """Status and code of good, bad, foreign and oversized deliveries."""
    await house.up()
    answer = await house.post(body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_redelivery_starts_no_second_runner(house: House) -> None:
    """The same delivery ten times, with one GUID and with others."""
    await house.up()
    for number in range(10):
        await house.post(delivery(), x_github_delivery=f"guid-{number % 3}")
    await house.until(lambda: house.simulation.cloud.created == 1)
    assert len(house.daemon.scheduler.snapshot().runners) == 1


async def test_health_readiness_and_metrics(house: House) -> None:
    """Alive at once, ready after the first sweep, and the numbers that an operator alerts on."""
    import httpx

    await house.up()
    await house.until(lambda: house.daemon.ready()[0])
    await house.post(delivery())
    await house.until(lambda: house.simulation.cloud.created == 1)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.daemon.port}") as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 200
        text = (await http.get("/metrics")).text
        missing = await http.get("/api/v1/state")
        wrong = await http.get("/")
    for line in (
        'krs_deliveries_total{outcome="accepted"} 1.0',
        "krs_killed_jobs_total 0.0",
        "krs_runners_started_total 1.0",
    ):
        assert line in text
    assert missing.status_code == 404
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


async def test_a_runners_log_is_read_and_followed(house: House) -> None:
    """The lines of before and those that come, from Koyeb's query and its WebSocket, none twice."""
    await house.up()
    house.simulation.queue("acme/api", SMALL, seconds=600, name="unit")
    await house.until(lambda: house.daemon.scheduler.snapshot().totals.busy == 1)
    (runner,) = house.daemon.scheduler.snapshot().runners
    past = [line.text async for line in house.daemon.scheduler.logs(runner.name, follow=False)]
    assert past == ["Listening for Jobs", "Running job: unit"]
    found = []
    lines = house.daemon.scheduler.logs(runner.name, follow=True)
    async for line in lines:
        found.append(line.text)
        if len(found) == 2:
            house.simulation.cloud.say(runner.service_id, "one more")
        if len(found) == 3:
            break
    await lines.aclose()  # type: ignore[attr-defined]
    assert found == [*past, "one more"]


async def test_a_refused_token_is_one_line_that_names_its_variable(house: House) -> None:
    """401 of either side at start ends it, and what was opened is closed again."""
    house.simulation.forge.token = "another"
    with pytest.raises(StartError, match=r"GitHub refuses the token: .*: check GITHUB_TOKEN"):
        await Daemon(house.settings()).start()
    house.simulation.forge.token = "simulated-github"
    await house.up()


async def test_a_second_daemon_on_the_same_file_is_refused(house: House) -> None:
    """One writer; the first one is not disturbed."""
    await house.up()
    with pytest.raises(StoreLocked):
        await Daemon(house.settings()).start()
    assert (await house.post(delivery())).status_code == 202


# Tornado leaves the socket that it could not bind to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_port_in_use_is_one_clear_line(house: House) -> None:
    """What, where, and which setting."""
    from krs.config.settings import Server

    await house.up()
    other = House(house.path.parent / "other")
    other.simulation = house.simulation
    from msgspec.structs import replace

    settings = replace(other.settings(), server=Server(host="127.0.0.1", port=house.daemon.port))
    with pytest.raises(StartError, match=r"cannot listen on 127.0.0.1:\d+: .*set server.port"):
        await Daemon(settings).start()


async def test_stopping_is_quick_and_is_journaled(house: House) -> None:
    """Under five seconds, also with calls under way."""
    house.simulation.set_moods(Moods(koyeb_latency=1.0))
    await house.up()
    await house.post(delivery())
    loop = asyncio.get_running_loop()
    began = loop.time()
    await house.daemon.stop()
    assert loop.time() - began < 5.0
    house.simulation.set_moods(Moods())
    await house.up()
    assert [event.kind for event in await house.journal(EventKind.DAEMON_STOPPED)] == [EventKind.DAEMON_STOPPED]
