"""Which pool a job belongs to, by its labels and the catalog.

A label is `<prefix>-<region>-<instance type>`. Region and type ids contain digits and dashes
(`koyeb-aws-us-east-1-aws-nano`), so a label is split against the catalog, never by a pattern.
"""

from collections.abc import Iterator, Sequence

import msgspec

from krs.core.catalog import Catalog
from krs.core.policy import Policy
from krs.core.vocabulary import Reason


class Placement(msgspec.Struct, frozen=True):
    """Where a label wants its runner. `label` is the label as written."""

    label: str
    region: str
    instance_type: str


def is_ours(label: str, prefix: str) -> bool:
    """Whether a label is addressed to krs, right or wrong."""
    return label.casefold().startswith(f"{prefix.casefold()}-")


def parse(label: str, prefix: str, catalog: Catalog) -> Placement | Reason | None:
    """Where a label wants its runner, why it cannot have one, or None when it is not addressed to krs."""
    if not is_ours(label, prefix):
        return None
    rest = label.casefold()[len(prefix) + 1 :]
    splits = ((rest, ""), *_splits(rest))
    known = [(region, kind) for region, kind in splits if region in catalog.regions and kind in catalog.instance_types]
    if not known:
        return _unknown(splits, catalog)
    sold = [(region, kind) for region, kind in known if region in catalog.instance_types[kind].regions]
    region, kind = (sold or known)[0]
    if not catalog.instance_types[kind].worker:
        return Reason.WEB_ONLY
    return Placement(label, region, kind) if sold else Reason.NOT_SOLD_IN_REGION


def place(labels: Sequence[str], repository: str, policy: Policy) -> Placement | Reason | None:
    """The placement of a job that asks for `labels`, why it has none, or None when the job is not for krs.

    A job belongs to krs only if exactly one label parses; all others must be covered (`policy.covered`), since a
    runner must have all labels of a job (GitHub docs, "Using labels with self-hosted runners").
    """
    ours = [label for label in labels if is_ours(label, policy.prefix)]
    if not ours:
        return None
    parsed = [parse(label, policy.prefix, policy.catalog) for label in ours]
    placements = [found for found in parsed if isinstance(found, Placement)]
    if not placements:
        return next(found for found in parsed if isinstance(found, Reason))
    if len({(found.region, found.instance_type) for found in placements}) > 1:
        return Reason.AMBIGUOUS_LABEL
    chosen = placements[0]
    others = {label.casefold() for label in labels} - {chosen.label.casefold()}
    return chosen if others <= policy.covered(chosen.label, repository) else Reason.LABEL_NOT_COVERED


def _splits(rest: str) -> Iterator[tuple[str, str]]:
    parts = rest.split("-")
    for cut in range(1, len(parts)):
        yield "-".join(parts[:cut]), "-".join(parts[cut:])


def _unknown(splits: Sequence[tuple[str, str]], catalog: Catalog) -> Reason:
    if any(region in catalog.regions for region, _ in splits):
        return Reason.UNKNOWN_INSTANCE_TYPE
    return Reason.UNKNOWN_REGION
