"""What a plan allows, read as Koyeb's own console reads it."""

from typing import Any

import httpx
import pytest

from krs.koyeb import KoyebClient
from tests.contract.wire import Wire


async def quotas(reply: dict[str, Any]) -> Any:
    """The quotas of an organization that is answered with these."""
    wire = Wire(lambda request: httpx.Response(200, json={"quotas": reply}))
    return await KoyebClient(token="t", api_url="https://koyeb.test", transport=wire.transport).quotas("o")


@pytest.mark.parametrize(
    ("reply", "limit"),
    [
        ({}, None),
        ({"instance_types": []}, None),
        ({"instance_types": ["nano", "small"]}, None),
        ({"instance_types": ["nano"]}, 0),
        ({"instance_types": ["nano"], "max_instances_by_type": {"small": "4"}}, 4),
        ({"max_instances_by_type": {"nano": "4"}}, None),
        ({"max_instances_by_type": {"small": "0"}}, 0),
        ({"max_instances_by_type": {"small": 0}}, 0),
    ],
)
async def test_a_type_is_limited_by_its_own_number_or_by_the_list(reply: dict[str, Any], limit: int | None) -> None:
    """Its own limit wins, then a list without it forbids it, else there is none."""
    assert (await quotas(reply)).instances_of("small") == limit


@pytest.mark.parametrize(
    ("reply", "limit"),
    [
        ({}, None),
        ({"services_by_app": "16"}, 16),
        ({"services_by_app": "16", "services": "10"}, 10),
        ({"services_by_app": None, "services": "10", "memory_mb": "new"}, 10),
    ],
)
async def test_an_app_holds_no_more_services_than_either_limit(reply: dict[str, Any], limit: int | None) -> None:
    """Numbers come as strings; what is absent limits nothing."""
    assert (await quotas(reply)).services_of_an_app() == limit


async def test_the_bounds_of_koyebs_own_deletion_are_read() -> None:
    """They come as numbers, or as strings like the rest."""
    lifecycle = (await quotas({"lifecycle": {"delete_after_create_max": 86400}})).lifecycle
    assert (lifecycle.delete_after_create_min, lifecycle.delete_after_create_max) == (None, 86400)
