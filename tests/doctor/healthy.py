"""Evidence of an installation where all is well, to be changed by each test."""

from typing import Any

from msgspec.structs import replace

from krs.config.settings import Github, Koyeb, Settings, Webhook
from krs.core.model import Instant, PoolId, Scope
from krs.core.snapshot import snapshot
from krs.core.views import Check, PoolView, Snapshot
from krs.core.vocabulary import CheckName, Lifecycle
from krs.doctor.evidence import Evidence, HooksSeen, Inside, KoyebSeen, ScopeSeen
from krs.doctor.judge import diagnose
from krs.doctor.meter import Budget
from krs.github.hooks import Delivery, Hook, HookRef
from krs.koyeb import Organization, Quotas, Usage
from krs.koyeb.account import Count, Instances
from krs.secret import Secret
from krs.store.look import Look
from tests.core.build import POLICY, at, fold, job, swept

NOW = at(600)
SETTINGS = Settings(
    koyeb=Koyeb(token=Secret("hunter2-koyeb")),
    github=Github(token=Secret("hunter2-github")),
    webhook=Webhook(secret=Secret("hunter2-hook")),
)
HOOK = Hook(
    ref=HookRef("acme/api", 7),
    url="https://krs.test/",
    events=("workflow_job",),
    active=True,
    content_type="json",
    verified=True,
    signed=True,
)


def delivery(number: int, *, ago: float = 30.0, code: int = 202, guid: str = "") -> Delivery:
    """A delivery that GitHub made some seconds ago."""
    status = "OK" if code < 300 else f"Invalid HTTP Response: {code}"
    return Delivery(
        id=number,
        guid=guid or f"guid-{number}",
        at=NOW - ago,
        event="workflow_job",
        action="queued",
        redelivery=False,
        status=status,
        code=code,
    )


def hooks(*found: Hook, log: Any = (), place: str = "acme/api") -> tuple[HooksSeen, ...]:
    """The webhooks of a place; all share a log."""
    return (HooksSeen(place=place, hooks=found, deliveries=dict.fromkeys((hook.ref.id for hook in found), log)),)


def pool(**fields: Any) -> PoolView:
    """A pool of small runners."""
    return PoolView(
        id=PoolId("acme.api~koyeb-fra-small"),
        scope=Scope("acme/api"),
        labels=("koyeb-fra-small",),
        region="fra",
        instance_type="small",
        lifecycle=Lifecycle.REUSABLE,
        **fields,
    )


def world(*facts: Any, **fields: Any) -> Snapshot:
    """A daemon's world at this instant, Koyeb's services listed half a minute ago."""
    seen = snapshot(fold(swept(), *facts), NOW, POLICY, seq=1, version="1.0", counters={})
    upstreams = tuple(replace(one, answered_at=Instant(NOW - 30)) for one in seen.upstreams)
    return replace(seen, upstreams=upstreams, **fields)


def inside(*facts: Any, known: dict[str, Any] | None = None, **fields: Any) -> Inside:
    """What a daemon knows: a world, and what is `known` beside it."""
    given = {"started_at": at(0), "receipts": {"accepted": Instant(NOW - 30)}, **(known or {})}
    return Inside(snapshot=world(*facts, **fields), **given)


HEALTHY = Evidence(
    at=NOW,
    settings=SETTINGS,
    koyeb=KoyebSeen(
        organization=Organization("o", "acme", "pro", "ACTIVE"),
        quotas=Quotas(services="100", services_by_app="50", max_instances_by_type={"small": "20"}),
        usage=Usage(services={"WORKER": Count("3")}, instances=Instances({"small": "2"})),
        app_services=3,
    ),
    scopes=(ScopeSeen(scope="acme/api"),),
    hooks=hooks(HOOK, log=(delivery(2), delivery(1, ago=90))),
    budgets={"koyeb": Budget(390, 400, 30.0), "github": Budget(4800, 5000, None)},
    ahead={"koyeb": 0.4, "github": -1.2},
    store=Look(path="/state.db", size=2**20, free=2**34, schema=1),
    inside=inside(job(1), pools=(pool(queued=1),)),
)


def checked(name: str, **changes: Any) -> list[Check]:
    """What a check says of the healthy installation with some changes."""
    found = diagnose(replace(HEALTHY, **changes)).checks
    return [check for check in found if check.name is CheckName(name)]
