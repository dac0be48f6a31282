"""Whose key it is: the organization behind a Koyeb key, its plan, and what it uses of its quotas.

An organization's key may not ask for its own profile, so the organization is found by way of an app; a key of an
organization without any app does not tell. A person's token does.
"""

import msgspec

from krs.errors import Refused
from krs.koyeb.client import KoyebClient
from krs.koyeb.models import AppsReply, whole

GONE = "DELETED"
BAD_KEY = 401


class Organization(msgspec.Struct, frozen=True):
    """An organization. `plan` and `status` are Koyeb's words (`starter`, `ACTIVE`); None where Koyeb does not say."""

    id: str
    name: str | None = None
    plan: str | None = None
    status: str | None = None


class OrganizationReply(msgspec.Struct, frozen=True):
    """The answer around one."""

    organization: Organization


class Count(msgspec.Struct, frozen=True):
    """How many services there are; 64-bit integers as strings."""

    total: int | str | None = None
    by_status: dict[str, int | str] | None = None

    def present(self) -> int:
        """Those that are not deleted."""
        gone = whole((self.by_status or {}).get(GONE))
        return max(0, (whole(self.total) or 0) - (gone or 0))


class Instances(msgspec.Struct, frozen=True):
    """How many instances there are; 64-bit integers as strings."""

    by_type: dict[str, int | str] | None = None


class Usage(msgspec.Struct, frozen=True):
    """What an organization has now."""

    services: dict[str, Count] | None = None
    instances: Instances | None = None

    def services_in_all(self) -> int:
        """Services of every type in every app."""
        return sum(count.present() for count in (self.services or {}).values())

    def instances_by_type(self) -> dict[str, int]:
        """Instances by type; a type without any may be missing."""
        rows = (self.instances.by_type if self.instances else None) or {}
        return {kind: whole(count) or 0 for kind, count in rows.items()}


class SummaryReply(msgspec.Struct, frozen=True):
    """The answer around it."""

    summary: Usage


class Account:
    """What a key says about its owner. What the plan allows is `KoyebClient.quotas`."""

    def __init__(self, koyeb: KoyebClient) -> None:
        self._koyeb = koyeb

    async def organization(self) -> Organization | None:
        """Whose key it is; None when there is no way to learn it. Raises `Refused` (401) for a bad key."""
        reply = (await self._koyeb.call("GET", "/v1/apps", params={"limit": "1"})).decode(AppsReply)
        found = next((app.organization_id for app in reply.apps or () if app.organization_id), None)
        path = f"/v1/organizations/{found}" if found else "/v1/account/organization"
        try:
            return (await self._koyeb.call("GET", path)).decode(OrganizationReply).organization
        except Refused as problem:
            if problem.status == BAD_KEY and found:
                raise
            return Organization(id=found) if found else None

    async def usage(self, organization_id: str) -> Usage:
        """What an organization has now."""
        path = f"/v1/organizations/{organization_id}/summary"
        return (await self._koyeb.call("GET", path)).decode(SummaryReply).summary
