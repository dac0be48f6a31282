"""What `--dry-run` shows: calls that both APIs know, and no secret."""

import json
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from krs.secret import Secret
from krs.setup.rehearsal import Rehearsal
from tests.contract.conftest import Contract, github_contract, koyeb_contract
from tests.contract.wire import Wire
from tests.setup.scene import URL, Scene

__all__ = ["github_contract", "koyeb_contract"]


@pytest.mark.parametrize("scope", ["acme/api", "acme"])
@pytest.mark.parametrize("there", [False, True])
async def test_every_call_is_one_that_the_api_knows(
    scene: Scene, koyeb_contract: Contract, github_contract: Contract, scope: str, there: bool
) -> None:
    """With nothing there yet, and with all of it there to be repaired."""
    if there:
        await scene.run(scope, "--url", URL)
        scene.file.unlink()
    ended = await scene.run(scope, "--url", URL, "--dry-run", yes=False)
    calls = [line.split(maxsplit=3) for line in ended.lines if line.split()[0] in ("asks", "would")]
    assert len(calls) > 10
    for _, method, address, *body in calls:
        parts = urlsplit(address)
        if parts.path == "/readyz":
            continue
        contract = koyeb_contract if address.startswith(scene.simulation.koyeb_url) else github_contract
        content = json.loads(body[0]) if body else None
        contract.check_request(method, parts.path, dict(parse_qsl(parts.query)), content)


async def test_only_what_asks_is_sent() -> None:
    """Reading, Koyeb's own trial, and an App's token; whatever a body holds of secrets is masked."""
    wire, shown = Wire(lambda request: httpx.Response(200, json={})), list[str]()
    transport = Rehearsal(shown.append, lambda: (Secret("long-secret"), Secret("k")), wire.transport)
    body = {"config": {"secret": "s"}, "value": "v", "note": "a long-secret k"}
    async with httpx.AsyncClient(transport=transport) as http:
        await http.get("https://x.test/a")
        await http.post("https://x.test/v1/services?dry_run=true", json={})
        await http.post("https://x.test/app/installations/7/access_tokens", json={})
        answer = await http.post("https://x.test/hooks", json=body)
        await http.delete("https://x.test/b")
        await http.post("https://x.test/c", content=b"long-secret")
    assert [request.url.path for request in wire.requests] == [
        "/a",
        "/v1/services",
        "/app/installations/7/access_tokens",
    ]
    assert shown[3:] == [
        'would POST https://x.test/hooks {"config":{"secret":"***"},"value":"***","note":"a *** k"}',
        "would DELETE https://x.test/b",
        "would POST https://x.test/c ***",
    ]
    assert answer.json()["config"] == {"secret": "***"}
