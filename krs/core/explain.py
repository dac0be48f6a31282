"""What would happen to a job, and why: the core's own decisions on an empty world, laid open."""

import difflib
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from krs.core.absorb_jobs import scope_of
from krs.core.admission import ADVICE, judge
from krs.core.labels import Placement, parse
from krs.core.model import JobId, Name, Pool, PoolId, Scope
from krs.core.names import job_runner, pool_id, pool_labels
from krs.core.policy import Policy, Terms
from krs.core.vocabulary import Reason

EXAMPLE_JOB = JobId(57_000_000_000)
"""A job whose id is as long as GitHub's are today, for the runner's name."""


class Verdict(StrEnum):
    """What becomes of a job."""

    SERVED = "served"
    IGNORED = "ignored"
    UNPLACEABLE = "unplaceable"


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What krs reads in one label. `region` and `instance_type` when it names a machine that can be had."""

    label: str
    meaning: str
    reason: Reason | None = None
    region: str | None = None
    instance_type: str | None = None
    price_hourly: float | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A job's fate. What concerns its pool is None unless a label names a machine."""

    labels: tuple[Label, ...]
    repository: str
    verdict: Verdict
    reason: Reason | None = None
    advice: str = ""
    scope: Scope | None = None
    pool: PoolId | None = None
    rule: int | None = None
    """The number of the `[[pools]]` entry that holds, from 1; None when none matches."""
    terms: Terms | None = None
    runner: Name | None = None
    """The name of the first runner that a job of today would get."""


def explain(labels: Sequence[str], repository: str, policy: Policy) -> Explanation:
    """What would happen to a job with these labels in a private repository `owner/repo`."""
    found = judge(labels, repository, policy, outside=False)
    covered = policy.covered(_placed(labels, policy) or "", repository)
    words = tuple(_label(label, policy, covered) for label in labels)
    if isinstance(found, Placement):
        return _served(words, labels, repository, found, policy)
    if found is not None:
        advice = ADVICE[found]
        return Explanation(
            labels=words, repository=repository, verdict=Verdict.UNPLACEABLE, reason=found, advice=advice
        )
    advice = f"none of its labels begins with {policy.prefix}-"
    return Explanation(labels=words, repository=repository, verdict=Verdict.IGNORED, advice=advice)


def _placed(labels: Sequence[str], policy: Policy) -> str | None:
    """The first label that names a machine."""
    found = (parse(label, policy.prefix, policy.catalog) for label in labels)
    return next((placement.label for placement in found if isinstance(placement, Placement)), None)


def _served(
    words: tuple[Label, ...], labels: Sequence[str], repository: str, found: Placement, policy: Policy
) -> Explanation:
    scope = scope_of(repository, repository.partition("/")[0], policy.mode)
    named = pool_labels(found.label, tuple(labels))
    pool = Pool(
        id=pool_id(scope, named),
        scope=scope,
        labels=named,
        region=found.region,
        instance_type=found.instance_type,
    )
    return Explanation(
        labels=words,
        repository=repository,
        verdict=Verdict.SERVED,
        advice=_too_dear(found.instance_type, policy),
        scope=scope,
        pool=pool.id,
        rule=policy.rule_number(found.label, scope),
        terms=policy.pool_terms(pool),
        runner=job_runner(pool, EXAMPLE_JOB, ()),
    )


def _too_dear(instance_type: str, policy: Policy) -> str:
    price, most = policy.catalog.price(instance_type), policy.max_hourly_cost
    if price is None or most is None or price <= most:
        return ""
    return "but it waits for ever: one such runner costs more than runners.max_hourly_cost"


def _label(label: str, policy: Policy, covered: frozenset[str]) -> Label:
    found = parse(label, policy.prefix, policy.catalog)
    if isinstance(found, Placement):
        kind = policy.catalog.instance_types[found.instance_type]
        return Label(
            label=label,
            meaning=f"region {found.region}, instance type {kind.id} ({kind.vcpu or '?'} vCPU, {kind.memory or '?'})",
            region=found.region,
            instance_type=kind.id,
            price_hourly=kind.price_hourly,
        )
    if found is not None:
        return Label(label=label, meaning=f"{found.value}{_hint(label, policy)}", reason=found)
    if label.casefold() in covered:
        return Label(label=label, meaning="a runner has it when a job asks for it")
    return Label(label=label, meaning="no runner of ours has it", reason=Reason.LABEL_NOT_COVERED)


def _hint(label: str, policy: Policy) -> str:
    """The nearest label that would work."""
    known = [
        f"{policy.prefix}-{region}-{kind.id}".casefold()
        for kind in policy.catalog.instance_types.values()
        if kind.worker
        for region in sorted(kind.regions)
    ]
    near = difflib.get_close_matches(label.casefold(), known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
