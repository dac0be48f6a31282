"""Judgements about Koyeb: the key, the quotas, the calls that are left."""

from krs.core.vocabulary import Reason
from krs.doctor.evidence import Evidence, Inside, KoyebSeen
from krs.doctor.inside import blocked
from krs.doctor.rows import Row, Rows, fail, ok, skipped, unanswered, warn
from krs.koyeb import Organization, Quotas, Usage

NEARLY = 0.8
"""Part of a quota from which it is worth a warning."""
MORE = "delete services that are not needed, or ask Koyeb for a higher quota"
KEY = "set KOYEB_TOKEN to a key of the organization that pays, and restart krs"
SERVING = (None, "ACTIVE", "WARNING")
"""What Koyeb calls an organization that may run something."""


def koyeb_token(seen: Evidence) -> Rows:
    """Koyeb takes the key; whose it is."""
    if seen.koyeb.token is not None:
        yield unanswered(seen.koyeb.token, KEY)
        return
    match seen.koyeb.organization:
        case Organization(name=name, plan=plan, status=status, id=key):
            text = f"works: organization {name or key}" + (f", plan {plan}" if plan else "")
            yield ok(text) if status in SERVING else fail(f"{text}, which is {status}", "ask Koyeb why")
        case _:
            yield ok("works; whose it is cannot be learned before there is an app")


def koyeb_quota(seen: Evidence) -> Rows:
    """There is room for more services, and for more instances of the types in use."""
    koyeb, refused = seen.koyeb, _refusal(seen.inside)
    if isinstance(koyeb.quotas, Quotas) and isinstance(koyeb.usage, Usage):
        yield from _quotas(koyeb, koyeb.quotas, koyeb.usage, _types(seen.inside))
    elif refused:
        yield fail(f"full: Koyeb refused a runner: {refused}", MORE)
    else:
        problems = (koyeb.token, koyeb.quotas, koyeb.usage)
        why = next((problem for problem in problems if isinstance(problem, Exception)), None)
        yield skipped(f"not known: {why or 'the organization is not known'}")


def _refusal(inside: Inside | None) -> str:
    """What Koyeb said when it last refused a runner for a quota, as long as that holds."""
    if inside is None:
        return ""
    now = inside.snapshot
    said = (pool.blocked_message for pool in now.pools if pool.blocked_reason is Reason.QUOTA and blocked(pool, now.at))
    return next(said, "")


def _types(inside: Inside | None) -> frozenset[str]:
    return frozenset(pool.instance_type for pool in inside.snapshot.pools) if inside is not None else frozenset()


def _quotas(koyeb: KoyebSeen, quotas: Quotas, usage: Usage, types: frozenset[str]) -> Rows:
    limits: list[tuple[str, int, int]] = []
    if (in_all := quotas.services_in_all()) is not None:
        limits.append(("services", usage.services_in_all(), in_all))
    of_app = quotas.services_of_an_app()
    if of_app is not None and of_app != in_all and isinstance(koyeb.app_services, int):
        limits.append(("services in the app", koyeb.app_services, of_app))
    have = usage.instances_by_type()
    kinds = [(kind, quotas.instances_of(kind)) for kind in sorted(types | have.keys())]
    limits += [(f"instances of type {kind}", have.get(kind, 0), most) for kind, most in kinds if most is not None]
    yield from (
        _quota(f"{used} of {limit} {what}", used, limit) for what, used, limit in limits if used >= NEARLY * limit
    )
    if all(used < NEARLY * limit for _, used, limit in limits):
        yield ok(", ".join(f"{used} of {limit} {what}" for what, used, limit in limits) or "no limit is named")


def _quota(text: str, used: int, limit: int) -> Row:
    return fail(f"full: {text}", MORE) if used >= limit else warn(f"nearly full: {text}", MORE)
