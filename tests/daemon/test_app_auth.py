"""The daemon as a GitHub App, in both modes, against a GitHub that lets an App do only what its tokens allow."""

from typing import Any

import pytest
from msgspec.structs import replace

from krs.config.settings import Github, Settings
from krs.core.vocabulary import EventKind, Lifecycle, Mode
from krs.daemon import Daemon, StartError
from krs.secret import Secret
from tests.daemon.conftest import House
from tests.github.keys import rsa_key

SMALL = ("koyeb-fra-small",)


def as_app(house: House, **fields: Any) -> Settings:
    """The daemon's settings with an App instead of the token."""
    github = Github(app_id="1", private_key=Secret(rsa_key()), api_url=house.simulation.github_url)
    return replace(house.settings(), github=replace(github, **fields))


async def up(house: House, settings: Settings) -> None:
    """Start a daemon with these settings, and deliver to it."""
    house.daemon = Daemon(settings, clock=house.simulation.agenda.clock)
    await house.daemon.start()
    house.simulation.deliveries.point_at(f"http://127.0.0.1:{house.daemon.port}/")


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("lifecycle", Lifecycle)
async def test_an_app_serves_jobs_in_both_modes(house: House, mode: Mode, lifecycle: Lifecycle) -> None:
    """Runners register, serve, and are deregistered, with tokens that may do one thing each."""
    app = house.simulation.add_app("1", rsa_key())
    house.runners = replace(house.runners, lifecycle=lifecycle)
    await up(house, as_app(house, mode=mode))
    for name in ("api", "web", "api"):
        house.simulation.queue(f"acme/{name}", SMALL, seconds=30)
    await house.until(lambda: house.simulation.stats()["served"] == 3)
    await house.until(lambda: not house.simulation.cloud.alive())
    assert (house.simulation.stats()["killed"], house.simulation.stats()["registrations"]) == (0, 0)
    assert {len(grant.permissions) for grant in app.grants.values()} == {1}
    assert all((grant.repositories is None) is (mode is Mode.ORGANIZATION) for grant in _runner_grants(app))
    assert await house.journal(EventKind.GITHUB_DENIED) == []


def _runner_grants(app: Any) -> list[Any]:
    return [grant for grant in app.grants.values() if "actions" not in grant.permissions]


async def test_a_key_of_another_app_is_refused_at_the_start(house: House) -> None:
    """One line that names both settings and the clock."""
    house.simulation.add_app("2", rsa_key())
    with pytest.raises(StartError, match=r"GitHub refuses the App: .*: check github.app_id, github.private_key and"):
        await up(house, as_app(house))
    del house.daemon


async def test_where_the_app_is_not_installed_the_operator_is_told(house: House) -> None:
    """The job waits, and an event says where to install it; once installed, it is served."""
    app = house.simulation.add_app("1", rsa_key())
    app.remove("acme")
    await up(house, as_app(house))
    house.simulation.queue("acme/api", SMALL, seconds=30)
    failed: list[str] = []

    def told() -> bool:
        failed[:] = [pool.blocked_message for pool in house.daemon.scheduler.snapshot().pools]
        return any("install the App for acme/api" in text for text in failed)

    await house.until(told)
    app.install("acme")
    await house.until(lambda: house.simulation.stats()["served"] == 1)


async def test_a_permission_that_the_app_lacks_is_named_to_the_operator(house: House) -> None:
    """As GitHub names it."""
    app = house.simulation.add_app("1", rsa_key())
    app.permissions["administration"] = "read"
    await up(house, as_app(house))
    house.simulation.queue("acme/api", SMALL, seconds=30)
    await house.until(
        lambda: any(
            "needs administration=write" in pool.blocked_message for pool in house.daemon.scheduler.snapshot().pools
        )
    )
