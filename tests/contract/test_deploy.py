"""Every call of a deployment is one that Koyeb's description knows, and the simulation answers as it says."""

import asyncio
import json

import httpx
from msgspec.structs import replace

from krs.deploy.deployer import Deployer
from krs.deploy.site import look
from krs.koyeb import KoyebClient
from krs.setup.rehearsal import Rehearsal
from krs.sim.world import KOYEB_TOKEN
from tests.contract.conftest import Contract
from tests.deploy.test_deployer import NAMES, Bench, played


class Judge(httpx.AsyncBaseTransport):
    """Holds every request and answer against the description."""

    def __init__(self, inner: httpx.AsyncBaseTransport, contract: Contract) -> None:
        self.judged = 0
        self._inner = inner
        self._contract = contract

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Judge, ask, judge."""
        content = await request.aread()
        body = json.loads(content) if content else None
        self._contract.check_request(request.method, request.url.path, dict(request.url.params), body)
        answer = await self._inner.handle_async_request(request)
        content = await answer.aread()
        self._contract.check_answer(request.method, request.url.path, answer.status_code, json.loads(content))
        self.judged += 1
        return answer


def test_a_deployments_life(koyeb_contract: Contract) -> None:
    """Made, changed, looked at and taken away."""

    async def scene(bench: Bench) -> None:
        judge = Judge(bench.wire, koyeb_contract)
        bench.client = KoyebClient(token=KOYEB_TOKEN, api_url="http://koyeb.test", transport=judge)
        await bench.deployer(replace(NAMES, volume="8d5bd9e8-3ea8-4a29-b1f5-d5ac3e4ed9b8")).deploy()
        await bench.deployer().healthy()
        await bench.deployer(replace(NAMES, image="acme/krs:2")).deploy()
        await bench.deployer().healthy()
        await bench.deployer().runners()
        await bench.deployer().destroy(await look(bench.client, NAMES))
        assert judge.judged > 20

    played(scene)


def test_a_dry_run_shows_calls_that_koyeb_knows(koyeb_contract: Contract) -> None:
    """Each line is a call; its masked body fits the description too, nothing was changed, no secret is shown."""

    async def scene(bench: Bench) -> None:
        shown: list[str] = []
        secrets = [bench.settings.koyeb.token, bench.settings.github.token]
        transport = Rehearsal(shown.append, lambda: secrets, bench.wire)
        client = KoyebClient(token=KOYEB_TOKEN, api_url="http://koyeb.test", transport=transport)
        await Deployer(client, bench.settings, NAMES, tell=lambda _: None, wait=asyncio.sleep).deploy()
        await client.aclose()
        assert bench.writes() == []
        for line in shown:
            _, method, url, *rest = line.split(maxsplit=3)
            parsed = httpx.URL(url)
            body = json.loads(rest[0]) if rest else None
            koyeb_contract.check_request(method, parsed.path, dict(parsed.params), body)
            assert not any(secret.reveal() in line for secret in secrets if len(secret.reveal()) > 4)
        assert any(line.startswith("would POST http://koyeb.test/v1/services") for line in shown)

    played(scene)
