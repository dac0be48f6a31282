"""Hooks that were made by the API, at the simulated GitHub, with the daemon behind them."""

from krs.github import GithubClient, Hooks, Secret, TokenAuth
from krs.github.hooks import Outcome, install
from krs.sim.world import GITHUB_TOKEN, SECRET
from tests.daemon.conftest import House


async def test_an_installed_hook_delivers_and_a_second_install_changes_nothing(house: House) -> None:
    """Created with the wrong secret it is refused; repaired, what was refused is sent again and starts a runner."""
    await house.up()
    house.simulation.deliveries.point_at("")
    url = f"http://127.0.0.1:{house.daemon.port}/"
    client = GithubClient(auth=TokenAuth(Secret(GITHUB_TOKEN)), api_url=house.simulation.github_url, now=lambda: 0.0)
    hooks = Hooks(client)
    made = await install(hooks, "acme/api", url, Secret("wrong"))
    assert made.plan.outcome is Outcome.CREATED
    house.simulation.queue("acme/api", ("koyeb-fra-small",), seconds=30)
    await house.until(lambda: house.simulation.stats()["deliveries"].get("401") == 2)
    again = await install(hooks, "acme/api", url, Secret(SECRET))
    assert again.plan.outcome is Outcome.CONFIRMED
    assert again.hook.ref == made.hook.ref
    (job, _ping) = await hooks.deliveries(again.hook.ref, failed=True)
    assert (job.event, job.action, job.code, job.failed) == ("workflow_job", "queued", 401, True)
    await hooks.redeliver(again.hook.ref, job.id)
    await house.until(lambda: house.simulation.stats()["served"] == 1)
    latest = await hooks.deliveries(again.hook.ref)
    assert next(row for row in latest if row.redelivery).guid == job.guid
    await client.aclose()
