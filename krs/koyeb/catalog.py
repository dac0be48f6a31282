"""The dated fallback of Koyeb's catalog, for a start while the live one cannot be read (`catalog.json`)."""

from functools import cache
from importlib.resources import files

import msgspec

from krs.core.catalog import Catalog, InstanceType


class _Table(msgspec.Struct):
    as_of: str
    regions: list[str]
    instance_types: list[InstanceType]


@cache
def fallback() -> Catalog:
    """What Koyeb sold on the day the table was written."""
    table = msgspec.json.decode(files("krs.koyeb").joinpath("catalog.json").read_bytes(), type=_Table)
    return Catalog(
        regions=frozenset(table.regions),
        instance_types={kind.id: kind for kind in table.instance_types},
        as_of=table.as_of,
    )
