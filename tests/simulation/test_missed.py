"""An hour in which nobody listens to GitHub loses no job, by whichever way krs may ask for what it missed."""

import asyncio
import logging
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from krs.config.settings import Github, Runners
from krs.core.vocabulary import EventKind
from krs.daemon.orders import PACE
from krs.secret import Secret
from krs.sim.moods import Moods
from krs.sim.world import SECRET
from tests.github.keys import rsa_key
from tests.simulation.installation import Installation, installed
from tests.simulation.virtual import run

REPOSITORIES = 4
RUNNERS = Runners(ttl=600.0, surplus_ttl=120.0)
HOOKS, RUNS = "repository_hooks", "actions"


async def gap(house: Installation, *, jobs: int = 16, hours: float = 1.0) -> None:
    """Have jobs served in each repository, so that it is known; then be dead for a while in which others come."""
    await house.work(REPOSITORIES, hours=0.5)
    await house.kill()
    await house.work(jobs, hours)
    await house.up()


def redeliveries(house: Installation) -> Counter[str]:
    """How often each event was sent again."""
    hooks = [hook for letter in "abcd" for hook in house.simulation.forge.hooks.of(f"acme/{letter}")]
    return Counter(row.guid for hook in hooks for row in hook.log.values() if row.redelivery)


@pytest.mark.parametrize("lacks", [set(), {HOOKS}, {RUNS}], ids=["both", "runs", "redelivery"])
def test_an_hour_of_downtime_loses_no_job(tmp_path: Path, lacks: set[str]) -> None:
    """Sixteen jobs are queued, begun and partly ended while krs is dead: all are served, none cut off, nothing left."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=RUNNERS) as house:
            house.simulation.forge.lacks = lacks
            await gap(house)
            await house.until(house.quiet)
            stats = house.simulation.stats()
            assert (stats["served"], stats["killed"]) == (REPOSITORIES + 16, 0)
            assert bool(redeliveries(house)) is (HOOKS not in lacks)

    run(scenario)


def test_what_krs_may_not_ask_for_it_says_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With neither permission the jobs of the gap wait; those of before are served, and each lack is one warning."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=RUNNERS) as house:
            await house.work(REPOSITORIES, hours=0.5)
            before = house.simulation.queue("acme/a", ("koyeb-fra-2xlarge",), seconds=60.0)
            await asyncio.sleep(5.0)
            house.simulation.forge.lacks = {HOOKS, RUNS}
            await house.kill()
            during = house.simulation.queue("acme/a", ("koyeb-fra-xlarge",), seconds=60.0)
            await asyncio.sleep(3600.0)
            with caplog.at_level(logging.WARNING):
                await house.up()
                await house.until(lambda: before.status == "completed")
                await asyncio.sleep(1800.0)
            assert during.status == "queued"
            warnings = house.daemon.scheduler.snapshot().warnings
            for permission in ("repository_hooks=read", "actions=read"):
                told = [text for text in warnings if permission in text]
                assert len(told) == REPOSITORIES
                assert [sum(record.getMessage() == text for record in caplog.records) for text in told] == [1] * 4
            house.simulation.forge.lacks = set()
            await house.until(lambda: during.status == "completed")
            assert not house.daemon.scheduler.snapshot().warnings

    run(scenario)


def test_each_delivery_is_sent_again_once_and_slowly(tmp_path: Path) -> None:
    """Through two more deaths: the marks are on disk; the journal and the metrics count what was asked for."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=RUNNERS) as house:
            house.simulation.forge.lacks = {RUNS}
            await gap(house)
            metrics = house.daemon._metrics
            await house.until(house.quiet)
            for _ in range(2):
                await house.kill()
                await house.up()
                await asyncio.sleep(900.0)
            again = redeliveries(house)
            assert set(again.values()) == {1}
            orders = [call for call in house.wire.calls if call[2].endswith("/attempts")]
            assert len(orders) == len(again) > 16
            assert f'krs_redeliveries_total{{outcome="asked"}} {len(again)}.0' in metrics.render().decode()
            page = await house.daemon.scheduler.events(0, frozenset({EventKind.DELIVERY_REDELIVERED}), 100, None)
            assert sum(int(event.message.split()[0]) for event in page.events) == len(again)
            assert {event.repo for event in page.events} == {"acme/a", "acme/b", "acme/c", "acme/d"}
            hooks = [hook for letter in "abcd" for hook in house.simulation.forge.hooks.of(f"acme/{letter}")]
            times = sorted(row.at for hook in hooks for row in hook.log.values() if row.redelivery)
            assert min(later - earlier for earlier, later in pairwise(times)) > PACE * 0.99

    run(scenario)


def test_the_end_of_a_job_comes_before_its_beginning(tmp_path: Path) -> None:
    """Jobs that ran on an idle runner while krs was dead start no other one when their deliveries come late."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=Runners()) as house:
            house.simulation.forge.lacks = {RUNS}
            await house.work(1, hours=0.5)
            await house.kill()
            for _ in range(5):
                house.simulation.queue("acme/a", ("koyeb-fra-small",), seconds=60.0)
            await asyncio.sleep(1200.0)
            await house.up()
            await house.until(house.quiet)
            stats = house.simulation.stats()
            assert (stats["served"], stats["services_created"]) == (6, 1)

    run(scenario)


@pytest.mark.parametrize("org", [False, True], ids=["repositories", "organization"])
def test_a_daemon_that_cannot_be_reached_wastes_no_order(tmp_path: Path, org: bool) -> None:
    """It is up and nothing reaches it: a ping is tried first, what failed waits, and the operator is told so."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=RUNNERS) as house:
            forge = house.simulation.forge
            forge.lacks = {RUNS}
            if org:
                house.simulation.deliveries.point_at("")
                config = {"url": "http://daemon.test/", "secret": SECRET, "content_type": "json"}
                forge.hooks.create("acme", config, ("workflow_job",), active=True)
            await house.work(REPOSITORIES, hours=0.5)
            house.simulation.set_moods(Moods(webhook_failed=1.0))
            await house.work(12, hours=1.0)
            assert any("nothing comes in from hook" in text for text in house.daemon.scheduler.snapshot().warnings)
            assert not [call for call in house.wire.calls if call[2].endswith("/attempts")]
            house.simulation.set_moods(Moods(github_answer_lost=0.2))
            await house.until(house.quiet)
            assert house.simulation.stats()["served"] == REPOSITORIES + 12
            assert not any("nothing comes in" in text for text in house.daemon.scheduler.snapshot().warnings)

    run(scenario)


def test_an_apps_hook_is_mended_with_the_apps_own_word(tmp_path: Path) -> None:
    """No permission is needed; one delivery has to come in before the others are asked for, and none is wasted."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=RUNNERS) as house:
            forge = house.simulation.forge
            app = house.simulation.add_app("1", rsa_key())
            app.permissions.pop("actions")
            house.simulation.deliveries.point_at("")
            forge.hooks.app.config |= {"url": "http://daemon.test/", "secret": SECRET}
            as_app = Github(app_id="1", private_key=Secret(rsa_key()), api_url="http://github.test")
            house.adjust = lambda settings: replace(settings, github=as_app)
            await house.kill()
            house.simulation.set_moods(Moods(webhook_failed=1.0))
            await house.work(10, hours=0.5)
            await house.up()
            await asyncio.sleep(600.0)
            house.simulation.set_moods(Moods())
            await house.until(house.quiet)
            assert house.simulation.stats()["served"] == 10
            again = Counter(row.guid for row in forge.hooks.app.log.values() if row.redelivery and row.code == 202)
            assert len(again) == 10
            assert set(again.values()) == {1}

    run(scenario)


def test_a_lost_state_file_is_made_up_for_by_the_daemons_own_address(tmp_path: Path) -> None:
    """Nothing is known any more, nothing comes in: with `webhook.url` the hook is found where `github.allow` points."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=RUNNERS) as house:
            house.simulation.forge.lacks = {RUNS}
            await house.work(1, hours=0.5)
            await house.until(house.quiet)
            await house.kill()
            house.simulation.queue("acme/a", ("koyeb-fra-small",), seconds=60.0)
            await asyncio.sleep(3600.0)
            house.path = tmp_path / "fresh.db"
            house.adjust = lambda settings: replace(
                settings,
                webhook=replace(settings.webhook, url="http://daemon.test/webhook"),
                github=replace(settings.github, allow=("acme/a", "other/*")),
            )
            await house.up()
            await house.until(house.quiet)
            assert house.simulation.stats()["served"] == 2

    run(scenario)
