"""What an operator is warned of stands in the console and in the API as long as it holds."""

import json

import httpx
from msgspec.structs import replace

from krs.config.settings import Admin
from krs.core.vocabulary import Credential, EventKind, Reason
from krs.daemon import Daemon
from krs.secret import Secret
from tests.daemon.conftest import House
from tests.deliveries import payload


async def test_the_github_token_credential_is_shown(house: House) -> None:
    """In the snapshot that consoles draw and the API answers, from the start."""
    await house.up(credential=Credential.GITHUB_TOKEN)
    assert any("every job can read GITHUB_TOKEN" in text for text in house.daemon.scheduler.snapshot().warnings)


async def test_a_public_repository_is_shown_in_the_api_and_journaled_once(house: House) -> None:
    """A line in `warnings`, one event with the repository, and both outlive a restart without a second event."""
    await house.up()
    for number in (1, 2):
        body = payload(job_id=number)
        body["repository"]["private"] = False
        assert (await house.post(json.dumps(body).encode())).status_code == 202
    await house.until(lambda: bool(house.daemon.scheduler.snapshot().warnings))
    await house.daemon.stop()
    token = "an-admin-token-of-some-length"
    settings = replace(house.settings(), admin=Admin(token=Secret(token)))
    house.daemon = Daemon(settings, clock=house.simulation.agenda.clock)
    await house.daemon.start()
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}) as http:
        state = (await http.get(f"http://127.0.0.1:{house.daemon.port}/api/v1/state")).json()
    assert ["acme/api" in text for text in state["warnings"]] == [True]
    events = await house.journal(EventKind.WARNING)
    assert [(event.repo, event.reason) for event in events] == [("acme/api", Reason.PUBLIC_REPOSITORY)]
