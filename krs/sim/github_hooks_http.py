"""The simulated GitHub's routes for hooks: making and changing them, their deliveries, sending one again."""

import random
from typing import Any

import msgspec

from krs.sim.github import Forge
from krs.sim.github_app_http import AppHandler
from krs.sim.github_hooks import Attempt, Hook
from krs.sim.github_http import Failure, GithubHandler
from krs.sim.koyeb import rfc3339

API = "https://api.github.com"
RANGES = {"success": range(200, 400), "failure": range(400, 600)}
"""What the filter of deliveries means."""


class HooksHandler(GithubHandler):
    """`{base}/hooks`."""

    def get(self, scope: str) -> None:
        """The hooks of a scope."""
        size = min(100, int(self.get_query_argument("per_page", "30")))
        start = (int(self.get_query_argument("page", "1")) - 1) * size
        self.answer([hook_body(hook) for hook in self.forge.hooks.of(scope)[start : start + size]])

    def post(self, scope: str) -> None:
        """A new hook, which is pinged at once."""
        order = msgspec.json.decode(self.request.body, type=dict[str, Any])
        config = {"content_type": "form", "insecure_ssl": "0", **order.get("config", {})}
        if not config.get("url"):
            raise Failure(422, "Validation Failed")
        if any(hook.url == config["url"] for hook in self.forge.hooks.of(scope)):
            raise Failure(422, "Validation Failed: Hook already exists on this repository")
        events = tuple(order.get("events", ("push",)))
        hook = self.forge.hooks.create(scope, config, events, active=order.get("active", True))
        self.forge.hooks.ping(hook)
        self.answer(hook_body(hook), 201)

    def hook(self, found: tuple[str, ...]) -> Hook:
        """The hook of a path's scope and number. Raises `Failure` (404)."""
        scope, key = found
        hook = next((hook for hook in self.forge.hooks.of(scope) if hook.id == int(key)), None)
        if hook is None:
            raise Failure(404, "Not Found")
        return hook

    def attempt(self, hook: Hook, key: str) -> Attempt:
        """A delivery by its number. Raises `Failure` (404)."""
        if int(key) not in hook.log:
            raise Failure(404, "Not Found")
        return hook.log[int(key)]


class HookHandler(HooksHandler):
    """`{base}/hooks/{id}`."""

    def get(self, *found: str) -> None:
        """One hook."""
        self.answer(hook_body(self.hook(found)))

    def patch(self, *found: str) -> None:
        """Change it; a configuration is replaced whole, which takes a secret away that is not in it."""
        hook = self.hook(found)
        order = msgspec.json.decode(self.request.body, type=dict[str, Any])
        if "config" in order:
            hook.config = {"content_type": "form", "insecure_ssl": "0", **order["config"]}
        hook.events = tuple(order.get("events", hook.events))
        hook.active = order.get("active", hook.active)
        hook.standing = False
        self.answer(hook_body(hook))

    def delete(self, *found: str) -> None:
        """Take it away."""
        self.forge.hooks.delete(self.hook(found))
        self.set_status(204)
        self.finish()


class PingsHandler(HooksHandler):
    """`{base}/hooks/{id}/pings`."""

    def post(self, *found: str) -> None:
        """Ping it."""
        self.forge.hooks.ping(self.hook(found))
        self.set_status(204)
        self.finish()


class DeliveriesHandler(HooksHandler):
    """`{base}/hooks/{id}/deliveries`."""

    def get(self, *found: str) -> None:
        """The log, newest first, in pages that name the next one."""
        size = min(100, int(self.get_query_argument("per_page", "30")))
        wanted = RANGES.get(self.get_query_argument("status", ""), range(1, 1000))
        cursor = self.get_query_argument("cursor", "").removeprefix("v1_")
        log = sorted(self.hook(found).log.values(), key=lambda attempt: -attempt.id)
        rows = [row for row in log if row.code in wanted and (not cursor or row.id <= int(cursor))]
        if len(rows) > size:
            link = f"{API}{self.request.path}?per_page={size}&cursor=v1_{rows[size].id}"
            self.set_header("Link", f'<{link}>; rel="next"')
        self.answer([attempt_body(row) for row in rows[:size]])


class DeliveryHandler(HooksHandler):
    """`{base}/hooks/{id}/deliveries/{id}`."""

    def get(self, *found: str) -> None:
        """One delivery with what was sent and answered."""
        hook = self.hook(found[:-1])
        attempt = self.attempt(hook, found[-1])
        request = {"headers": attempt.headers, "payload": msgspec.json.decode(attempt.body)}
        response = {"headers": {}, "payload": attempt.answer}
        self.answer({**attempt_body(attempt), "url": hook.url, "request": request, "response": response})


class AttemptsHandler(HooksHandler):
    """`{base}/hooks/{id}/deliveries/{id}/attempts`."""

    def post(self, *found: str) -> None:
        """Send it again."""
        hook = self.hook(found[:-1])
        self.forge.hooks.again(hook, self.attempt(hook, found[-1]))
        self.answer({}, 202)


class OfApp(AppHandler, HooksHandler):
    """What the routes of the App's own hook share: its JWT, and the one hook."""

    def hook(self, found: tuple[str, ...]) -> Hook:
        """The App's."""
        return self.forge.hooks.app


class AppConfigHandler(OfApp):
    """`/app/hook/config`."""

    def get(self, *found: str) -> None:
        """Where it delivers."""
        self.answer(self.forge.hooks.app.shown_config())

    def patch(self) -> None:
        """Change what is named."""
        self.forge.hooks.app.config |= msgspec.json.decode(self.request.body, type=dict[str, Any])
        self.get()


class AppDeliveriesHandler(OfApp, DeliveriesHandler):
    """`/app/hook/deliveries`."""


class AppDeliveryHandler(OfApp, DeliveryHandler):
    """`/app/hook/deliveries/{id}`."""


class AppAttemptsHandler(OfApp, AttemptsHandler):
    """`/app/hook/deliveries/{id}/attempts`."""


def hook_body(hook: Hook) -> dict[str, Any]:
    """A hook as GitHub shows it."""
    base = f"{API}/{'repos' if '/' in hook.scope else 'orgs'}/{hook.scope}/hooks/{hook.id}"
    last = next(reversed(hook.log.values()), None)
    body = {
        "type": hook.kind,
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": list(hook.events),
        "config": hook.shown_config(),
        "updated_at": rfc3339(hook.at),
        "created_at": rfc3339(hook.at),
        "url": base,
        "ping_url": f"{base}/pings",
        "deliveries_url": f"{base}/deliveries",
    }
    if hook.kind == "Repository":
        code, status = (last.code, last.status) if last is not None and last.code else (None, "unused")
        body |= {"test_url": f"{base}/test", "last_response": {"code": code, "status": status, "message": None}}
    return body


def attempt_body(attempt: Attempt) -> dict[str, Any]:
    """A row of the log as GitHub shows it."""
    return {
        "id": attempt.id,
        "guid": attempt.guid,
        "delivered_at": rfc3339(attempt.at),
        "redelivery": attempt.redelivery,
        "duration": attempt.duration,
        "status": attempt.status,
        "status_code": attempt.code,
        "event": attempt.event,
        "action": attempt.action,
        "installation_id": None,
        "repository_id": 2,
        "throttled_at": None,
    }


def routes(forge: Forge, dice: random.Random) -> list[tuple[str, type[HooksHandler], dict[str, Any]]]:
    """All of these."""
    given = {"forge": forge, "dice": dice}
    found: list[tuple[str, type[HooksHandler]]] = [
        (r"/app/hook/config", AppConfigHandler),
        (r"/app/hook/deliveries", AppDeliveriesHandler),
        (r"/app/hook/deliveries/(\d+)", AppDeliveryHandler),
        (r"/app/hook/deliveries/(\d+)/attempts", AppAttemptsHandler),
    ]
    for base in (r"/repos/([^/]+/[^/]+)/hooks", r"/orgs/([^/]+)/hooks"):
        found += [
            (base, HooksHandler),
            (rf"{base}/(\d+)", HookHandler),
            (rf"{base}/(\d+)/pings", PingsHandler),
            (rf"{base}/(\d+)/deliveries", DeliveriesHandler),
            (rf"{base}/(\d+)/deliveries/(\d+)", DeliveryHandler),
            (rf"{base}/(\d+)/deliveries/(\d+)/attempts", AttemptsHandler),
        ]
    return [(path, handler, given) for path, handler in found]
