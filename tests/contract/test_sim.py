"""The simulated cloud is a verified fake: its answers are ones that the real APIs describe."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from krs.github.auth import signer
from krs.secret import Secret
from krs.sim.koyeb import ORGANIZATION
from krs.sim.moods import Moods
from krs.sim.world import GITHUB_TOKEN, KOYEB_TOKEN, Simulation
from tests.contract.conftest import Contract
from tests.github.keys import rsa_key

DEFINITION = {
    "name": "runner-fra-small-1",
    "type": "WORKER",
    "docker": {"image": "koyeb/github-runner"},
    "env": [{"key": "REPO_URL", "value": "https://github.com/acme/api"}],
    "regions": ["fra"],
    "instance_types": [{"type": "small"}],
}


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """Both servers, at normal speed."""
    running = Simulation()
    await running.start()
    yield running
    await running.stop()


async def ask(base: str, token: str, method: str, path: str, body: Any = None) -> httpx.Response:
    """One call."""
    async with httpx.AsyncClient(base_url=base, headers={"authorization": f"Bearer {token}"}) as http:
        return await http.request(method, path, json=body)


async def until(read: Callable[[], Awaitable[Any]], count: int) -> Any:
    """Ask until there are so many rows: they are made while we ask."""
    found = await read()
    return found if len(found) >= count else await until(read, count)


async def test_simulated_koyeb_answers_as_koyeb_does(simulation: Simulation, koyeb_contract: Contract) -> None:
    """Apps, services, deployments, the catalog, and the errors of a taken name and an unknown service."""

    async def check(method: str, path: str, body: Any = None) -> Any:
        answer = await ask(simulation.koyeb_url, KOYEB_TOKEN, method, path, body)
        koyeb_contract.check_answer(method, path.partition("?")[0], answer.status_code, answer.json())
        return answer

    app = (await check("POST", "/v1/apps", {"name": "github-runner"})).json()["app"]["id"]
    assert (await check("POST", "/v1/apps", {"name": "github-runner"})).status_code == 400
    order = {"app_id": app, "name": "runner-fra-small-1", "definition": DEFINITION}
    order["life_cycle"] = {"delete_after_create": 86_400}
    assert (await check("POST", "/v1/services?dry_run=true", order)).status_code == 200
    assert simulation.cloud.services == {}
    service = (await check("POST", "/v1/services", order)).json()["service"]
    taken = await check("POST", "/v1/services", order)
    assert taken.json()["fields"] == [{"field": "name", "description": "already exists"}]
    for path in ("/v1/apps?limit=1", f"/v1/services?app_id={app}", f"/v1/services/{service['id']}"):
        assert (await check("GET", path)).status_code == 200
    deployment = (await check("GET", f"/v1/deployments/{service['latest_deployment_id']}")).json()["deployment"]
    assert deployment["definition"]["env"] == DEFINITION["env"]
    assert len((await check("GET", "/v1/catalog/instances?limit=100")).json()["instances"]) >= 12
    assert len((await check("GET", "/v1/catalog/regions?limit=100")).json()["regions"]) >= 5
    home = f"/v1/organizations/{service['organization_id']}"
    assert (await check("GET", home)).json()["organization"]["plan"] == "pro"
    assert (await check("GET", f"{home}/quotas")).json()["quotas"]["services"] == "100"
    assert (await check("GET", f"{home}/summary")).json()["summary"]["instances"]["by_type"] == {"small": "1"}
    assert (await check("GET", "/v1/account/organization")).status_code == 403
    await check("PATCH", f"/v1/services/{service['id']}", {"life_cycle": {"delete_after_create": 90_000}})
    await check("DELETE", f"/v1/services/{service['id']}")
    order = {"name": "jit-1", "type": "SIMPLE", "value": "blob"}
    kept = (await check("POST", "/v1/secrets", order)).json()["secret"]
    assert (await check("POST", "/v1/secrets", order)).status_code == 400
    assert (await check("GET", "/v1/secrets?name=jit&limit=100")).json()["count"] == 1
    await check("PUT", f"/v1/secrets/{kept['id']}", order)
    await check("DELETE", f"/v1/secrets/{kept['id']}")
    assert (await check("GET", "/v1/services/unknown")).status_code == 404


async def test_simulated_koyeb_without_a_plan_answers_as_koyeb_does(
    simulation: Simulation, koyeb_contract: Contract
) -> None:
    """Its plan says so, its quotas list what is free, and a runner is refused; a name may be taken unseen."""
    simulation.set_moods(Moods(koyeb_no_plan=True, koyeb_taken=("theirs",)))
    home = f"/v1/organizations/{ORGANIZATION}"
    order = {"app_id": ORGANIZATION, "name": "runner-fra-small-1", "definition": DEFINITION}
    for method, path, body, status in (
        ("GET", home, None, 200),
        ("GET", f"{home}/quotas", None, 200),
        ("POST", "/v1/services?dry_run=true", order, 400),
        ("POST", "/v1/apps", {"name": "theirs"}, 400),
        ("POST", "/v1/apps", {"name": "Not A Name"}, 400),
        ("GET", "/v1/apps", None, 200),
    ):
        answer = await ask(simulation.koyeb_url, KOYEB_TOKEN, method, path, body)
        koyeb_contract.check_answer(method, path.partition("?")[0], answer.status_code, answer.json())
        assert answer.status_code == status
    simulation.set_moods(Moods(koyeb_revoked=True))
    assert (await ask(simulation.koyeb_url, KOYEB_TOKEN, "GET", "/v1/apps")).status_code == 401


async def test_simulated_koyeb_refuses_strangers_and_shows_its_website(simulation: Simulation) -> None:
    """A wrong token is 401; an unknown path is 200 with HTML, as on the real host."""
    assert (await ask(simulation.koyeb_url, "wrong", "GET", "/v1/apps")).status_code == 401
    page = await ask(simulation.koyeb_url, KOYEB_TOKEN, "GET", "/v1/nothing")
    assert page.status_code == 200
    assert "html" in page.text


@pytest.mark.parametrize("base", ["/repos/acme/api", "/orgs/acme"])
async def test_simulated_github_answers_as_github_does(
    simulation: Simulation, github_contract: Contract, base: str
) -> None:
    """Runners, tokens, just-in-time configurations, and a name that is taken."""

    async def check(method: str, path: str, body: Any = None) -> Any:
        answer = await ask(simulation.github_url, GITHUB_TOKEN, method, path, body)
        content = answer.json() if answer.content else None
        github_contract.check_answer(method, path.partition("?")[0], answer.status_code, content)
        return answer

    assert (await check("POST", f"{base}/actions/runners/registration-token")).status_code == 201
    jit = {"name": "runner-1", "runner_group_id": 1, "labels": ["koyeb-fra-small"]}
    made = (await check("POST", f"{base}/actions/runners/generate-jitconfig", jit)).json()["runner"]
    assert (await check("POST", f"{base}/actions/runners/generate-jitconfig", jit)).status_code == 409
    assert (await check("GET", f"{base}/actions/runners?name=runner-1")).json()["total_count"] == 1
    assert (await check("GET", f"{base}/actions/runners/{made['id']}")).json()["status"] == "offline"
    assert (await check("DELETE", f"{base}/actions/runners/{made['id']}")).status_code == 204


async def test_simulated_github_shows_jobs_and_limits(simulation: Simulation, github_contract: Contract) -> None:
    """A queued job by its id and by its run, the rate limit, and an answer that did not change."""
    job = simulation.queue("acme/api", ("koyeb-fra-small",))
    one = f"/repos/acme/api/actions/jobs/{job.id}"
    answer = await ask(simulation.github_url, GITHUB_TOKEN, "GET", one)
    github_contract.check_answer("GET", one, 200, answer.json())
    runs = "/repos/acme/api/actions/runs"
    for path in (runs, f"{runs}/{job.run_id}/jobs"):
        listed = await ask(simulation.github_url, GITHUB_TOKEN, "GET", f"{path}?per_page=100")
        github_contract.check_answer("GET", path, 200, listed.json())
        assert listed.json()["total_count"] == 1
    limits = await ask(simulation.github_url, GITHUB_TOKEN, "GET", "/rate_limit")
    github_contract.check_answer("GET", "/rate_limit", 200, limits.json())
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {GITHUB_TOKEN}"}) as http:
        again = await http.get(simulation.github_url + one, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_simulated_deliveries_say_what_github_says(simulation: Simulation, github_contract: Contract) -> None:
    """Every field of a simulated job is a field of a real one."""
    from krs.sim.webhooks import payload

    job = simulation.queue("acme/api", ("koyeb-fra-small",))
    schema = github_contract.document["components"]["schemas"]["webhook-workflow-job-queued"]
    known = set(schema["properties"]["workflow_job"]["properties"])
    assert set(payload(job)["workflow_job"]) <= known


@pytest.mark.parametrize("base", ["/repos/acme/api", "/orgs/acme"])
async def test_the_simulated_app_answers_as_github_does(
    simulation: Simulation, github_contract: Contract, base: str
) -> None:
    """The App, its installation, and a token that may do what it was made for and nothing else."""
    simulation.add_app("1", rsa_key())
    proof = signer("1", Secret(rsa_key()))(simulation.agenda.now())

    async def check(token: str, method: str, path: str, body: Any = None) -> Any:
        answer = await ask(simulation.github_url, token, method, path, body)
        github_contract.check_answer(method, path, answer.status_code, answer.json())
        return answer.json()

    assert (await check(proof, "GET", "/app"))["slug"] == "krs"
    found = (await check(proof, "GET", f"{base}/installation"))["id"]
    permission = "administration" if "repos" in base else "organization_self_hosted_runners"
    order: dict[str, Any] = {"permissions": {permission: "read"}}
    if "repos" in base:
        order["repositories"] = ["api"]
    path = f"/app/installations/{found}/access_tokens"
    token = (await check(proof, "POST", path, order))["token"]
    assert (await check(token, "GET", f"{base}/actions/runners"))["total_count"] == 0
    refusals = [
        ("POST", f"{base}/actions/runners/registration-token", 403),
        ("GET", "/repos/other/api/actions/runners", 404),
        ("GET", "/app", 401),
    ]
    for method, elsewhere, status in refusals:
        assert (await ask(simulation.github_url, token, method, elsewhere)).status_code == status
    assert (await ask(simulation.github_url, GITHUB_TOKEN, "GET", "/app")).status_code == 401
    too_much = {"permissions": {"administration": "write", "contents": "write"}}
    assert (await ask(simulation.github_url, proof, "POST", path, too_much)).status_code == 422
    old = signer("1", Secret(rsa_key()))(simulation.agenda.now() - 3600)
    assert (await ask(simulation.github_url, old, "GET", "/app")).status_code == 401


@pytest.mark.parametrize("base", ["/repos/acme/api/hooks", "/orgs/acme/hooks"])
async def test_simulated_hooks_answer_as_github_does(
    simulation: Simulation, github_contract: Contract, base: str
) -> None:
    """Made, changed, pinged, its deliveries listed, shown and sent again, and taken away."""

    async def check(method: str, path: str, body: Any = None) -> Any:
        answer = await ask(simulation.github_url, GITHUB_TOKEN, method, path, body)
        content = answer.json() if answer.content else None
        github_contract.check_answer(method, path.partition("?")[0], answer.status_code, content)
        return content

    config = {"url": "http://127.0.0.1:9/", "content_type": "json", "secret": "s", "insecure_ssl": "0"}
    order = {"name": "web", "config": config, "events": ["workflow_job"], "active": True}
    hook = await check("POST", base, order)
    assert hook["config"]["secret"] == "********"
    assert (await ask(simulation.github_url, GITHUB_TOKEN, "POST", base, order)).status_code == 422
    one = f"{base}/{hook['id']}"
    for method, path, body in (
        ("GET", base, None),
        ("GET", one, None),
        ("PATCH", one, {"events": ["workflow_job"]}),
        ("POST", f"{one}/pings", None),
    ):
        await check(method, path, body)
    simulation.queue("acme/api", ("koyeb-fra-small",))
    log = await until(lambda: check("GET", f"{one}/deliveries?status=failure"), 3)
    assert {(row["event"], row["status_code"]) for row in log} == {("ping", 502), ("workflow_job", 502)}
    shown = await check("GET", f"{one}/deliveries/{log[0]['id']}")
    assert shown["request"]["payload"]["workflow_job"]["status"] == "queued"
    await check("POST", f"{one}/deliveries/{log[0]['id']}/attempts")
    log = await until(lambda: check("GET", f"{one}/deliveries?per_page=100"), 4)
    assert (log[0]["guid"], log[0]["redelivery"], log[1]["redelivery"]) == (log[1]["guid"], True, False)
    await check("DELETE", one)


async def test_the_simulated_apps_hook_answers_as_github_does(
    simulation: Simulation, github_contract: Contract
) -> None:
    """Its address is set, it hears of jobs where the App is installed, and its log takes the App's JWT only."""
    simulation.add_app("1", rsa_key())
    proof = signer("1", Secret(rsa_key()))(simulation.agenda.now())

    async def check(method: str, path: str, body: Any = None) -> Any:
        answer = await ask(simulation.github_url, proof, method, path, body)
        github_contract.check_answer(method, path, answer.status_code, answer.json())
        return answer.json()

    await check("PATCH", "/app/hook/config", {"url": "http://127.0.0.1:9/", "secret": "s"})
    assert (await check("GET", "/app/hook/config"))["secret"] == "********"
    simulation.queue("acme/api", ("koyeb-fra-small",))
    log = await until(lambda: check("GET", "/app/hook/deliveries"), 1)
    assert (await check("GET", f"/app/hook/deliveries/{log[0]['id']}"))["request"]["payload"]["installation"]
    await check("POST", f"/app/hook/deliveries/{log[0]['id']}/attempts")
    assert (await ask(simulation.github_url, GITHUB_TOKEN, "GET", "/app/hook/deliveries")).status_code == 401
