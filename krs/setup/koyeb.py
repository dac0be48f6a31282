"""Koyeb: whose key it is, whether its plan runs runners, and the app that holds them."""

from collections.abc import Sequence

import msgspec

from krs.config.settings import Settings
from krs.core.catalog import Catalog
from krs.errors import CallError, Refused
from krs.koyeb import Account, KoyebClient, NameTaken, Organization, QuotaExceeded, Quotas, RunnerService
from krs.koyeb.catalog import fallback
from krs.setup.report import Line, fail, failed_call, note, ok

KEYS_PAGE = "https://app.koyeb.com/settings/api"
PLANS_PAGE = "https://app.koyeb.com/settings/plans"
NO_PLAN = "no_plan"
WORKS = (None, "ACTIVE", "WARNING")
"""What an organization's status is while it may run things."""
NO_APP = "00000000-0000-0000-0000-000000000000"
"""Stands for an app that is still to be made, in a check that makes nothing."""
TRIAL_NAME = "runner-fra-small-check"
REGION, INSTANCE = "fra", "small"


class Koyeb(msgspec.Struct, frozen=True):
    """What was found: lines to say, and what the plan allows as far as Koyeb tells."""

    lines: tuple[Line, ...]
    quotas: Quotas | None = None
    catalog: Catalog = fallback()
    known: bool = False
    """Whether it is known whose key it is."""


async def look(koyeb: KoyebClient, settings: Settings) -> Koyeb:
    """Check the key, its organization and plan, and the app; nothing is changed."""
    account = Account(koyeb)
    try:
        organization = await account.organization()
        app = await koyeb.find_app(settings.koyeb.app)
    except CallError as problem:
        advice = f"make a key at {KEYS_PAGE} and give it as KOYEB_TOKEN or --koyeb-token"
        return Koyeb((failed_call("koyeb.token", problem, todo=advice, where="koyeb.api_url"),))
    whose, quotas = await _whose(koyeb, account, organization)
    lines = [whose]
    if not whose.mark.failed:
        lines += await _trial(koyeb, settings, app.id if app else NO_APP)
    there = "is there" if app else "is not there yet: it will be made"
    lines.append(ok("koyeb.app", f"{settings.koyeb.app} {there}"))
    return Koyeb(tuple(lines), quotas, await _catalog(koyeb), organization is not None)


async def _whose(koyeb: KoyebClient, account: Account, organization: Organization | None) -> tuple[Line, Quotas | None]:
    if organization is None:
        return ok("koyeb.token", "Koyeb takes the key; whose it is shows once there is an app"), None
    name = f"organization {organization.name or organization.id}"
    if organization.plan == NO_PLAN or organization.status not in WORKS:
        state = "has no plan" if organization.plan == NO_PLAN else f"is {str(organization.status).lower()}"
        return fail("koyeb.token", f"{name} {state}", f"see {PLANS_PAGE}"), None
    try:
        quotas = await koyeb.quotas(organization.id)
        used = (await account.usage(organization.id)).services_in_all()
    except CallError as problem:
        return ok("koyeb.token", f"{name}, plan {organization.plan or 'unknown'}; its limits: {problem.message}"), None
    limit = quotas.services_of_an_app()
    room = f"{used} services, at most {limit} in one app" if limit is not None else f"{used} services"
    return ok("koyeb.token", f"{name}, plan {organization.plan or 'unknown'}, {room}"), quotas


async def _trial(koyeb: KoyebClient, settings: Settings, app_id: str) -> Sequence[Line]:
    """Have Koyeb say whether it would start a runner; only a plan's refusal counts."""
    try:
        await koyeb.try_service(app_id, trial(settings))
    except QuotaExceeded as problem:
        return [fail("koyeb.token", f"the plan runs no runners: {problem.message}", f"see {PLANS_PAGE}")]
    except CallError as problem:
        return [note("koyeb.token", f"whether the plan runs runners is not known: {problem.message}")]
    return [ok("koyeb.token", f"the plan runs runners (asked for a {INSTANCE} in {REGION})")]


def trial(settings: Settings) -> RunnerService:
    """A runner as one would be started, with nothing secret in it."""
    return RunnerService(
        name=TRIAL_NAME,
        region=REGION,
        instance_type=INSTANCE,
        image=settings.runners.image,
        privileged=settings.runners.docker,
        entrypoint=(),
        args=(),
        env=(),
        delete_after_create=None,
    )


async def _catalog(koyeb: KoyebClient) -> Catalog:
    try:
        return await koyeb.catalog()
    except CallError:
        return fallback()


async def make_app(koyeb: KoyebClient, settings: Settings, *, known: bool) -> tuple[Line, ...]:
    """Make the app if it is missing; then say whose key it is, if that was not `known` before."""
    name = settings.koyeb.app
    try:
        await koyeb.ensure_app(name)
    except NameTaken as problem:
        text = f"{name} is taken by an app that this key does not see: {problem.message}"
        return (fail("koyeb.app", text, "choose another name with --app"),)
    except Refused as problem:
        return (fail("koyeb.app", f"{name}: {problem.message}", "choose another name with --app"),)
    except CallError as problem:
        return (failed_call("koyeb.app", problem, todo="", where="koyeb.api_url"),)
    if known:
        return ()
    account = Account(koyeb)
    try:
        return ((await _whose(koyeb, account, await account.organization()))[0],)
    except CallError as problem:
        return (note("koyeb.token", problem.message),)
