"""Registrations of ours that no runner stands behind, left by an outage of GitHub's or by a disk that was lost.

They are removed once they were offline for long enough; registrations of others are never touched.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from krs.core import commands as c
from krs.core.draft import Draft
from krs.core.facts import Observed, RegistrationRemoved, RegistrationSeen, RegistrationsListed
from krs.core.labels import Placement, parse
from krs.core.model import Cloud, Instant, Probe, Scope, Stray
from krs.core.names import is_runner_of
from krs.core.policy import Policy
from krs.core.vocabulary import EventKind


def found(draft: Draft, fact: RegistrationsListed, policy: Policy) -> tuple[Stray, ...]:
    """The strays of a list; a stray of before keeps its age, that of a runner known to be gone needs none."""
    known = {stray.id: stray for stray in draft.github.get(fact.scope, Probe()).strays}
    foreign = {service.name for service in draft.foreign.values()}
    strays: list[Stray] = []
    for seen in fact.runners:
        runner = draft.runners.get(seen.name)
        if runner is not None and runner.cloud is not Cloud.GONE:
            continue
        if seen.observed is not Observed.OFFLINE or seen.name in foreign or not is_ours(seen, policy):
            continue
        since = Instant(0) if runner is not None else fact.asked_at
        strays.append(known.get(seen.id) or Stray(name=seen.name, id=seen.id, since=since))
    return tuple(strays)


def is_ours(seen: RegistrationSeen, policy: Policy) -> bool:
    """Whether both the labels and the name of a registration are as krs makes them."""
    placements = (parse(label, policy.prefix, policy.catalog) for label in seen.labels)
    return any(
        is_runner_of(seen.name, place.region, place.instance_type)
        for place in placements
        if isinstance(place, Placement)
    )


def due(stray: Stray, policy: Policy) -> Instant:
    """When a stray is removed: long after a runner that another daemon starts just now would have come online."""
    return max(Instant(stray.since + 2 * policy.boot_timeout), stray.asked_until)


def remove(draft: Draft, policy: Policy) -> Iterator[c.Command]:
    """Rule: the removals that are due, each marked as asked for."""
    for scope, probe in tuple(draft.github.items()):
        ready = [stray for stray in probe.strays if due(stray, policy) <= draft.now]
        if not ready:
            continue
        expires = Instant(draft.now + policy.op_timeout)
        marked = tuple(replace(stray, asked_until=expires) if stray in ready else stray for stray in probe.strays)
        draft.put_github(scope, replace(probe, strays=marked))
        for stray in ready:
            yield c.RemoveRegistration(scope=scope, name=stray.name, id=stray.id, expires=expires)


def removed(draft: Draft, fact: RegistrationRemoved) -> None:
    """GitHub took it away, or had no such registration; busy means that it was none of our business."""
    probe = draft.github.get(fact.scope, Probe())
    draft.put_github(fact.scope, replace(probe, strays=tuple(stray for stray in probe.strays if stray.id != fact.id)))
    if fact.busy:
        return
    runner = draft.runners.get(fact.name)
    if runner is not None and runner.cloud is Cloud.GONE:
        draft.change(runner, deregistered=True)
    draft.say(EventKind.REGISTRATION_REMOVED, f"{fact.name} was still registered to {fact.scope} and is no more")


def scopes(draft: Draft) -> set[Scope]:
    """Where strays are, or may be since a runner went without its registration."""
    left = {runner.scope for runner in draft.runners.values() if runner.cloud is Cloud.GONE and not runner.deregistered}
    return left | {scope for scope, probe in draft.github.items() if probe.strays}
