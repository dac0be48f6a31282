"""Whose key it is, as far as Koyeb tells."""

from typing import Any

import httpx
import pytest

from krs.errors import Refused
from krs.koyeb import Account, KoyebClient, Organization
from tests.contract.wire import Wire

APPS = {"apps": [{"id": "a", "organization_id": "o"}]}
ACME = {"organization": {"id": "o", "name": "acme", "plan": "pro", "status": "ACTIVE", "vat_number": "1"}}


def account(answers: dict[str, Any]) -> Account:
    """An account that answers these paths, and 403 elsewhere."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.path, 403)
        return httpx.Response(found) if isinstance(found, int) else httpx.Response(200, json=found)

    return Account(KoyebClient(token="t", api_url="https://koyeb.test", transport=Wire(answer).transport))


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({"/v1/apps": APPS, "/v1/organizations/o": ACME}, Organization("o", "acme", "pro", "ACTIVE")),
        ({"/v1/apps": APPS, "/v1/organizations/o": 403}, Organization("o")),
        ({"/v1/apps": {"apps": []}, "/v1/account/organization": ACME}, Organization("o", "acme", "pro", "ACTIVE")),
        ({"/v1/apps": {}, "/v1/account/organization": 401}, None),
    ],
)
async def test_an_organization_is_found_by_any_of_its_apps(answers: dict[str, Any], found: Organization | None) -> None:
    """An app tells; without one only a person's token does; what may not be seen leaves the id."""
    assert await account(answers).organization() == found


async def test_a_bad_key_is_refused() -> None:
    """That is no answer about an organization."""
    with pytest.raises(Refused):
        await account({"/v1/apps": 401}).organization()


async def test_what_an_organization_has_is_counted() -> None:
    """Numbers come as strings, deleted services count no more, and anything may be absent."""
    services = {"WORKER": {"total": "7", "by_status": {"DELETED": "2"}}, "WEB": {"total": 1}, "DATABASE": {}}
    instances = {"by_type": {"small": "4", "nano": 1}}
    usage = await account(
        {"/v1/organizations/o/summary": {"summary": {"services": services, "instances": instances}}}
    ).usage("o")
    assert usage.services_in_all() == 6
    assert usage.instances_by_type() == {"small": 4, "nano": 1}
    empty = await account({"/v1/organizations/o/summary": {"summary": {}}}).usage("o")
    assert (empty.services_in_all(), empty.instances_by_type()) == (0, {})
