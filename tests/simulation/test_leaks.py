"""What a runner's deployment shows, and what stays behind."""

import asyncio
from pathlib import Path

import pytest

from krs.config.settings import Runners
from krs.core.vocabulary import Credential, EventKind, Lifecycle
from krs.sim.world import GITHUB_TOKEN
from tests.simulation.installation import installed
from tests.simulation.virtual import run


@pytest.mark.parametrize("lifecycle", Lifecycle)
def test_no_deployment_holds_the_github_token(tmp_path: Path, lifecycle: Lifecycle) -> None:
    """What Koyeb was asked to run, read back, in both lifecycles with the credential that is their default."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=Runners(lifecycle=lifecycle)) as house:
            await house.work(4, hours=0.1)
            definitions = [service.definition for service in house.simulation.cloud.services.values()]
            assert definitions
            assert GITHUB_TOKEN not in str(definitions)

    run(scenario)


def test_the_opt_in_credential_does_and_says_so(tmp_path: Path) -> None:
    """With github-token every job can read it, which is why there is a standing warning."""

    async def scenario() -> None:
        runners = Runners(credential=Credential.GITHUB_TOKEN)
        async with installed(tmp_path, runners=runners) as house:
            await house.work(1, hours=0.1)
            assert GITHUB_TOKEN in str([service.definition for service in house.simulation.cloud.services.values()])
            assert any("github-token" in text for text in house.daemon.scheduler.snapshot().warnings)

    run(scenario)


def test_one_job_configurations_can_be_secrets(tmp_path: Path) -> None:
    """The definition names a secret and shows no configuration; with the runner goes its secret."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=Runners(lifecycle=Lifecycle.EPHEMERAL), jit_secrets=True) as house:
            await house.work(4, hours=0.1)
            cloud = house.simulation.cloud
            rows = [row for service in cloud.services.values() for row in service.definition["env"]]
            jits = [row for row in rows if row["key"] == "KRS_JIT_CONFIG"]
            assert len(jits) == 4
            assert all("value" not in row for row in jits)
            assert set() != set(cloud.secrets) <= {row["secret"] for row in jits}
            await house.until(house.quiet)
            assert house.simulation.stats()["served"] == 4
            assert cloud.secrets == {}

    run(scenario)


def test_secrets_left_behind_are_swept(tmp_path: Path) -> None:
    """One of ours without a runner goes within hours; those of others stay."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=Runners(lifecycle=Lifecycle.EPHEMERAL), jit_secrets=True) as house:
            house.simulation.queue("acme/a", ("koyeb-fra-small",), seconds=600.0)
            await asyncio.sleep(60.0)
            (ours,) = house.simulation.cloud.secrets
            left = ours.rpartition("runner-")[0] + "runner-fra-small-left"
            house.simulation.cloud.secrets |= {left: ("a", "blob"), "of-others": ("b", "x")}
            await house.until(lambda: set(house.simulation.cloud.secrets) == {"of-others"})

    run(scenario)


def test_registrations_left_by_an_outage_are_removed(tmp_path: Path) -> None:
    """A lost disk and an offline registration of ours: it goes; one of others, as offline, stays."""

    async def scenario() -> None:
        async with installed(tmp_path, runners=Runners()) as house:
            forge = house.simulation.forge
            for name, label in (("runner-fra-small-1z14azh", "koyeb-fra-small"), ("build-7", "linux")):
                assert forge.jit_config("acme/a", name, (label,)) is not None
            await house.work(1, hours=0.1)
            await house.until(lambda: [runner.name for runner in forge.runners.values()] == ["build-7"])
            page = await house.daemon.scheduler.events(0, frozenset({EventKind.REGISTRATION_REMOVED}), 10, None)
            assert len(page.events) == 1

    run(scenario)
