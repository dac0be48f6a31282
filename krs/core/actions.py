"""Whether an operator's action may be done on the world as it stands: pure, before anything is written."""

import difflib
import math

import msgspec

from krs.core import facts as f
from krs.core.absorb_jobs import ensure_pool
from krs.core.draft import Draft
from krs.core.endings import all_endings
from krs.core.labels import Placement, place
from krs.core.model import Cloud, Instant, Name, Pool, Runner, Scope, World
from krs.core.names import base36, is_owner, is_repository
from krs.core.policy import Policy
from krs.core.room import Room
from krs.core.state import is_busy, max_age_at, state_of
from krs.core.views import DrainBody, ExtendBody, KillBody, StartBody
from krs.core.vocabulary import Mode, Reason

LONGEST_HOLD = 30 * 24 * 3600.0
"""Seconds ahead that a hold may reach: a typing error must not buy a year."""


class Refusal(msgspec.Struct, frozen=True):
    """Why an action is not done. `status` is the HTTP status that says so; `runner` whom it was about."""

    status: int
    code: str
    message: str
    hint: str = ""
    runner: Runner | None = None


def find(world: World, name: str) -> Runner | Refusal:
    """The runner of this name; when there is none, the nearest known one is named."""
    runner = world.runners.get(Name(name))
    if runner is not None and runner.cloud is not Cloud.GONE:
        return runner
    if runner is not None:
        return Refusal(409, "gone", f"{name} is gone", runner=runner)
    near = difflib.get_close_matches(name, world.runners, n=1, cutoff=0.5)
    return Refusal(404, "unknown_runner", f"no runner is named {name}", f"did you mean {near[0]}?" if near else "")


def _moved(runner: Runner, version: int | None) -> Refusal | None:
    if version is None or version == runner.version:
        return None
    state = state_of(runner).value
    return Refusal(409, "stale", f"{runner.name} changed since you looked: it is {state} now", "look again", runner)


def start(world: World, body: StartBody, by: str, now: Instant, policy: Policy) -> f.StartAsked | Refusal:
    """Start a runner for a label in a scope; not before Koyeb was listed once, since no limit could be kept."""
    if world.koyeb.answered_at is None:
        return Refusal(409, "not_ready", "Koyeb's services were not listed yet", "try again in a moment")
    wants_repository = policy.mode is Mode.REPOSITORY
    if not (is_repository if wants_repository else is_owner)(body.scope):
        shape = "owner/repository" if wants_repository else "owner"
        return Refusal(422, "bad_scope", f"scope {body.scope!r} is not {shape} (mode {policy.mode.value})")
    labels = (body.label,)
    placement = place(labels, body.scope, policy)
    if not isinstance(placement, Placement):
        why = placement.value if placement else f"it does not begin with {policy.prefix}-"
        return Refusal(422, "bad_label", f"label {body.label!r} cannot be started: {why}")
    stem = f"runner-{placement.region}-{placement.instance_type}"
    token = base36(int(now * 1000))
    name = Name(f"{stem[: 63 - len(token) - 3]}-x-{token}")
    draft = Draft(world, now)
    full = _full(draft, ensure_pool(draft, Scope(body.scope), labels, placement), policy)
    if full is not None:
        return full
    return f.StartAsked(scope=Scope(body.scope), labels=labels, name=name, by=by, reason=body.reason)


def _full(draft: Draft, pool: Pool, policy: Policy) -> Refusal | None:
    """The ceilings hold for operators too: a script that starts runners in a loop must not buy without end."""
    reason = Room(draft, policy).full(pool)
    if reason is None:
        return None
    maximum = policy.pool_terms(pool).maximum
    ceiling = maximum if reason is Reason.MAX_PER_POOL else getattr(policy, reason.value)
    message = f"{reason.value} ({ceiling}) would be passed"
    return Refusal(409, reason.value, message, "wait, or raise it")


def extend(world: World, name: str, body: ExtendBody, by: str, now: Instant, policy: Policy) -> f.ExtendAsked | Refusal:
    """Hold a runner for some minutes beyond its present end, or until an instant; `until: 0` lifts the hold."""
    runner = find(world, name)
    if isinstance(runner, Refusal):
        return runner
    refusal = _moved(runner, body.version) or _leaving(runner)
    if refusal is not None:
        return refusal
    if (body.minutes is None) == (body.until is None):
        return Refusal(422, "bad_value", "give either minutes or until")
    if body.until == 0:
        return f.ExtendAsked(name=runner.name, until=None, by=by, reason=body.reason)
    if body.until is not None:
        until = Instant(body.until)
    else:
        until = Instant(_present_end(world, runner, now, policy) + (body.minutes or 0.0) * 60)
    bad = (body.minutes is not None and not body.minutes > 0) or not math.isfinite(until)
    if bad or not now < until <= now + LONGEST_HOLD:
        return Refusal(422, "bad_value", "the new end must lie ahead, within 30 days", "minutes must be above 0")
    return f.ExtendAsked(name=runner.name, until=until, by=by, reason=body.reason)


def _leaving(runner: Runner) -> Refusal | None:
    if runner.wanted:
        return None
    why = runner.why.value if runner.why else "unknown"
    return Refusal(409, "leaving", f"{runner.name} is being deleted already ({why})", runner=runner)


def _present_end(world: World, runner: Runner, now: Instant, policy: Policy) -> float:
    """From where minutes count: the hold, else the expiry if it lies ahead, else now."""
    end = all_endings(world, now, policy).get(runner.name, (now, None))[0]
    base = now if end == max_age_at(runner, policy) else end
    return max(now, base if math.isfinite(base) else now, runner.hold_until or 0.0)


def drain(world: World, name: str, body: DrainBody, by: str) -> f.DrainAsked | Refusal:
    """Let a runner end its job and go, or take that back."""
    runner = find(world, name)
    if isinstance(runner, Refusal):
        return runner
    refusal = _moved(runner, body.version) or _leaving(runner)
    if refusal is not None:
        return refusal
    if body.cancel and not runner.draining:
        return Refusal(409, "not_draining", f"{runner.name} is not draining", runner=runner)
    return f.DrainAsked(name=runner.name, by=by, reason=body.reason, cancel=body.cancel)


def kill(world: World, name: str, body: KillBody, by: str) -> f.KillAsked | Refusal:
    """End a runner now; one that is busy only with force."""
    runner = find(world, name)
    if isinstance(runner, Refusal):
        return runner
    refusal = _moved(runner, body.version)
    if refusal is not None:
        return refusal
    if runner.cloud is Cloud.DELETING:
        return _leaving(runner) or Refusal(409, "leaving", f"{name} is being deleted already", runner=runner)
    if is_busy(runner) and not body.force:
        return Refusal(
            409,
            "busy",
            f"{runner.name} runs a job, which would fail",
            "drain it, or kill it with force (--force)",
            runner,
        )
    return f.KillAsked(name=runner.name, force=body.force, by=by, reason=body.reason)
