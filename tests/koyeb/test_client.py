"""Koyeb's answers, sorted by what to do next, and read whatever their shape."""

import traceback
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from pytest_httpserver import HTTPServer

from krs.errors import Refused, Throttled, Unknown, Unreached
from krs.koyeb import KoyebClient, LifeCycleRefused, NameTaken, QuotaExceeded, RunnerService
from krs.koyeb.catalog import fallback
from krs.koyeb.models import EnvVar
from krs.koyeb.secrets import Secrets
from tests.contract.wire import Wire, query_of


def client(wire: Wire) -> KoyebClient:
    """A client on a scripted wire."""
    return KoyebClient(token="secret-token", api_url="https://koyeb.test/", transport=wire.transport)


def answer(status: int, body: Any = None, **headers: str) -> Wire:
    """The same answer for every request."""
    return Wire(lambda request: httpx.Response(status, json=body, headers=headers))


def refusal(message: str = "no", **fields: str) -> dict[str, Any]:
    """An error body with fields."""
    listed = [{"field": name.replace("__", "."), "description": text} for name, text in fields.items()]
    return {"status": 400, "code": "invalid_argument", "message": message, "fields": listed}


RUNNER = RunnerService(
    name="runner-fra-small-1",
    region="fra",
    instance_type="small",
    image="koyeb/github-runner",
    privileged=False,
    entrypoint=(),
    args=(),
    env=(),
    delete_after_create=60,
)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, refusal(name="already exists"), NameTaken),
        (400, refusal(definition__name="already exists"), NameTaken),
        (409, refusal(), NameTaken),
        (400, refusal("You cannot have more than 5 services due to your quota."), QuotaExceeded),
        (400, refusal(definition__instance_types="not available with current plan"), QuotaExceeded),
        (400, refusal("x" * 400, apps="You cannot have more than 2 apps due to your quota."), QuotaExceeded),
        (400, refusal(name="Already exists"), NameTaken),
        (400, refusal(name="invalid character"), Refused),
        (400, refusal(life_cycle__delete_after_create="not allowed"), LifeCycleRefused),
        (400, refusal(life_cycle__delete_after_create="not available with current plan"), LifeCycleRefused),
        (400, refusal(definition__docker__image="cannot be blank"), Refused),
        (400, {"message": "More services than fit, due to your quota.", "fields": None}, QuotaExceeded),
        (400, {"message": None, "fields": [{"field": "name", "description": "already exists"}, {}]}, NameTaken),
        (401, {"status": 401, "message": "Invalid token format"}, Refused),
        (503, {"message": "down"}, Unknown),
    ],
)
async def test_refusals_of_a_create_are_told_apart(status: int, body: Any, kind: type[Exception]) -> None:
    """Koyeb says most of it in words and fields; each means another next step. No message holds the token."""
    with pytest.raises(kind) as problem:
        await client(answer(status, body)).create_service("a", RUNNER)
    assert type(problem.value) is kind
    assert "secret-token" not in str(problem.value)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"x-ratelimit-reset": "17"}, 17.0),
        ({"x-ratelimit-reset": "0"}, 1.0),
        ({"x-ratelimit-reset": "1795514400"}, 600.0),
        ({"x-ratelimit-reset": "soon"}, 30.0),
        ({}, 30.0),
    ],
)
async def test_a_throttle_is_waited_for(headers: dict[str, str], after: float) -> None:
    """429 with seconds left, none left, an instant, nonsense or nothing; its body need not be JSON."""
    wire = Wire(lambda request: httpx.Response(429, text="slow down", headers=headers))
    with pytest.raises(Throttled) as problem:
        await client(wire).list_services("a")
    assert problem.value.after == after


@pytest.mark.parametrize(
    "response", [{"html": "<!doctype html>"}, {"text": "{"}, {"json": []}, {"json": {"services": 1}}]
)
async def test_what_is_no_answer_is_unknown(response: dict[str, Any]) -> None:
    """The website's HTML, broken JSON or another shape: it may have happened, nothing is concluded."""
    with pytest.raises(Unknown):
        await client(Wire(lambda request: httpx.Response(200, **response))).list_services("a")


async def test_services_are_read_with_holes_strings_and_new_words() -> None:
    """Missing and null fields, integers as strings, unknown statuses and fields."""
    rows = [
        {"id": "1"},
        {"id": "2", "name": None, "status": "BRAND_NEW", "messages": None, "version": "9", "new": {}},
        {"id": "3", "life_cycle": {"delete_after_create": "60"}, "created_at": "2026-11-24T10:00:00Z"},
    ]
    first, second, third = await client(answer(200, {"services": rows, "has_next": False})).list_services("a")
    assert (first.status, second.status) == ("UNKNOWN", "BRAND_NEW")
    assert (third.delete_after_create, third.created_at) == (60, 1795514400.0)


async def test_lists_are_read_to_their_end_in_pages_of_a_hundred() -> None:
    """has_next leads on; a service that moves between pages counts once."""

    def page(request: httpx.Request) -> httpx.Response:
        offset = int(query_of(request)["offset"])
        rows = [{"id": str(n), "name": f"runner-{n}"} for n in range(offset, min(offset + 100, 250))]
        return httpx.Response(200, json={"services": rows, "count": 250, "has_next": offset + 100 < 250})

    wire = Wire(page)
    assert len(await client(wire).list_services("a")) == 250
    assert [query_of(request)["limit"] for request in wire.requests] == ["100"] * 3


@pytest.mark.parametrize(
    "last",
    [
        {"has_next": False},
        {"count": 150},
        {"count": "150"},
        {"has_next": None, "count": None},
        {},
        {"has_next": False, "count": 150},
    ],
)
async def test_a_full_page_is_never_taken_for_the_end_without_a_word(last: dict[str, Any]) -> None:
    """Zero values may be left out, and not every list has `has_next`: 150 rows are read whatever is said."""

    def page(request: httpx.Request) -> httpx.Response:
        offset = int(query_of(request)["offset"])
        rows = [{"id": str(n)} for n in range(offset, min(offset + 100, 150))]
        end = last | ({"has_next": True} if last == {"has_next": False} and offset < 50 else {})
        return httpx.Response(200, json={"services": rows, **end})

    assert len(await client(Wire(page)).list_services("a")) == 150


async def test_a_list_that_shrinks_while_it_is_read_is_read_again() -> None:
    """A deletion between two pages moves a row over the edge between them: it must not look gone."""
    rows = [{"id": str(n), "name": f"runner-{n}"} for n in range(150)]

    def page(request: httpx.Request) -> httpx.Response:
        offset = int(query_of(request)["offset"])
        here = rows[offset : offset + 100]
        reply = httpx.Response(200, json={"services": here, "count": len(rows), "has_next": offset + 100 < len(rows)})
        if shrinking:
            del rows[shrinking.pop()]
        return reply

    shrinking = [3]
    wire = Wire(page)
    assert len(await client(wire).list_services("a")) == 149
    shrinking = [3, 4, 5, 6, 7, 8]
    with pytest.raises(Unknown, match="kept shrinking"):
        await client(wire).list_services("a")


@pytest.mark.parametrize("reply", [{}, {"services": None, "count": None, "has_next": None}])
async def test_a_list_of_nothing_may_be_left_out(reply: dict[str, Any]) -> None:
    """An absent or null list is an empty one."""
    assert await client(answer(200, reply)).list_services("a") == ()


async def test_a_redirect_is_not_followed() -> None:
    """The token goes to the address that was configured and to no other."""
    wire = answer(302, None, location="https://elsewhere.test/")
    with pytest.raises(Unknown):
        await client(wire).get_service("s")
    assert len(wire.requests) == 1


async def test_a_token_that_no_header_can_hold_is_not_quoted(httpserver: HTTPServer) -> None:
    """A line's end left in a token is one clear error without it, and no trace of it hangs on the error."""
    broken = KoyebClient(token="secret-token\n\n", api_url=httpserver.url_for(""))
    with pytest.raises(Unreached, match="a header holds characters") as problem:
        await broken.check_token()
    shown = "".join(traceback.format_exception(problem.value)) + repr(vars(broken)) + repr(broken)
    assert "secret-token" not in shown
    await broken.aclose()


async def test_names_are_compared_by_us_and_deleted_services_do_not_count() -> None:
    """Koyeb's filter is a prefix."""
    rows = [{"id": "1", "name": "runner-1-2"}, {"id": "2", "name": "runner-1", "status": "DELETED"}]
    assert await client(answer(200, {"services": rows, "has_next": False})).find_service("a", "runner-1") is None
    rows.append({"id": "4", "name": "runner-1", "status": "DELETING"})
    leaving = await client(answer(200, {"services": rows, "has_next": False})).find_service("a", "runner-1")
    assert leaving is not None
    assert leaving.id == "4"
    rows.append({"id": "3", "name": "runner-1", "status": "HEALTHY"})
    found = await client(answer(200, {"services": rows, "has_next": False})).find_service("a", "runner-1")
    assert found is not None
    assert found.id == "3"


@pytest.mark.parametrize(
    "call", ["list_services", "create_service", "delete_service", "get_service", "instances", "quotas"]
)
async def test_an_empty_id_never_leaves(call: str) -> None:
    """An empty app_id might mean every service of the organization."""
    wire = answer(200, {})
    arguments = ("", RUNNER) if call == "create_service" else ("",)
    with pytest.raises(ValueError, match="empty id"):
        await getattr(client(wire), call)(*arguments)
    assert wire.requests == []


async def test_the_app_is_made_once_even_when_two_make_it() -> None:
    """Not found, then taken by the time we create it: the other's is used."""
    lists = iter([[], [{"id": "theirs", "name": "github-runner"}]])

    def reply(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"apps": next(lists), "has_next": False})
        return httpx.Response(400, json=refusal(name="already exists"))

    assert (await client(Wire(reply)).ensure_app("github-runner")).id == "theirs"


async def test_a_missing_service_is_an_answer() -> None:
    """404 on get and delete says that it is gone."""
    gone = {"status": 404, "code": "unknown_resource", "message": "Service not found"}
    assert await client(answer(404, gone)).get_service("s") is None
    assert await client(answer(404, gone)).delete_service("s") is False
    assert await client(answer(200, {})).delete_service("s") is True


async def test_the_catalog_is_read_with_prices_and_web_only_types() -> None:
    """Decimal strings become USD, `free` is never a worker, what is coming soon is not sold."""

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("regions"):
            return httpx.Response(200, json={"regions": [{"id": "fra"}, {"id": "mars", "status": "COMING_SOON"}]})
        rows = [
            {"id": "small", "regions": ["fra"], "price_hourly": "0.0144", "service_types": ["web", "worker"]},
            {"id": "free", "regions": ["fra"], "price_hourly": "0"},
            {"id": "web", "regions": ["fra"], "price_per_second": "0.0001", "service_types": ["web"]},
            {"id": "later", "regions": ["fra"], "status": "COMING_SOON"},
        ]
        return httpx.Response(200, json={"instances": rows, "count": 4})

    catalog = await client(Wire(reply)).catalog()
    assert catalog.regions == {"fra"}
    assert {kind.id: (kind.worker, kind.price_hourly) for kind in catalog.instance_types.values()} == {
        "small": (True, 0.0144),
        "free": (False, 0.0),
        "web": (False, 0.36),
    }


async def test_an_empty_catalog_is_no_catalog() -> None:
    """A server that says it sells nothing must not make every job unplaceable."""
    with pytest.raises(Unknown):
        await client(answer(200, {"instances": [], "regions": []})).catalog()


def test_the_fallback_table_is_dated_and_sells_workers() -> None:
    """Enough for a start without Koyeb's answer."""
    table = fallback()
    assert table.as_of == "2026-02-12"
    assert table.instance_types["small"].price_hourly == 0.0144
    assert not table.instance_types["free"].worker
    assert "fra" in table.regions


async def test_a_credential_that_koyeb_quotes_stays_out_of_the_error() -> None:
    """Neither in the line nor in the fields, not even half of one that is cut to length; the rest can be read."""
    blob = "b1o8" * 600
    wire = answer(400, refusal(f"env {blob} is bad", env=f"value {blob} is too long"))
    env = (EnvVar(key="K", value=blob, credential=True), EnvVar(key="REPO_URL", value="https://github.com/a/b"))
    for sent in (
        lambda: client(wire).create_service("app-1", replace(RUNNER, env=env)),
        lambda: Secrets(client(wire)).put("name", blob),
    ):
        with pytest.raises(Refused) as caught:
            await sent()
        assert "env *** is bad" in caught.value.message
        assert blob[:8] not in f"{caught.value.message} {caught.value.fields}"
