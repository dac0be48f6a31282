"""Judgements about GitHub: the credential and what it may do, the webhook and what GitHub delivered."""

from collections.abc import Callable

import httpx
from msgspec.structs import replace

from krs.doctor.evidence import Evidence, HooksSeen, Inside, ScopeSeen
from krs.doctor.rows import LATER, Row, Rows, fail, ok, skipped, unanswered, warn
from krs.errors import Refused
from krs.github.hooks import ANY, EVENT, Delivery, Hook, faults, same_daemon
from krs.words import ago, count, listed

DAY = 24 * 3600.0
NO_SCOPE = skipped("no repository is known yet", "the first job names one; without a daemon name it with --scope")
NO_LOOK = "GitHub does not let krs look"
THE_APP = "the App"
"""The place of its webhook."""


def github_credential(seen: Evidence) -> Rows:
    """GitHub takes the token or the App."""
    if seen.settings.github.app_id:
        what, advice = "the App", "check github.app_id, github.private_key and this machine's clock, and restart krs"
    else:
        what, advice = "the token", "set GITHUB_TOKEN to a new token, and restart krs"
    yield ok(f"{what} works") if seen.github is None else unanswered(seen.github, advice)


def github_permissions(seen: Evidence) -> Rows:
    """The credential may do what krs asks, in each scope."""
    if seen.github is not None:
        yield skipped("the credential does not work: see github_credential")
    elif not seen.scopes:
        yield NO_SCOPE
    else:
        rows = [row for scope in seen.scopes for row in _permissions(scope)]
        rows += [row for place in seen.hooks for row in _needs(place.place, place.hooks, warn, NO_HOOKS)]
        yield from rows or [ok(f"may do all that is asked in {listed([one.scope for one in seen.scopes])}")]


NO_HOOKS = "the webhook cannot be looked at, and lost deliveries are not asked for again"


def _permissions(seen: ScopeSeen) -> Rows:
    yield from _needs(seen.scope, seen.looks, fail, "runners cannot be listed")
    yield from _needs(seen.scope, seen.registers, fail, "no runner can be registered")
    yield from _needs(seen.scope, seen.jobs, warn, "jobs whose deliveries are lost are not found")


def _needs(where: str, answer: object, finding: Callable[[str, str, str], Row], consequence: str) -> Rows:
    if isinstance(answer, Refused):
        needs = answer.needs or "to see it at all"
        yield finding(f"{consequence}: it needs {needs}", f"give the credential {needs}", where)
    elif isinstance(answer, Exception):
        yield warn(f"not known: {answer}", LATER, where)


def webhook(seen: Evidence) -> Rows:
    """The workflow jobs of each scope are sent to krs."""
    if not seen.hooks:
        yield _unseen("", "no repository is known" if seen.github is None else NO_LOOK, seen)
    for place in seen.hooks:
        if isinstance(place.hooks, tuple):
            yield _webhook(place.place, place.hooks, seen)
        else:
            yield _unseen(place.place, NO_LOOK, seen)


def _unseen(place: str, why: str, seen: Evidence) -> Row:
    if seen.inside is None or seen.inside.heard_at() is not None:
        return skipped(f"{why}: see github_permissions", subject=place)
    return fail(f"no delivery has come yet, and {why}: the webhook may be missing", new_hook(place, seen), place)


def _webhook(place: str, hooks: tuple[Hook, ...], seen: Evidence) -> Row:
    url = seen.settings.webhook.url
    ours = sorted((hook for hook in hooks if sends_jobs(hook)), key=lambda hook: not hook.active)
    ours = [hook for hook in ours if not url or same_daemon(hook.url, url)]
    if ours and not ours[0].url:
        mend = "in its settings at GitHub give it this daemon's address and webhook.secret, and tick Active"
        return fail("it delivers nowhere: it has no address", mend, place)
    if ours:
        shown = address(ours[0])
        wrong = faults(replace(ours[0], url=shown), url or shown)
        text = f"{shown}: {'; '.join(wrong) or 'active, JSON, signed, only jobs'}"
        if not ours[0].active:
            return fail(text, "tick Active in its settings at GitHub", place)
        mend = f"{install(place, seen)} mends that, or its settings at GitHub"
        return warn(text, mend, place) if wrong else ok(text, place)
    heard = seen.inside.heard_at() if seen.inside is not None else None
    if heard is not None and seen.at - heard < DAY:
        text = f"none here, yet a delivery came {ago(seen.at - heard)} ago: the owner or an App may have one"
        return warn(text, f"nothing, if that is so; else {new_hook(place, seen)}", place)
    where = f" to {url}" if url else ""
    others = f"; there {'is' if len(hooks) == 1 else 'are'} {count(len(hooks), 'other')}" if hooks else ""
    return fail(f"missing: no webhook sends {EVENT}{where}{others}", new_hook(place, seen), place)


def address(hook: Hook) -> str:
    """Where a webhook leads, without what may be secret in it: a user, a password, a query."""
    try:
        url = httpx.URL(hook.url)
    except httpx.InvalidURL:
        return "an address that is none"
    return str(url.copy_with(username=None, password=None, query=None, fragment=None))


def sends_jobs(hook: Hook) -> bool:
    """Whether a hook was made for jobs, switched off or not."""
    return EVENT in hook.events or ANY in hook.events


def new_hook(place: str, seen: Evidence) -> str:
    """How to make a webhook."""
    path = f"{place if '/' in place else f'organizations/{place}'}/settings/hooks"
    where = f"at {seen.settings.github.web_url}/{path}" if place else "in the repository's or organization's settings"
    return (
        f"{install(place, seen)}; or add one {where}: the address of this daemon, content type application/json, "
        "the secret of webhook.secret (API_SECRET), the event Workflow jobs"
    )


def install(place: str, seen: Evidence) -> str:
    """The command that makes or mends a webhook."""
    scope = "" if place == THE_APP else f" --scope {place or 'OWNER/REPOSITORY'}"
    url = "" if seen.settings.webhook.url else " --url https://THIS-DAEMON"
    return f"krs webhook install{scope}{url}"


def webhook_deliveries(seen: Evidence) -> Rows:
    """What GitHub sent lately was taken, and by this daemon."""
    rows = [row for place in seen.hooks for row in _deliveries(place, seen)]
    yield from rows or [skipped("there is no log of deliveries to look at: see webhook")]


def _deliveries(place: HooksSeen, seen: Evidence) -> Rows:
    for hook in (hook for hook in place.hooks if hook.url) if isinstance(place.hooks, tuple) else ():
        match place.deliveries.get(hook.ref.id):
            case tuple() as sent:
                yield _sent(place.place, hook, sent, seen)
            case Exception() as problem:
                yield warn(f"not known: {problem}", LATER, place.place)


def _sent(place: str, hook: Hook, sent: tuple[Delivery, ...], seen: Evidence) -> Row:
    if not sent:
        return warn(f"GitHub has sent nothing to {address(hook)} in three days", "queue a job and look again", place)
    last = sent[0]
    text = f"the last one, {ago(seen.at - last.at)} ago, was answered {last.code} ({last.status})"
    if last.failed:
        return fail(text, ADVICE.get(last.code, f"see that {address(hook)} leads to this daemon"), place)
    if _astray(last.at, seen.inside):
        return fail(f"{text}, but not by this daemon", f"{address(hook)} leads elsewhere: change it at GitHub", place)
    arrived = {delivery.guid for delivery in sent if not delivery.failed}
    lost = {one.guid for one in sent if one.guid not in arrived and seen.at - one.at < DAY}
    if lost:
        missing = f"{count(len(lost), 'delivery', 'deliveries')} of a day never arrived; {text}"
        return warn(missing, "krs asks for them again where it may: see github_permissions", place)
    return ok(text, place)


ADVICE = {
    401: "webhook.secret (API_SECRET) and the secret typed in at GitHub differ: make them the same",
    404: "the address must be that of this daemon, with the path / or /webhook",
    413: "raise webhook.max_body",
    415: "set the content type to application/json at GitHub",
    503: "the state file could not be written: see store",
}
"""What to do about a delivery that came back with a status."""


def _astray(at: float, inside: Inside | None) -> bool:
    """Whether a delivery that was taken somewhere since we started did not come here."""
    if inside is None or at <= inside.started_at + ON_THE_WAY:
        return False
    heard = inside.heard_at()
    return heard is None or heard + ON_THE_WAY < at


ON_THE_WAY = 60.0
"""Seconds by which GitHub's and our note of a delivery may differ."""


def deliveries(seen: Evidence) -> Rows:
    """Deliveries come in, with the right signature."""
    if seen.inside is None:
        yield skipped("only a running daemon knows")
        return
    receipts, heard = seen.inside.receipts, seen.inside.heard_at()
    refused_at = receipts.get("bad_signature")
    since = ago(seen.at - seen.inside.started_at)
    last = f"none has come since krs started {since} ago" if heard is None else f"last one {ago(seen.at - heard)} ago"
    if refused_at is not None and refused_at > (heard or 0.0):
        text = f"one was refused {ago(seen.at - refused_at)} ago for its signature; {last}"
        yield fail(text, ADVICE[401])
    elif heard is None:
        yield warn(last, "see webhook; where there is one, queue a job and look again")
    else:
        yield ok(last)
