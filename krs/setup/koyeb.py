"""Koyeb: whose key it is, whether its plan runs runners, and the app that holds them."""

import msgspec

from krs.config.settings import Settings
from krs.core.catalog import Catalog
from krs.errors import CallError, Refused
from krs.koyeb import Account, KoyebClient, NameTaken, Organization, QuotaExceeded, Quotas, RunnerService
from krs.koyeb.catalog import fallback
from krs.setup.report import Line, fail, failed_call, note, ok
from krs.words import count

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
    app: bool = False
    """Whether the app is there."""


async def look(koyeb: KoyebClient, settings: Settings) -> Koyeb:
    """Check the key, its organization and plan, and the app; nothing is changed."""
    account = Account(koyeb)
    try:
        organization = await account.organization()
        app = await koyeb.find_app(settings.koyeb.app)
    except CallError as problem:
        advice = f"make a key at {KEYS_PAGE} and give it as KOYEB_TOKEN or --koyeb-token"
        return Koyeb((failed_call("koyeb.token", problem, todo=advice, where="koyeb.api_url"),))
    owner = await _owner(koyeb, account, organization)
    lines = [owner.line]
    if not owner.line.mark.failed:
        lines.append(await _trial(koyeb, settings, app.id if app else NO_APP, owner))
    there = "is there" if app else "is not there yet: it will be made"
    lines.append(ok("koyeb.app", f"{settings.koyeb.app} {there}"))
    known, catalog = organization is not None, await _catalog(koyeb)
    return Koyeb(tuple(lines), owner.quotas, catalog, known, app is not None)


class Owner(msgspec.Struct, frozen=True):
    """Whose key it is: the line to say, what the plan allows, and how many services there are."""

    line: Line
    quotas: Quotas | None = None
    services: int = 0


async def _owner(koyeb: KoyebClient, account: Account, organization: Organization | None) -> Owner:
    if organization is None:
        return Owner(ok("koyeb.token", "Koyeb takes the key; whose it is shows once there is an app"))
    name = f"organization {organization.name or organization.id}"
    if organization.plan == NO_PLAN or organization.status not in WORKS:
        state = "has no plan" if organization.plan == NO_PLAN else f"is {str(organization.status).lower()}"
        return Owner(fail("koyeb.token", f"{name} {state}", f"see {PLANS_PAGE}"))
    name = f"{name}, plan {organization.plan or 'unknown'}"
    try:
        quotas = await koyeb.quotas(organization.id)
        used = (await account.usage(organization.id)).services_in_all()
    except CallError as problem:
        return Owner(ok("koyeb.token", f"{name}; its limits: {problem.message}"))
    limit = quotas.services_of_an_app()
    most = f", at most {limit} in one app" if limit is not None else ""
    return Owner(ok("koyeb.token", f"{name}, {count(used, 'service')}{most}"), quotas, used)


async def _trial(koyeb: KoyebClient, settings: Settings, app_id: str, owner: Owner) -> Line:
    """Have Koyeb say whether it would start a runner; only a plan's refusal counts, and not while it is used up."""
    try:
        await koyeb.try_service(app_id, trial(settings))
    except QuotaExceeded as problem:
        if owner.services:
            return note("koyeb.token", f"the plan is used up at the moment: {problem.message}")
        return fail("koyeb.token", f"the plan runs no runners: {problem.message}", f"see {PLANS_PAGE}")
    except CallError as problem:
        return note("koyeb.token", f"whether the plan runs runners is not known: {problem.message}")
    return ok("koyeb.token", f"the plan runs runners (asked for a {INSTANCE} in {REGION})")


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
        return ((await _owner(koyeb, account, await account.organization())).line,)
    except CallError as problem:
        return (note("koyeb.token", problem.message),)
