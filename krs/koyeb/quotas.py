"""What an organization's plan allows (`GET /v1/organizations/{id}/quotas`), as far as a burst of runners meets it."""

import msgspec

from krs.koyeb.models import integer, whole


class LifeCycleQuota(msgspec.Struct, frozen=True):
    """The bounds of `life_cycle.delete_after_create`, in seconds; None where Koyeb names none."""

    delete_after_create_min: int | str | None = None
    delete_after_create_max: int | str | None = None


class Quotas(msgspec.Struct, frozen=True):
    """Limits as Koyeb sends them: 64-bit integers as strings, anything may be absent."""

    services: int | str | None = None
    services_by_app: int | str | None = None
    service_provisioning_concurrency: int | str | None = None
    instance_types: list[str] | None = None
    max_instances_by_type: dict[str, int | str] | None = None
    lifecycle: LifeCycleQuota | None = None

    def services_in_all(self) -> int | None:
        """How many services the organization may have; None when Koyeb does not say."""
        return whole(self.services) or None

    def services_of_an_app(self) -> int | None:
        """How many services one app may hold; None when Koyeb does not say."""
        limits = [limit for limit in (whole(self.services), whole(self.services_by_app)) if limit]
        return min(limits, default=None)

    def instances_of(self, instance_type: str) -> int | None:
        """How many instances of a type may run, None for no limit.

        The rule of Koyeb's own console: a type's own limit if it has one; else none at all if the plan lists its types
        and this is not among them.
        """
        limit = (self.max_instances_by_type or {}).get(instance_type)
        if limit is not None:
            return integer(limit)
        listed = self.instance_types or [instance_type]
        return None if instance_type in listed else 0


class QuotasReply(msgspec.Struct, frozen=True):
    """The answer around them."""

    quotas: Quotas
