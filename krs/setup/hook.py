"""The webhook: what is to be done about it, doing it, and whether a delivery arrives."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import httpx

from krs.errors import CallError, Refused
from krs.github import Denied, Hooks
from krs.github.hooks import APP, EVENT, Delivery, HookRef, Installed, Outcome, Plan, faults, install, plan
from krs.secret import Secret
from krs.setup.places import origin
from krs.setup.report import Line, Mark, fail, failed_call, note, ok

TRIES = 30
PAUSE = 0.5
"""Seconds between two looks for a daemon that is ready, or for a ping's answer; 15 s in all."""
READY, NOT_READY = 200, 503
BAD_SIGNATURE = 401
SEEN = 20
"""Rows of a hook's log that are looked through for the ping."""
SUBJECT = "webhook"
TODO_HOOKS = "give the credential Webhooks: read and write, then run krs setup again"


class Intent(NamedTuple):
    """What is to be done for a scope (empty: the App's own hook); `why` tells of a hook that is not as it should be."""

    scope: str
    plan: Plan
    why: str = ""


async def intend(hooks: Hooks, scope: str, url: str, *, new_secret: bool) -> Intent:
    """Look what is there. GitHub never shows a secret: a hook that is there has another one if ours is new."""
    if scope:
        chosen = plan(await hooks.list(scope), url)
    else:
        found = await hooks.get(APP)
        chosen = Plan(found, faults(found, url))
    hook = chosen.hook
    if hook is None or (not hook.url and not hook.ref.scope):
        return Intent(scope, chosen)
    reasons = list(chosen.wrong)
    if hook.signed and (new_secret or hook.answered == BAD_SIGNATURE):
        reasons.append("it signs with another secret")
    return Intent(scope, chosen, f"{hook.ref} is there already, but {', '.join(reasons)}" if reasons else "")


async def carry_out(hooks: Hooks, intent: Intent, url: str, secret: Secret) -> tuple[Line, HookRef | None]:
    """Make or repair the hook."""
    try:
        done = await install(hooks, intent.scope, url, secret)
    except Denied as problem:
        return fail(SUBJECT, problem.message, TODO_HOOKS), None
    except CallError as problem:
        todo = f"check that GitHub can reach {url}, then run krs setup again"
        return failed_call(SUBJECT, problem, todo=todo, where="github.api_url"), None
    return _told(done, intent, url), done.hook.ref


def _told(done: Installed, intent: Intent, url: str) -> Line:
    subject = f"{SUBJECT} of {intent.scope or 'the App'}"
    what = {
        Outcome.CREATED: f"made: it sends {EVENT} to {url}",
        Outcome.REPAIRED: f"repaired ({', '.join(done.plan.wrong)}): it sends {EVENT} to {url}, signed with our secret",
        Outcome.CONFIRMED: f"in place: it sends {EVENT} to {url}; our secret was set again, GitHub does not show it",
    }[done.plan.outcome]
    if done.missing:
        return fail(subject, what, f"{', '.join(done.missing)}, then run krs setup again")
    extra = [str(hook.ref) for hook in done.plan.others]
    more = f"; {', '.join(extra)} delivers to the same daemon too, which does no harm" if extra else ""
    return ok(subject, f"{what}{more}")


async def ready(http: httpx.AsyncClient, url: str, wait: Callable[[float], Awaitable[None]] = asyncio.sleep) -> Line:
    """Whether a daemon answers where deliveries go; one that has just been started is waited for."""
    page = f"{origin(url)}/readyz"
    status = 0
    for _ in range(TRIES):
        try:
            status = (await http.get(page)).status_code
        except httpx.HTTPError:
            return note("daemon", f"none answers at {origin(url)} yet: start it, then `krs setup` again sends a ping")
        if status == READY:
            return ok("daemon", f"{page} says ready")
        if status != NOT_READY:
            break
        await wait(PAUSE)
    return note("daemon", f"{page} says {status}: no daemon of krs that is ready")


async def try_ping(hooks: Hooks, ref: HookRef, wait: Callable[[float], Awaitable[None]] = asyncio.sleep) -> Line:
    """Have GitHub send a ping, and wait until its log says how the daemon answered."""
    try:
        before = {row.id for row in await hooks.deliveries(ref, limit=SEEN)}
        await hooks.ping(ref)
        found = await _answer(hooks, ref, before, wait)
    except Refused as problem:
        return note("ping", f"not sent: {problem.message}")
    except CallError as problem:
        return failed_call("ping", problem, todo="", where="github.api_url")
    if found is None:
        return note("ping", f"GitHub's log shows no answer after {TRIES * PAUSE:.0f} s: see `krs webhook status`")
    if found.code == BAD_SIGNATURE:
        return fail("ping", "the daemon has another webhook secret (401)", "restart it with this configuration")
    if found.failed:
        text = f"GitHub says {found.code} {found.status}".rstrip()
        return Line(Mark.FAIL, "ping", text, "check that the address leads to the daemon")
    return ok("ping", f"GitHub's ping was answered {found.code}")


async def _answer(
    hooks: Hooks, ref: HookRef, before: set[int], wait: Callable[[float], Awaitable[None]]
) -> Delivery | None:
    for _ in range(TRIES):
        rows = await hooks.deliveries(ref, limit=SEEN)
        found = next((row for row in rows if row.event == "ping" and row.id not in before), None)
        if found is not None:
            return found
        await wait(PAUSE)
    return None
