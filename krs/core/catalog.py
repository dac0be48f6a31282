"""What Koyeb sells: regions, instance types, where each is sold and what it costs."""

import msgspec


class InstanceType(msgspec.Struct, frozen=True, kw_only=True):
    """One row of Koyeb's instance catalog. `price_hourly` is USD, None when not known."""

    id: str
    regions: frozenset[str]
    worker: bool = True
    """False for types that Koyeb sells to web services only (`free`)."""
    price_hourly: float | None = None
    vcpu: str = ""
    memory: str = ""


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """Regions and instance types by id (case-folded)."""

    regions: frozenset[str]
    instance_types: dict[str, InstanceType]
    as_of: str = ""
    """Where it comes from: `live` or the date of the fallback table."""

    def price(self, instance_type: str) -> float | None:
        """USD an hour for one instance of this type, None when not known."""
        found = self.instance_types.get(instance_type)
        return found.price_hourly if found else None
