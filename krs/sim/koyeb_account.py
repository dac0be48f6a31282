"""The simulated Koyeb's organization: who it is, what its plan allows, what it has."""

import random
from collections import Counter
from typing import Any

from krs.sim.koyeb import ORGANIZATION, Cloud, Failure
from krs.sim.koyeb_http import KoyebHandler

PLAN = "pro"
LIFE_CYCLE = {"delete_after_create_min": 60, "delete_after_create_max": 31_536_000}


class OrganizationHandler(KoyebHandler):
    """`/v1/organizations/{id}`."""

    def get(self, key: str) -> None:
        """The organization."""
        self.ours(key)
        plan = "no_plan" if self.cloud.moods.koyeb_no_plan else PLAN
        self.answer({"organization": {"id": ORGANIZATION, "name": "acme", "plan": plan, "status": "ACTIVE"}})

    def ours(self, key: str) -> None:
        """There is one organization. Raises `Failure` (404) for any other."""
        if key != ORGANIZATION:
            raise Failure(404, "unknown_resource", "Organization not found")


class QuotasHandler(OrganizationHandler):
    """`/v1/organizations/{id}/quotas`."""

    def get(self, key: str) -> None:
        """What may be had; numbers are strings, as Koyeb's are."""
        self.ours(key)
        quota = str(self.cloud.moods.quota)
        types = {"instance_types": ["free"]} if self.cloud.moods.koyeb_no_plan else {}
        self.answer({"quotas": {"services": quota, "services_by_app": quota, "lifecycle": LIFE_CYCLE, **types}})


class SummaryHandler(OrganizationHandler):
    """`/v1/organizations/{id}/summary`."""

    def get(self, key: str) -> None:
        """What there is."""
        self.ours(key)
        alive = self.cloud.alive()
        kinds = Counter(row["type"] for service in alive for row in service.definition.get("instance_types", ()))
        statuses = Counter(service.status for service in alive)
        summary: dict[str, Any] = {
            "organization_id": ORGANIZATION,
            "instances": {"total": str(len(alive)), "by_type": _texts(kinds)},
            "services": {"WORKER": {"total": str(len(alive)), "by_status": _texts(statuses)}},
        }
        self.answer({"summary": summary})


class PersonHandler(KoyebHandler):
    """`/v1/account/organization`."""

    def get(self) -> None:
        """An organization's key is no person."""
        raise Failure(403, "authorization_required", "This route needs a user")


def _texts(counts: Counter[str]) -> dict[str, str]:
    return {name: str(count) for name, count in counts.items()}


def routes(cloud: Cloud, token: str, dice: random.Random) -> list[tuple[str, type[KoyebHandler], dict[str, Any]]]:
    """All of these."""
    given = {"cloud": cloud, "token": token, "dice": dice}
    return [
        (r"/v1/organizations/([^/]+)", OrganizationHandler, given),
        (r"/v1/organizations/([^/]+)/quotas", QuotasHandler, given),
        (r"/v1/organizations/([^/]+)/summary", SummaryHandler, given),
        (r"/v1/account/organization", PersonHandler, given),
    ]
