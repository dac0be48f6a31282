"""The calls to Koyeb's API that krs makes. Facts: Koyeb's OpenAPI description.

No call that changes anything is ever repeated in here; a list that shrank while it was read is read again.
"""

from collections.abc import AsyncGenerator
from typing import TypeVar

import httpx

from krs.core.catalog import Catalog
from krs.core.views import LogLine
from krs.errors import CallError, Refused, Unknown
from krs.koyeb import logs
from krs.koyeb.models import (
    PAGE,
    App,
    AppReply,
    AppsReply,
    CatalogReply,
    Definition,
    DeploymentReply,
    Instance,
    InstancesReply,
    OneServiceReply,
    PageReply,
    RegionsReply,
    RunnerService,
    Service,
    ServicesReply,
    catalog_of,
    whole,
)
from krs.koyeb.quotas import Quotas, QuotasReply
from krs.rest import Observer, Params, Reply, Rest, unobserved
from krs.secret import Secret

Page = TypeVar("Page", bound=PageReply)

PAGES = 100
"""More pages than any organization fills: a server that never ends must not hold us."""
READS = 3
"""How often a list that shrinks while it is read is begun again."""
LEAVING, GONE = "DELETING", "DELETED"
DEFAULT_WAIT, LONGEST_WAIT = 30.0, 600.0
NAME_FIELDS = frozenset({"name", "definition.name"})
LIFE_CYCLE_FIELD = "life_cycle"
QUOTA_WORDS = ("due to your quota", "not available with current plan")


class NameTaken(Refused):
    """A service or app of this name exists: it is looked up by its exact name, not made again."""


class QuotaExceeded(Refused):
    """The plan does not allow it: not to be repeated soon."""


class LifeCycleRefused(Refused):
    """This organization may not use `life_cycle.delete_after_create`: to be sent again without it."""


def wait_asked(response: httpx.Response) -> float | None:
    """How long a 429 asks us to wait: `x-ratelimit-reset` counts seconds left, there is no Retry-After."""
    if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
        return None
    try:
        asked = float(response.headers.get("x-ratelimit-reset", DEFAULT_WAIT))
    except ValueError:
        return DEFAULT_WAIT
    return min(max(1.0, asked), LONGEST_WAIT)


def sharpen(problem: Refused) -> Refused:
    """The special refusals that Koyeb tells apart only by words and fields."""
    kind: type[Refused] = Refused
    taken = any(field in NAME_FIELDS and "already exists" in text.casefold() for field, text in problem.fields)
    said = " ".join([problem.message, *(text for _, text in problem.fields)]).casefold()
    if taken or problem.status == httpx.codes.CONFLICT:
        kind = NameTaken
    # Before the quotas: a plan without this field says so in the words of a quota, and a create without it may do.
    elif any(field.startswith(LIFE_CYCLE_FIELD) for field, _ in problem.fields):
        kind = LifeCycleRefused
    elif any(words in said for words in QUOTA_WORDS):
        kind = QuotaExceeded
    return kind(problem.message, status=problem.status, code=problem.code, fields=problem.fields)


class KoyebClient:
    """Koyeb, seen by one token."""

    def __init__(
        self,
        *,
        token: str,
        api_url: str,
        observe: Observer = unobserved,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 15.0,
    ) -> None:
        self._token = Secret(token)
        self._api_url = api_url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=api_url.rstrip("/"),
            headers={"authorization": f"Bearer {token}", "accept": "application/json"},
            timeout=timeout,
            follow_redirects=False,
            transport=transport,
            trust_env=False,
        )
        self._rest = Rest(self._http, service="koyeb", wait_asked=wait_asked, observe=observe)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def call(self, method: str, path: str, *, params: Params | None = None, body: object = None) -> Reply:
        """Send one request. Raises a `CallError`, refusals sorted as above."""
        try:
            return await self._rest.call(method, path, params=params, body=body)
        except Refused as problem:
            raise sharpen(problem) from None

    async def pages(self, path: str, kind: type[Page], params: dict[str, str]) -> list[Page]:
        """All pages of a list, or `Unknown`: a row that leaves while we read moves another one over the page's edge."""
        for _ in range(READS):
            pages = await self._read(path, kind, params)
            counts = [count for page in pages if (count := whole(page.count)) is not None]
            if counts == sorted(counts):
                return pages
        raise Unknown(f"koyeb GET {path}: the list kept shrinking while it was read")

    async def _read(self, path: str, kind: type[Page], params: dict[str, str]) -> list[Page]:
        pages: list[Page] = []
        offset = 0
        for _ in range(PAGES):
            query = {**params, "limit": str(PAGE), "offset": str(offset)}
            page = (await self.call("GET", path, params=query)).decode(kind)
            pages.append(page)
            rows = len(page.rows)
            offset += rows
            if not rows or not page.more(offset, rows):
                return pages
        raise Unknown(f"koyeb GET {path}: more than {PAGES} pages")

    async def check_token(self) -> None:
        """Ask for something that any key of an organization may see. Raises `Refused` (401, 403) for a bad one."""
        (await self.call("GET", "/v1/apps", params={"limit": "1"})).decode(AppsReply)

    async def find_app(self, name: str) -> App | None:
        """The app of exactly this name (Koyeb's own filter is a prefix)."""
        pages = await self.pages("/v1/apps", AppsReply, {"name": name})
        return next((app for page in pages for app in page.apps or () if app.name == name), None)

    async def ensure_app(self, name: str) -> App:
        """The app of this name, made if there is none; another maker at the same moment is no harm."""
        found = await self.find_app(name)
        if found is not None:
            return found
        body = {"name": name, "life_cycle": {"delete_when_empty": False}}
        try:
            reply = (await self.call("POST", "/v1/apps", body=body)).decode(AppReply)
        except NameTaken:
            found = await self.find_app(name)
            if found is None:
                raise
            return found
        return reply.app

    async def list_services(self, app_id: str) -> tuple[Service, ...]:
        """All services of an app. Raises `ValueError` without an app: Koyeb might answer with everybody's."""
        pages = await self.pages("/v1/services", ServicesReply, {"app_id": _named(app_id)})
        found = {row.id: row.service() for page in pages for row in page.services or ()}
        return tuple(found.values())

    async def find_service(self, app_id: str, name: str) -> Service | None:
        """The service of exactly this name in an app, not deleted, and only in need one being deleted."""
        params = {"app_id": _named(app_id), "name": name}
        pages = await self.pages("/v1/services", ServicesReply, params)
        named = [row.service() for page in pages for row in page.services or () if row.name == name]
        found = [service for service in named if service.status != GONE]
        return min(found, key=lambda service: service.status == LEAVING, default=None)

    async def get_service(self, service_id: str) -> Service | None:
        """A service by its id; None when it is gone."""
        try:
            reply = (await self.call("GET", f"/v1/services/{_named(service_id)}")).decode(OneServiceReply)
        except Refused as problem:
            _raise_unless_missing(problem)
            return None
        service = reply.service.service()
        return service if service.status != GONE else None

    async def create_service(self, app_id: str, runner: RunnerService) -> Service:
        """Start a runner. Raises `NameTaken`, `QuotaExceeded` or `LifeCycleRefused` beside the usual errors."""
        body = runner.body(_named(app_id))
        reply = (await self.call("POST", "/v1/services", body=body)).decode(OneServiceReply)
        return reply.service.service()

    async def try_service(self, app_id: str, runner: RunnerService) -> None:
        """Have Koyeb check a runner and start none. Raises what `create_service` would."""
        await self.call("POST", "/v1/services", params={"dry_run": "true"}, body=runner.body(_named(app_id)))

    async def delete_service(self, service_id: str) -> bool:
        """Have a service deleted (it takes Koyeb a while); False when there is none."""
        try:
            await self.call("DELETE", f"/v1/services/{_named(service_id)}")
        except Refused as problem:
            _raise_unless_missing(problem)
            return False
        return True

    async def set_delete_after_create(self, service_id: str, seconds: int) -> None:
        """Move Koyeb's own deletion to `seconds` after the creation; no redeployment follows."""
        body = {"life_cycle": {"delete_after_create": seconds}}
        await self.call("PATCH", f"/v1/services/{_named(service_id)}", body=body)

    async def definition(self, service: Service) -> Definition | None:
        """What a service's container was given in plain; None while there is no deployment."""
        if not service.latest_deployment_id:
            return None
        try:
            reply = (await self.call("GET", f"/v1/deployments/{service.latest_deployment_id}")).decode(DeploymentReply)
        except Refused as problem:
            _raise_unless_missing(problem)
            return None
        found = reply.deployment.definition
        rows = found.env or [] if found is not None else []
        return Definition(env={row.key: row.value for row in rows if row.value is not None})

    async def instances(self, service_id: str) -> tuple[Instance, ...]:
        """The containers that a service has had, in no order."""
        pages = await self.pages("/v1/instances", InstancesReply, {"service_id": _named(service_id)})
        return tuple({row.id: row for page in pages for row in page.instances or ()}.values())

    async def quotas(self, organization_id: str) -> Quotas:
        """What the plan of an organization allows."""
        return (
            (await self.call("GET", f"/v1/organizations/{_named(organization_id)}/quotas")).decode(QuotasReply).quotas
        )

    async def logs(self, service_id: str, since: float, limit: int) -> tuple[LogLine, ...]:
        """The last lines of a service's runtime log from an instant on, oldest first; at most a thousand."""
        params = logs.query(_named(service_id), since, limit)
        found: list[LogLine] = []
        for _ in range(PAGES):
            reply = (await self.call("GET", logs.QUERY, params=params)).decode(logs.QueryReply)
            found += reply.lines()
            follows = reply.follows()
            if follows is None or len(found) >= limit:
                break
            params |= follows
        return tuple(reversed(found[:limit]))

    def tail(self, service_id: str, since: float, told: tuple[LogLine, ...] = ()) -> AsyncGenerator[LogLine, None]:
        """Lines of a service's runtime log as they come, from an instant on, without those `told` already."""
        return logs.tail(self._api_url, self._token, _named(service_id), since, told)

    async def catalog(self) -> Catalog:
        """What Koyeb sells now. Raises `Unknown` when it says it sells nothing."""
        rows = await self.pages("/v1/catalog/instances", CatalogReply, {})
        regions = await self.pages("/v1/catalog/regions", RegionsReply, {})
        found = catalog_of(
            [row for page in rows for row in page.instances or ()],
            [row for page in regions for row in page.regions or ()],
            "live",
        )
        if not found.regions or not found.instance_types:
            raise Unknown("koyeb GET /v1/catalog: no region or no instance type in the answer")
        return found


def _named(key: str) -> str:
    if not key:
        raise ValueError("an empty id would address everything")
    return key


def _raise_unless_missing(problem: CallError) -> None:
    if not isinstance(problem, Refused) or problem.status != httpx.codes.NOT_FOUND:
        raise problem
