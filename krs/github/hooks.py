"""GitHub's hooks: of a repository, of an organization, and the one of a GitHub App; their logs; installing one.

https://docs.github.com/rest/repos/webhooks, https://docs.github.com/rest/orgs/webhooks, https://docs.github.com/rest/apps/webhooks
"""

import re
import urllib.parse
from collections.abc import Sequence
from enum import Enum
from typing import Any

import httpx
import msgspec

from krs.errors import Unknown
from krs.github.auth import Need
from krs.github.client import PAGE, PAGES, GithubClient
from krs.github.models import AppReply, DeliveryDetailReply, DeliveryReply, HookConfig, HookReply
from krs.github.wire import base, epoch
from krs.rest import Reply
from krs.secret import Secret

EVENT = "workflow_job"
"""The only event that krs needs."""
ANY = "*"
PATHS = ("", "/webhook")
"""Where a daemon takes deliveries."""
KEPT = 3 * 24 * 3600.0
"""Seconds for which GitHub keeps deliveries and sends them again
(https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks)."""
NEXT = re.compile(r'<[^>]*[?&]cursor=([^&>]+)[^>]*>;\s*rel="next"')


class HookRef(msgspec.Struct, frozen=True, order=True):
    """Which hook. `scope` is `owner/repo` or an organization; empty for the App's own hook, which has no number."""

    scope: str = ""
    id: int = 0

    @property
    def path(self) -> str:
        """Its path in the API."""
        return f"{base(self.scope)}/hooks/{self.id}" if self.scope else "/app/hook"

    def __str__(self) -> str:
        return f"hook {self.id} of {self.scope}" if self.scope else "the App's hook"


APP = HookRef()


class Hook(msgspec.Struct, frozen=True):
    """A hook. `secret` tells only whether it has one; `answered` is the status of its latest delivery, 0 if unknown."""

    ref: HookRef
    url: str
    events: tuple[str, ...]
    active: bool
    content_type: str
    verified: bool
    """Whether GitHub checks the certificate of its address."""
    signed: bool
    """Whether it has a secret."""
    answered: int = 0

    @property
    def hears(self) -> bool:
        """Whether it sends what krs needs."""
        return self.active and (EVENT in self.events or ANY in self.events)


class Delivery(msgspec.Struct, frozen=True):
    """One try to deliver an event; all tries of an event, at all hooks, share its `guid`. `at` is in seconds."""

    id: int
    guid: str
    at: float
    event: str
    action: str
    redelivery: bool
    status: str
    code: int

    @property
    def failed(self) -> bool:
        """Whether it did not arrive."""
        return not 200 <= self.code < 400


def once(log: Sequence[Delivery]) -> list[Delivery]:
    """Of all tries of an event the first in the log, which is the latest; in the log's order."""
    return list({row.guid: row for row in reversed(log)}.values())[::-1]


class DeliveryDetail(msgspec.Struct, frozen=True):
    """A delivery with what was sent and what was answered."""

    delivery: Delivery
    url: str
    headers: dict[str, str]
    payload: dict[str, Any]
    answer: str


class Hooks:
    """Hooks as one identity may see them. Raises `Denied`, with `needs`, for what the credential may not do."""

    def __init__(self, github: GithubClient) -> None:
        self._github = github

    async def list(self, scope: str) -> tuple[Hook, ...]:
        """The hooks of a repository or an organization."""
        found: dict[int, HookReply] = {}
        path = f"{base(scope)}/hooks"
        for page in range(1, PAGES + 1):
            params = {"per_page": str(PAGE), "page": str(page)}
            reply = await self._github.call("GET", path, scope=scope, need=Need.HOOKS_READ, params=params)
            rows = reply.decode(list[HookReply])
            found |= {row.id: row for row in rows}
            if len(rows) < PAGE:
                return tuple(_hook(scope, row) for row in found.values())
        raise Unknown(f"github GET {path}: more than {PAGES} pages")

    async def get(self, ref: HookRef) -> Hook:
        """One hook; of an App what can be known of its own."""
        if not ref.scope:
            events = (await self._call("GET", APP, Need.HOOKS_READ, path="/app")).decode(AppReply).events
            config = (await self._call("GET", APP, Need.HOOKS_READ, "/config")).decode(HookConfig)
            return _hook("", HookReply(id=0, active=bool(config.url), events=events, config=config))
        return _hook(ref.scope, (await self._call("GET", ref, Need.HOOKS_READ)).decode(HookReply))

    async def create(self, scope: str, url: str, secret: Secret) -> Hook:
        """A new hook that sends JSON, signed, of jobs only."""
        body = {"name": "web", **_wanted(url, secret)}
        path = f"{base(scope)}/hooks"
        hide = (secret.reveal(),)
        reply = await self._github.call("POST", path, scope=scope, need=Need.HOOKS_WRITE, body=body, hide=hide)
        return _hook(scope, reply.decode(HookReply))

    async def repair(self, ref: HookRef, url: str, secret: Secret) -> Hook:
        """Have a hook be as `create` makes it; of an App only what is in its configuration can be changed."""
        wanted = _wanted(url, secret)
        if not ref.scope:
            await self._call("PATCH", APP, Need.HOOKS_WRITE, "/config", body=wanted["config"], hide=secret)
            return await self.get(APP)
        reply = await self._call("PATCH", ref, Need.HOOKS_WRITE, body=wanted, hide=secret)
        return _hook(ref.scope, reply.decode(HookReply))

    async def ping(self, ref: HookRef) -> None:
        """Have GitHub send a `ping`; an App's hook cannot be asked for one."""
        # Of a repository it takes the right to read, of an organization the right to write.
        need = Need.HOOKS_READ if "/" in ref.scope else Need.HOOKS_WRITE
        await self._call("POST", ref, need, "/pings")

    async def deliveries(
        self, ref: HookRef, *, since: float = 0.0, failed: bool = False, limit: int = PAGE * PAGES
    ) -> tuple[Delivery, ...]:
        """Deliveries since an instant, newest first: the log is read no further back than that, or than `limit`."""
        found: dict[int, Delivery] = {}
        need = Need.HOOKS_READ if ref.scope else Need.IDENTITY
        path = f"{ref.path}/deliveries"
        params = {"per_page": str(min(PAGE, limit)), **({"status": "failure"} if failed else {})}
        for _ in range(PAGES):
            if "cursor" not in params:
                reply = await self._github.cached(path, params, scope=ref.scope, need=need)
            else:  # a cursor is never asked for again
                reply = await self._github.call("GET", path, scope=ref.scope, need=need, params=params)
            rows = [_delivery(row) for row in reply.decode(list[DeliveryReply])]
            found |= {row.id: row for row in rows if row.at >= since}
            more = NEXT.search(reply.headers.get("link", ""))
            if more is None or len(found) >= limit or any(row.at < since for row in rows):
                break
            params["cursor"] = urllib.parse.unquote(more[1])
        return tuple(found.values())[:limit]

    async def delivery(self, ref: HookRef, delivery_id: int) -> DeliveryDetail:
        """One delivery whole."""
        reply = await self._call("GET", ref, Need.HOOKS_READ, f"/deliveries/{delivery_id}")
        row = reply.decode(DeliveryDetailReply)
        request = row.request
        return DeliveryDetail(
            delivery=_delivery(row),
            url=row.url,
            headers=request.headers or {},
            payload=request.payload or {},
            answer=row.response.payload or "",
        )

    async def redeliver(self, ref: HookRef, delivery_id: int) -> None:
        """Have GitHub send a delivery again, with the same GUID."""
        await self._call("POST", ref, Need.HOOKS_WRITE, f"/deliveries/{delivery_id}/attempts")

    async def _call(
        self,
        method: str,
        ref: HookRef,
        need: Need,
        tail: str = "",
        *,
        path: str = "",
        body: object = None,
        hide: Secret | None = None,
    ) -> Reply:
        asked = need if ref.scope else Need.IDENTITY
        path, hidden = path or ref.path + tail, (hide.reveal(),) if hide is not None else ()
        return await self._github.call(method, path, scope=ref.scope, need=asked, body=body, hide=hidden)


def _wanted(url: str, secret: Secret) -> dict[str, Any]:
    config = {"url": url, "content_type": "json", "secret": secret.reveal(), "insecure_ssl": "0"}
    return {"config": config, "events": [EVENT], "active": True}


def _hook(scope: str, row: HookReply) -> Hook:
    return Hook(
        ref=HookRef(scope, row.id),
        url=row.config.url,
        events=tuple(row.events),
        active=row.active,
        content_type=row.config.content_type,
        verified=str(row.config.insecure_ssl) in ("0", "0.0"),
        signed=bool(row.config.secret),
        answered=row.last_response.code or 0,
    )


def _delivery(row: DeliveryReply) -> Delivery:
    return Delivery(
        id=row.id,
        guid=row.guid,
        at=epoch(row.delivered_at),
        event=row.event,
        action=row.action or "",
        redelivery=row.redelivery,
        status=row.status,
        code=row.status_code,
    )


class Outcome(Enum):
    """What `install` did; CONFIRMED sent the secret again, which GitHub does not show, and changed nothing else."""

    CREATED = "created"
    REPAIRED = "repaired"
    CONFIRMED = "confirmed"


class Plan(msgspec.Struct, frozen=True):
    """What is to be done: `hook` is the one to repair, None to create; `wrong` says what is to be changed about it.

    `others` deliver to the same daemon too, which does no harm.
    """

    hook: Hook | None
    wrong: tuple[str, ...] = ()
    others: tuple[Hook, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """What carrying it out comes to."""
        if self.hook is None:
            return Outcome.CREATED
        return Outcome.REPAIRED if self.wrong else Outcome.CONFIRMED


class Installed(msgspec.Struct, frozen=True):
    """A hook as it is now, and what was done for that; `missing` is what cannot be set by the API."""

    hook: Hook
    plan: Plan
    missing: tuple[str, ...] = ()


def plan(hooks: Sequence[Hook], url: str, hook_id: int = 0) -> Plan:
    """How to get a hook that delivers to `url`: repair the one of this number or of this daemon, or create one.

    Pure. Raises `ValueError` when no hook has the number.
    """
    ours = [hook for hook in hooks if same_daemon(hook.url, url)]
    if hook_id:
        named = [hook for hook in hooks if hook.ref.id == hook_id]
        if not named:
            raise ValueError(f"there is no hook {hook_id}")
        ours = named + [hook for hook in ours if hook not in named]
    else:
        ours.sort(key=lambda hook: hook.url != url)
    return Plan(ours[0], faults(ours[0], url), tuple(ours[1:])) if ours else Plan(None)


def faults(hook: Hook, url: str) -> tuple[str, ...]:
    """What is not as `create` would make it, in words; whether the secret is the right one cannot be seen."""
    texts = {
        f"it delivers to {hook.url or 'nowhere'}": hook.url != url,
        f"its content type is {hook.content_type}": hook.content_type != "json",
        "it does not check certificates": not hook.verified,
        "it has no secret": not hook.signed,
    }
    if hook.ref.scope:
        texts |= {
            f"it sends {', '.join(hook.events) or 'nothing'} and not just {EVENT}": hook.events != (EVENT,),
            "it is switched off": not hook.active,
        }
    return tuple(text for text, holds in texts.items() if holds)


def same_daemon(url: str, other: str) -> bool:
    """Whether two addresses are one daemon's: the same but for the paths that it takes deliveries at."""
    return url == other or _home(url) == _home(other) != ""


def _home(url: str) -> str:
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return ""
    here = parts.host and parts.path.rstrip("/") in PATHS
    return f"{parts.scheme}://{parts.netloc.decode()}" if here else ""


async def install(hooks: Hooks, scope: str, url: str, secret: Secret, *, hook_id: int = 0) -> Installed:
    """Have a hook of `scope` deliver jobs to `url`, signed with `secret`; with no scope, the App's own.

    To be run again at will: what is right stays. Raises a `CallError`, and `ValueError` as `plan` does.
    """
    if scope:
        chosen = plan(await hooks.list(scope), url, hook_id)
    else:
        found = await hooks.get(APP)
        chosen = Plan(found, faults(found, url))
    if chosen.hook is None:
        return Installed(await hooks.create(scope, url, secret), chosen)
    now = await hooks.repair(chosen.hook.ref, url, secret)
    deaf = not scope and EVENT not in now.events
    return Installed(now, chosen, (f"subscribe the App to the event {EVENT} in its settings",) if deaf else ())
