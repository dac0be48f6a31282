"""The `runs-on` lines to paste: which labels make sense, and what each costs. Pure."""

from collections.abc import Iterator

from krs.core.catalog import Catalog, InstanceType
from krs.koyeb import Quotas

USEFUL = ("small", "medium", "large", "xlarge", "2xlarge")
"""Sizes that jobs are run on; smaller ones hardly hold the image, which is some gigabytes."""
FIRST = "fra"
SHOWN = 8
"""Other types that are named, cheapest first."""


def runs_on(catalog: Catalog, quotas: Quotas | None, prefix: str) -> Iterator[str]:
    """One line a size in one region, then the other regions, then how many more types there are."""
    kinds = [kind for name in USEFUL if (kind := catalog.instance_types.get(name)) and _sold(kind, quotas)]
    if not kinds:
        yield "Koyeb sells this plan no size that runners are known to fit in: see `krs config explain`"
        return
    regions = sorted(frozenset.intersection(*(kind.regions for kind in kinds)) & catalog.regions)
    home = FIRST if FIRST in regions or not regions else regions[0]
    labels = {kind.id: f"{prefix}-{home}-{kind.id}" for kind in kinds}
    width = max(map(len, labels.values()))
    for kind in kinds:
        yield f"runs-on: {labels[kind.id]:<{width}}  # {_size(kind)}"
    if elsewhere := [region for region in regions if region != home]:
        yield f"or with another region in place of {home}: {', '.join(elsewhere)}"
    others = [kind for kind in catalog.instance_types.values() if kind.id not in labels and _sold(kind, quotas)]
    more = [kind.id for kind in sorted(others, key=lambda kind: (kind.price_hourly or float("inf"), kind.id))]
    if more:
        rest = f" and {len(more) - SHOWN} more" if len(more) > SHOWN else ""
        yield f"or with another type: {', '.join(more[:SHOWN])}{rest}"


def _sold(kind: InstanceType, quotas: Quotas | None) -> bool:
    return kind.worker and bool(kind.regions) and (quotas is None or quotas.instances_of(kind.id) != 0)


def _size(kind: InstanceType) -> str:
    price = f"{kind.price_hourly:.4f} USD an hour" if kind.price_hourly is not None else "price not known"
    return ", ".join(filter(None, (f"{kind.vcpu} vCPU" if kind.vcpu else "", kind.memory, price)))
