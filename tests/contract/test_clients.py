"""Every request that our clients can send is one that the APIs describe, each field and parameter of it."""

import contextlib
import json
import warnings
from contextlib import aclosing
from typing import Any

import httpx
import jsonschema
import pytest

from krs.core.commands import CreateRunner
from krs.core.model import Instant, Name, PoolId, Scope
from krs.core.policy import Policy
from krs.core.vocabulary import Credential, Lifecycle
from krs.daemon.create import runner_service
from krs.errors import CallError
from krs.github import AppAuth, GithubClient, Hooks, Need, Run, Secret, TokenAuth, bootstrap
from krs.github.hooks import HookRef
from krs.koyeb import Account, EnvVar, KoyebClient, RunnerService, Service
from krs.koyeb.secrets import Secrets
from tests.contract.conftest import Contract
from tests.contract.wire import Wire, body_of, query_of
from tests.core.build import CATALOG
from tests.github.keys import rsa_key
from tests.koyeb.tail import Tail


def runner(credential: Credential, lifecycle: Lifecycle = Lifecycle.REUSABLE) -> RunnerService:
    """What Koyeb is asked to run for each credential."""
    command = CreateRunner(
        name=Name("runner-fra-small-abc"),
        pool=PoolId("p"),
        scope=Scope("acme/api"),
        labels=("koyeb-fra-small",),
        region="fra",
        instance_type="small",
        lifecycle=lifecycle,
        credential=credential,
        expires=Instant(0),
    )
    start = bootstrap.start(
        credential,
        name=command.name,
        scope=command.scope,
        labels=command.labels,
        web_url="https://github.com",
        controller="default",
        docker=True,
        lifecycle=lifecycle,
        registration_token="r",
        jit="j",
        github_token="g",
    )
    env = (*(EnvVar(key=key, value=value) for key, value in start.env), EnvVar(key="KRS_JIT_CONFIG", secret="s"))
    return runner_service(command, Policy(catalog=CATALOG).terms("koyeb-fra-small", "acme/api"), start, env, 86_400)


SERVICE = Service(id="s", name="n", app_id="a", status="HEALTHY", created_at=0.0, latest_deployment_id="d")

KOYEB_CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("check_token", ()),
    ("find_app", ("github-runner",)),
    ("ensure_app", ("github-runner",)),
    ("list_services", ("a",)),
    ("find_service", ("a", "n")),
    ("get_service", ("s",)),
    *(("create_service", ("a", runner(credential))) for credential in Credential),
    ("delete_service", ("s",)),
    ("set_delete_after_create", ("s", 90_000)),
    ("definition", (SERVICE,)),
    ("instances", ("s",)),
    ("quotas", ("o",)),
    ("logs", ("s", 1_795_514_400.0, 500)),
    ("logs", ("s", 0.0, 5_000)),
    ("catalog", ()),
]


@pytest.mark.parametrize(("call", "arguments"), KOYEB_CALLS, ids=lambda value: value if isinstance(value, str) else "")
async def test_koyeb_knows_every_request_of_ours(
    call: str, arguments: tuple[Any, ...], koyeb_contract: Contract
) -> None:
    """Path, method, query and body of each call fit Koyeb's own description."""
    wire = Wire(
        lambda request: httpx.Response(200, json={"app": {"id": "a"}, "service": {"id": "s"}, "deployment": {}})
    )
    client = KoyebClient(token="t", api_url="https://koyeb.test", transport=wire.transport)
    with contextlib.suppress(CallError):
        await getattr(client, call)(*arguments)
    for request in wire.requests:
        koyeb_contract.check_request(request.method, request.url.path, query_of(request), body_of(request))
    assert wire.requests
    await client.aclose()


GITHUB_CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("check_token", ()),
    *(
        (name, (scope, *rest))
        for scope in ("acme/api", "acme")
        for name, *rest in (
            ("list_runners",),
            ("find_runner", "n"),
            ("get_runner", 7),
            ("delete_runner", 7),
            ("registration_token",),
            ("jit_config", "n", ("koyeb-fra-small",)),
        )
    ),
    ("get_job", ("acme/api", 7)),
    ("list_jobs", ("acme/api", Run(id=8))),
    ("list_runs", ("acme/api", "in_progress")),
]


@pytest.mark.parametrize(("call", "arguments"), GITHUB_CALLS)
async def test_github_knows_every_request_of_ours(
    call: str, arguments: tuple[Any, ...], github_contract: Contract
) -> None:
    """Path, method, query and body of each call fit GitHub's own description."""
    answer = {"id": 7, "name": "n", "token": "t", "runner": {"id": 7, "name": "n"}, "encoded_jit_config": "j"}
    wire = Wire(lambda request: httpx.Response(200, json=answer))
    auth = TokenAuth(Secret("t"))
    client = GithubClient(auth=auth, api_url="https://github.test", now=lambda: 0.0, transport=wire.transport)
    await getattr(client, call)(*arguments)
    for request in wire.requests:
        github_contract.check_request(request.method, request.url.path, query_of(request), body_of(request))
    assert wire.requests
    await client.aclose()


@pytest.mark.parametrize("scope", ["acme/api", "acme"])
async def test_github_knows_every_request_of_an_app(scope: str, github_contract: Contract) -> None:
    """Who it is, where it is installed, and a token for each need."""
    answer = {"id": 7, "token": "t", "expires_at": "2999-01-01T00:00:00Z", "total_count": 0, "runners": []}
    wire = Wire(lambda request: httpx.Response(200, json=answer))
    auth = AppAuth(
        app_id=1, private_key=Secret(rsa_key()), api_url="https://github.test", now=time, transport=wire.transport
    )
    client = GithubClient(auth=auth, api_url="https://github.test", now=time, transport=wire.transport)
    await client.check_token()
    for need in Need:
        await auth.header(scope, need)
    for request in wire.requests:
        github_contract.check_request(request.method, request.url.path, query_of(request), body_of(request))
    paths = {request.url.path for request in wire.requests}
    assert len(paths) == 3
    await client.aclose()


HOOK_CALLS: list[tuple[str, tuple[Any, ...]]] = [
    *(
        (name, arguments)
        for scope in ("acme/api", "acme")
        for name, arguments in (
            ("list", (scope,)),
            ("create", (scope, "https://krs.test/", Secret("s"))),
            ("ping", (HookRef(scope, 7),)),
        )
    ),
    *(
        (name, (HookRef(*where), *rest))
        for where in (("acme/api", 7), ("acme", 7), ())
        for name, *rest in (
            ("get",),
            ("repair", "https://krs.test/", Secret("s")),
            ("deliveries",),
            ("delivery", 8),
            ("redeliver", 8),
        )
    ),
]


@pytest.mark.parametrize(("call", "arguments"), HOOK_CALLS)
async def test_github_knows_every_request_about_hooks(
    call: str, arguments: tuple[Any, ...], github_contract: Contract
) -> None:
    """Of repositories, of organizations and of an App: each call fits GitHub's own description."""
    row = {"id": 7, "guid": "g", "delivered_at": "2026-11-24T10:00:00Z", "events": [], "active": True}
    lists = {"list", "deliveries"}
    wire = Wire(lambda request: httpx.Response(200, json=[row] if call in lists else row))
    client = GithubClient(
        auth=TokenAuth(Secret("t")), api_url="https://github.test", now=time, transport=wire.transport
    )
    await getattr(Hooks(client), call)(*arguments)
    for request in wire.requests:
        github_contract.check_request(request.method, request.url.path, query_of(request), body_of(request))
    assert wire.requests
    await client.aclose()


def time() -> float:
    """A fixed instant."""
    return 1_800_000_000.0


async def test_koyeb_knows_the_tail_we_open(koyeb_contract: Contract) -> None:
    """The WebSocket's path and query fit the description too, and what it sends is what we read."""
    frame = {"result": {"msg": "one", "created_at": "2026-11-24T10:00:00Z", "labels": {"stream": "stdout"}}}
    koyeb_contract.check_answer("GET", "/v1/streams/logs/tail", 200, frame)
    async with Tail([[frame]]) as server, aclosing(server.client().tail("s", 1_795_514_400.5)) as lines:
        assert (await anext(lines)).text == "one"
    (asked,) = server.asked
    koyeb_contract.check_request("GET", "/v1/streams/logs/tail", asked.query, None)


def test_a_misspelt_parameter_or_a_wrong_type_would_fail(koyeb_contract: Contract, github_contract: Contract) -> None:
    """The judge of queries is closed, and knows that a page is a number at GitHub."""
    with pytest.raises(AssertionError, match="appid"):
        koyeb_contract.check_request("GET", "/v1/services", {"appid": "a"}, None)
    with pytest.raises(jsonschema.ValidationError):
        github_contract.check_request("GET", "/orgs/acme/actions/runners", {"per_page": "many"}, None)


def test_a_misspelt_field_would_fail(koyeb_contract: Contract) -> None:
    """The judge is closed: one letter too many is found."""
    body = runner(Credential.JIT).body("a")
    body["definition"]["instance_typess"] = body["definition"].pop("instance_types")
    with pytest.raises(Exception, match="instance_typess"):
        koyeb_contract.check_request("POST", "/v1/services", {}, body)


@pytest.mark.slow
def test_koyebs_own_library_reads_what_we_send() -> None:
    """Every key of a create survives a round trip through Koyeb's Python models, which drop unknown ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from koyeb.api_async.models.create_service import CreateService

        body = runner(Credential.REGISTRATION_TOKEN).body("a")
        model = CreateService.from_dict(body)
        assert model is not None
        back = json.loads(json.dumps(model.to_dict()))
    assert _lost(body, back) == []


def _lost(sent: Any, back: Any, path: str = "") -> list[str]:
    if isinstance(sent, dict):
        return [hole for key, value in sent.items() for hole in _lost(value, back.get(key), f"{path}.{key}")]
    if isinstance(sent, list):
        pairs = zip(sent, back or [None] * len(sent), strict=True)
        return [hole for index, (one, other) in enumerate(pairs) for hole in _lost(one, other, f"{path}[{index}]")]
    return [] if sent == back else [path]


@pytest.mark.parametrize("apps", [[], [{"id": "a", "organization_id": "o"}]])
async def test_koyeb_knows_every_request_about_the_account(
    apps: list[dict[str, str]], koyeb_contract: Contract
) -> None:
    """Whose key it is, with an app and without one, and what that organization has."""
    answer = {"apps": apps, "organization": {"id": "o"}, "summary": {}}
    wire = Wire(lambda request: httpx.Response(200, json=answer))
    client = KoyebClient(token="t", api_url="https://koyeb.test", transport=wire.transport)
    assert await Account(client).organization() is not None
    await Account(client).usage("o")
    for request in wire.requests:
        koyeb_contract.check_request(request.method, request.url.path, query_of(request), body_of(request))
    assert len(wire.requests) == 3
    await client.aclose()


@pytest.mark.parametrize(("call", "arguments"), [("put", ("jit-1", "blob")), ("delete", ("jit-1",))])
@pytest.mark.parametrize("taken", [False, True])
async def test_koyeb_knows_every_request_about_secrets(
    call: str, arguments: tuple[Any, ...], taken: bool, koyeb_contract: Contract
) -> None:
    """A secret is made, replaced where it exists, found by its name, deleted."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and taken:
            return httpx.Response(400, json={"fields": [{"field": "name", "description": "already exists"}]})
        row = {"id": "i", "name": "jit-1"}
        return httpx.Response(200, json={"secret": row, "secrets": [row], "count": 1})

    wire = Wire(answer)
    client = KoyebClient(token="t", api_url="https://koyeb.test", transport=wire.transport)
    await getattr(Secrets(client), call)(*arguments)
    for request in wire.requests:
        koyeb_contract.check_request(request.method, request.url.path, query_of(request), body_of(request))
    methods = {("put", False): "POST", ("put", True): "POST GET PUT", ("delete", taken): "GET DELETE"}[call, taken]
    assert [request.method for request in wire.requests] == methods.split()
    await client.aclose()
