"""The simulated Koyeb's routes. Unknown paths answer 200 with HTML, as the real host does."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import tornado.ioloop
import tornado.web
import tornado.websocket

from krs.core.catalog import InstanceType
from krs.sim.koyeb import ORGANIZATION, Cloud, Failure, Service, rfc3339

LARGEST_PAGE = 100
LOOK_BACK = 900.0
"""Seconds that a query for lines looks back when it names no start."""
HANG = 3600.0
"""Seconds after which a call that is never answered is let go."""
TAIL_EVERY = 100
"""Milliseconds between two looks for new lines."""


class KoyebHandler(tornado.web.RequestHandler):
    """What all routes share: the token, the moods, the shape of errors."""

    def initialize(self, cloud: Cloud, token: str, dice: random.Random) -> None:
        """Keep what the route was given."""
        self.cloud = cloud
        self._token = token
        self._dice = dice

    async def prepare(self) -> None:
        """Be in a mood, then check the token."""
        await self._be_moody()
        if self.cloud.moods.koyeb_revoked or self.request.headers.get("Authorization") != f"Bearer {self._token}":
            raise Failure(401, "authentication_error", "Invalid token format")
        self.set_header("x-ratelimit-limit", "400, 400;w=60")
        self.set_header("x-ratelimit-remaining", "399")
        self.set_header("x-ratelimit-reset", "60")

    async def _be_moody(self) -> None:
        moods = self.cloud.moods
        if moods.koyeb_latency:
            await asyncio.sleep(moods.koyeb_latency)
        if moods.koyeb_down:
            raise Failure(503, "api_error", "Service unavailable")
        if self._dice.random() < moods.koyeb_hangs:
            await asyncio.sleep(HANG)
        if self._dice.random() < moods.koyeb_throttled:
            self.set_header("x-ratelimit-reset", "20")
            raise Failure(429, "rate_limited", "Too many requests")
        if self._dice.random() < moods.koyeb_html:
            self.finish("<!doctype html><title>Koyeb</title>")

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent."""
        try:
            return msgspec.json.decode(self.request.body, type=dict[str, Any])
        except msgspec.DecodeError:
            raise Failure(400, "invalid_argument", "Body is not a JSON object") from None

    def answer(self, body: dict[str, Any]) -> None:
        """Send an answer, unless it gets lost on the way."""
        if self.request.method in ("POST", "DELETE") and self._dice.random() < self.cloud.moods.koyeb_answer_lost:
            raise Failure(503, "api_error", "Service unavailable")
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(body))

    def page(self, key: str, rows: list[dict[str, Any]], *, has_next: bool = True) -> None:
        """One page of a list."""
        limit = min(LARGEST_PAGE, int(self.get_query_argument("limit", "20")))
        offset = int(self.get_query_argument("offset", "0"))
        shown = rows[offset : offset + limit]
        body: dict[str, Any] = {key: shown, "limit": limit, "offset": offset, "count": len(rows)}
        if has_next:
            body["has_next"] = offset + len(shown) < len(rows)
        self.answer(body)

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Errors in Koyeb's shape."""
        problem = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(problem, Failure):
            self.set_status(problem.status)
            self.set_header("Content-Type", "application/json")
            self.finish(msgspec.json.encode(problem.body))
        else:
            self.finish({"status": status_code, "code": "api_error", "message": self._reason})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Answers that are errors are no news."""
        if not isinstance(value, Failure):
            super().log_exception(typ, value, tb)


class AppsHandler(KoyebHandler):
    """`/v1/apps`."""

    def get(self) -> None:
        """Apps whose name begins with the filter."""
        prefix = self.get_query_argument("name", "")
        found = {name: key for name, key in self.cloud.apps.items() if name.startswith(prefix)}
        self.page("apps", [app(key, name, self.domains(key)) for name, key in found.items()])

    def post(self) -> None:
        """A new app."""
        name = str(self.body().get("name", ""))
        self.answer({"app": app(self.cloud.create_app(name), name, ())})

    def domains(self, key: str) -> tuple[str, ...]:
        """Under which names an app is reached: this server's own, which answers for it, once it has a web service."""
        web = any(row.app_id == key and row.definition.get("type") == "WEB" for row in self.cloud.alive())
        return (self.request.host,) if web else ()


class AppHandler(KoyebHandler):
    """`/v1/apps/{id}`."""

    def delete(self, key: str) -> None:
        """Take it away with all that is in it."""
        self.cloud.delete_app(key)
        self.answer({})


class ServicesHandler(KoyebHandler):
    """`/v1/services`."""

    def get(self) -> None:
        """Services of an app whose name begins with the filter."""
        app_id, prefix = self.get_query_argument("app_id", ""), self.get_query_argument("name", "")
        found = [s for s in self.cloud.alive() if app_id in ("", s.app_id) and s.name.startswith(prefix)]
        omits = self.cloud.moods.koyeb_omits
        self.page("services", [service(row) for row in found if self._dice.random() >= omits])

    def post(self) -> None:
        """A new service, or with `dry_run` only whether there could be one."""
        if self.get_query_argument("dry_run", "") == "true":
            self.answer({"service": service(self.cloud.planned(self.body()))})
        else:
            self.answer({"service": service(self.cloud.create_service(self.body()))})


class ServiceHandler(KoyebHandler):
    """`/v1/services/{id}`."""

    def get(self, key: str) -> None:
        """One service."""
        self.answer({"service": service(self.cloud.find(key))})

    def patch(self, key: str) -> None:
        """Another life cycle; nothing else can be changed here."""
        seconds = int((self.body().get("life_cycle") or {}).get("delete_after_create") or 0)
        self.answer({"service": service(self.cloud.set_life_cycle(key, seconds))})

    def put(self, key: str) -> None:
        """Another definition: a new deployment."""
        self.answer({"service": service(self.cloud.redefine(key, self.body()["definition"]))})

    def delete(self, key: str) -> None:
        """Have it deleted."""
        self.cloud.delete_service(key)
        self.answer({})


class DeploymentHandler(KoyebHandler):
    """`/v1/deployments/{id}`."""

    def get(self, key: str) -> None:
        """One deployment with its definition, plain values of the environment included."""
        found = next((s for s in self.cloud.services.values() if s.deployment_id == key), None)
        if found is None:
            raise Failure(404, "unknown_resource", "Deployment not found")
        deployment = {"id": key, "service_id": found.id, "app_id": found.app_id, "definition": found.definition}
        words = ["a secret that it refers to does not exist"] if found.status == "ERROR" else []
        more = {"status": found.status, "messages": words, "created_at": rfc3339(found.created_at)}
        self.answer({"deployment": {**deployment, **more}})


class LogsHandler(KoyebHandler):
    """`/v1/streams/logs/query`."""

    def get(self) -> None:
        """The last lines of a service, newest first."""
        found = self.cloud.find(self.get_query_argument("service_id"))
        limit = int(self.get_query_argument("limit", "100"))
        start = self.get_query_argument("start", "")
        since = datetime.fromisoformat(start).timestamp() if start else self.cloud.agenda.now() - LOOK_BACK
        lines = [log_entry(found, at, text) for at, text in found.log if at >= since]
        self.answer({"data": lines[::-1][:limit], "pagination": {"has_more": len(lines) > limit}})


class TailHandler(tornado.websocket.WebSocketHandler):
    """`/v1/streams/logs/tail`: a WebSocket whose sub-protocol is the token."""

    def initialize(self, cloud: Cloud, token: str, dice: random.Random) -> None:
        """Keep what the route was given."""
        self._cloud = cloud
        self._token = token
        self._sent = 0

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Bearer, if the right token comes with it."""
        return "Bearer" if subprotocols == ["Bearer", self._token] else None

    def open(self) -> None:
        """Send what the log holds from `start` on, then what comes."""
        if self.selected_subprotocol is None:
            self.close()
            return
        self._service = self._cloud.find(self.get_query_argument("service_id"))
        start = datetime.fromisoformat(self.get_query_argument("start")).timestamp()
        self._sent = sum(at < start for at, _ in self._service.log)
        self._timer = tornado.ioloop.PeriodicCallback(self._send, TAIL_EVERY)
        self._timer.start()

    def _send(self) -> None:
        for at, text in self._service.log[self._sent :]:
            self.write_message(msgspec.json.encode({"result": log_entry(self._service, at, text)}).decode())
        self._sent = len(self._service.log)

    def on_close(self) -> None:
        """Stop sending."""
        if self.selected_subprotocol is not None:
            self._timer.stop()


def log_entry(row: Service, at: float, text: str) -> dict[str, Any]:
    """A log line as Koyeb shows it."""
    labels = {"type": "runtime", "stream": "stdout", "service_id": row.id, "organization_id": ORGANIZATION}
    return {"msg": text, "created_at": rfc3339(at), "labels": labels}


class InstancesHandler(KoyebHandler):
    """`/v1/catalog/instances`."""

    def get(self) -> None:
        """What is sold."""
        rows = [instance(kind) for kind in self.cloud.catalog().instance_types.values()]
        self.page("instances", rows, has_next=False)


class RegionsHandler(KoyebHandler):
    """`/v1/catalog/regions`."""

    def get(self) -> None:
        """Where it is sold."""
        rows = [
            {"id": region, "name": region, "status": "AVAILABLE"} for region in sorted(self.cloud.catalog().regions)
        ]
        self.page("regions", rows, has_next=False)


class ReadyHandler(tornado.web.RequestHandler):
    """`/readyz` of whatever web service there is."""

    def initialize(self, cloud: Cloud) -> None:
        """Keep what the route was given."""
        self._cloud = cloud

    def get(self) -> None:
        """200 once one is healthy."""
        healthy = any(row.definition.get("type") == "WEB" and row.status == "HEALTHY" for row in self._cloud.alive())
        self.set_status(200 if healthy else 503)
        self.finish("ready" if healthy else "not ready")


class HtmlHandler(tornado.web.RequestHandler):
    """Everything else is the web application."""

    def prepare(self) -> None:
        """200 and HTML, whatever is asked."""
        self.finish("<!doctype html><title>Koyeb</title>")


def app(key: str, name: str, domains: Sequence[str]) -> dict[str, Any]:
    """An app as Koyeb shows it."""
    return {
        "id": key,
        "name": name,
        "organization_id": ORGANIZATION,
        "status": "HEALTHY",
        "messages": [],
        "domains": [{"name": domain, "status": "ACTIVE", "app_id": key} for domain in domains],
    }


def service(row: Service) -> dict[str, Any]:
    """A service as Koyeb shows it; fields of value zero are left out, as they may be."""
    body: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "type": row.definition.get("type", "WORKER"),
        "organization_id": ORGANIZATION,
        "app_id": row.app_id,
        "status": row.status,
        "messages": [],
        "version": "1",
        "latest_deployment_id": row.deployment_id,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.created_at),
    }
    if row.delete_after_create:
        body["life_cycle"] = {"delete_after_create": row.delete_after_create}
    return body


def instance(kind: InstanceType) -> dict[str, Any]:
    """An instance type as Koyeb shows it; prices are decimal strings."""
    body: dict[str, Any] = {
        "id": kind.id,
        "display_name": kind.id,
        "regions": sorted(kind.regions),
        "status": "AVAILABLE",
        "service_types": ["web", "worker"] if kind.worker else ["web"],
        "memory": kind.memory,
    }
    if kind.price_hourly is not None:
        body["price_hourly"] = f"{kind.price_hourly:.4f}"
    return body


def application(cloud: Cloud, token: str, dice: random.Random) -> tornado.web.Application:
    """All routes."""
    given = {"cloud": cloud, "token": token, "dice": dice}
    return tornado.web.Application(
        [
            (r"/v1/apps", AppsHandler, given),
            (r"/readyz", ReadyHandler, {"cloud": cloud}),
            (r"/v1/apps/([^/]+)", AppHandler, given),
            (r"/v1/services", ServicesHandler, given),
            (r"/v1/services/([^/]+)", ServiceHandler, given),
            (r"/v1/deployments/([^/]+)", DeploymentHandler, given),
            (r"/v1/catalog/instances", InstancesHandler, given),
            (r"/v1/streams/logs/query", LogsHandler, given),
            (r"/v1/streams/logs/tail", TailHandler, given),
            (r"/v1/catalog/regions", RegionsHandler, given),
        ],
        default_handler_class=HtmlHandler,
        log_function=lambda _handler: None,
    )
