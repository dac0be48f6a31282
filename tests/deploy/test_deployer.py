"""The deployment against the simulated Koyeb, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from msgspec.structs import replace

from krs.config.settings import Koyeb, Settings
from krs.deploy.deployer import Deployer, Stopped
from krs.deploy.site import Found, Names, look
from krs.koyeb import KoyebClient
from krs.secret import Secret
from krs.sim.world import KOYEB_TOKEN, Simulation
from tests.deploy.test_wanted import SETTINGS
from tests.simulation.virtual import VirtualClock, run
from tests.simulation.wire import Wire

NAMES = Names(app="krs", service="krs", image="acme/krs:1")


class Bench:
    """The simulated Koyeb with a deployer of ours; `lines` are what it said."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.simulation = Simulation(clock=VirtualClock())
        koyeb, _ = self.simulation.applications()
        self.wire = Wire({"koyeb.test": koyeb})
        self.client = KoyebClient(token=KOYEB_TOKEN, api_url="http://koyeb.test", transport=self.wire)
        self.settings = replace(settings, koyeb=Koyeb(token=Secret(KOYEB_TOKEN), api_url="http://koyeb.test"))
        self.lines: list[str] = []

    def deployer(self, names: Names = NAMES) -> Deployer:
        """A run of the command."""
        return Deployer(self.client, self.settings, names, tell=self.lines.append, wait=asyncio.sleep)

    async def found(self) -> Found:
        """What is there."""
        return await look(self.client, NAMES)

    def writes(self) -> list[str]:
        """The calls so far that changed something."""
        return [f"{method} {path.split('/')[2]}" for _, method, path in self.wire.calls if method != "GET"]


def played(scene: Callable[[Bench], Awaitable[None]], settings: Settings = SETTINGS) -> None:
    """Play a scene to its end."""

    async def scenario() -> None:
        bench = Bench(settings)
        await scene(bench)
        await bench.client.aclose()
        await bench.simulation.stop()

    run(scenario)


def test_a_first_deployment_ends_healthy_with_references_only() -> None:
    """App, secrets, service, in this order; the container's environment was made of the secrets."""

    async def scene(bench: Bench) -> None:
        assert await bench.deployer().deploy()
        found = await bench.deployer().healthy()
        assert bench.writes() == ["POST apps", *["POST secrets"] * 4, "POST services"]
        assert found.url == "https://koyeb.test"
        (service,) = bench.simulation.cloud.alive()
        assert service.env["KRS_KOYEB_TOKEN"] == KOYEB_TOKEN
        assert KOYEB_TOKEN not in str(service.definition)
        async with httpx.AsyncClient(transport=bench.wire) as http:
            await bench.deployer().ready(http, found.url)
        assert bench.lines[-1] == "https://koyeb.test/readyz: ready"

    played(scene)


def test_run_again_it_changes_what_differs_and_no_more() -> None:
    """Nothing; then the type alone, without touching a secret; then a setting, with them."""

    async def scene(bench: Bench) -> None:
        await bench.deployer().deploy()
        await bench.deployer().healthy()
        before = len(bench.writes())
        again = replace(NAMES, image="")
        assert not await bench.deployer(again).deploy()
        assert bench.writes()[before:] == []
        assert await bench.deployer(replace(again, instance_type="nano")).deploy()
        assert bench.writes()[before:] == ["PUT services"]
        found = await bench.deployer().healthy()
        assert (found.image, found.instance_type) == ("acme/krs:1", "nano")
        bench.settings = replace(bench.settings, runners=replace(bench.settings.runners, max_total=5))
        assert await bench.deployer(again).deploy()
        assert set(bench.writes()[before + 1 :]) == {"POST secrets", "PUT secrets", "PUT services"}

    played(scene)


def test_without_an_image_nothing_is_made() -> None:
    """The line says what to do."""

    async def scene(bench: Bench) -> None:
        with pytest.raises(Stopped, match="--image"):
            await bench.deployer(replace(NAMES, image="")).deploy()
        assert bench.writes() == []

    played(scene)


def test_a_deployment_that_fails_is_told_with_koyebs_words() -> None:
    """Here the secrets are gone before the container starts."""

    async def scene(bench: Bench) -> None:
        await bench.deployer().deploy()
        bench.simulation.cloud.secrets.clear()
        with pytest.raises(Stopped, match="error: a secret that it refers to does not exist"):
            await bench.deployer().healthy()

    played(scene)


def test_a_daemon_that_is_never_ready_is_told_after_a_while() -> None:
    """With what it answered last."""

    async def scene(bench: Bench) -> None:
        await bench.deployer().deploy()
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(503, text="no"))) as http:
            with pytest.raises(Stopped, match="is not ready after 600 s: 503 no"):
                await bench.deployer().ready(http, "https://koyeb.test")

    played(scene)


def test_destroying_takes_all_of_it_and_nothing_else() -> None:
    """Service, secrets and its own app; another's secret and the runners' app stay."""

    async def scene(bench: Bench) -> None:
        cloud = bench.simulation.cloud
        await bench.client.ensure_app("github-runner")
        others = ("others", "krs-krs-staging-koyeb-token", "krs-krs-mine")
        cloud.secrets |= {name: (name, "x") for name in others}
        await bench.deployer().deploy()
        await bench.deployer().healthy()
        doomed = await bench.deployer().doomed(await bench.found())
        assert [line.split()[0] for line in doomed] == ["service", *["secret"] * 4, "app"]
        await bench.deployer().destroy(await bench.found())
        assert not cloud.alive() or cloud.alive()[0].status == "DELETING"
        assert set(cloud.secrets) == set(others)
        assert set(cloud.apps) == {"github-runner"}
        assert await bench.deployer().doomed(await bench.found()) == ()

    played(scene)


def test_runners_are_seen_before_anything_is_taken_away() -> None:
    """They are what makes `destroy` refuse."""

    async def scene(bench: Bench) -> None:
        app = await bench.client.ensure_app("github-runner")
        body = {"app_id": app.id, "name": "runner-fra-small-1", "definition": {"instance_types": [{"type": "small"}]}}
        bench.simulation.cloud.create_service(body)
        assert [service.name for service in await bench.deployer().runners()] == ["runner-fra-small-1"]

    played(scene)


def test_a_service_that_is_being_deleted_is_not_taken_for_one() -> None:
    """Right after `destroy` the line says to wait; nothing is changed."""

    async def scene(bench: Bench) -> None:
        await bench.deployer().deploy()
        await bench.deployer().healthy()
        found = await bench.found()
        assert found.service is not None
        await bench.client.delete_service(found.service.id)
        before = len(bench.writes())
        with pytest.raises(Stopped, match="just being deleted"):
            await bench.deployer().deploy()
        assert bench.writes()[before:] == []

    played(scene)


def test_the_old_deployment_is_not_taken_for_the_new_one() -> None:
    """While Koyeb still shows the one before, an update is not healthy yet."""

    async def scene(bench: Bench) -> None:
        await bench.deployer().deploy()
        await bench.deployer().healthy()
        (service,) = bench.simulation.cloud.alive()
        old = service.deployment_id
        deployer = bench.deployer(replace(NAMES, image="acme/krs:2"))
        await deployer.deploy()
        new, service.deployment_id, service.status = service.deployment_id, old, "HEALTHY"
        waiting = asyncio.create_task(deployer.healthy())
        await asyncio.sleep(30.0)
        assert not waiting.done()
        service.deployment_id = new
        assert (await waiting).image == "acme/krs:2"

    played(scene)
