"""Deliveries of the simulated GitHub: signed, in order of events, and in some moods lost or doubled."""

import asyncio
import random
import uuid
from collections import Counter
from typing import Any

import httpx
import msgspec

from krs.github.webhook import UUID_EPOCH, sign
from krs.sim.github import Forge, Job
from krs.sim.github_http import job_body

ACTIONS = {"queued": "queued", "in_progress": "in_progress", "completed": "completed"}


class Deliveries:
    """Posts every change of a job to one address. `answers` counts the statuses that came back."""

    def __init__(
        self, forge: Forge, dice: random.Random, secret: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.answers: Counter[int] = Counter()
        self._forge = forge
        self._dice = dice
        self._secret = secret.encode()
        self._url = ""
        self._http = httpx.AsyncClient(timeout=10.0, trust_env=False, transport=transport)
        self._queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def point_at(self, url: str) -> None:
        """Deliver to this address from now on."""
        self._url = url
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._work()) for _ in range(4)]

    def announce(self, job: Job) -> None:
        """A job changed."""
        moods = self._forge.moods
        if not self._url or self._dice.random() < moods.webhook_lost:
            return
        delivery = (self._guid(), msgspec.json.encode(payload(job)))
        for _ in range(2 if self._dice.random() < moods.webhook_doubled else 1):
            if self._dice.random() < moods.webhook_late:
                wait = self._dice.uniform(0.0, moods.webhook_delay)
                self._forge.agenda.after(wait, lambda: self._queue.put_nowait(delivery))
            else:
                self._queue.put_nowait(delivery)

    def _guid(self) -> str:
        """A version-1 UUID with the event's time, as GitHub's are."""
        ticks = int(self._forge.agenda.now() * 1e7) + UUID_EPOCH + self._dice.randrange(1000)
        low, middle, high = ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF
        clock, node = self._dice.getrandbits(14), self._dice.getrandbits(48)
        return str(uuid.UUID(fields=(low, middle, high, clock >> 8, clock & 0xFF, node), version=1))

    async def _work(self) -> None:
        while True:
            guid, body = await self._queue.get()
            headers = {
                "content-type": "application/json",
                "user-agent": "GitHub-Hookshot/simulated",
                "x-github-event": "workflow_job",
                "x-github-delivery": guid,
                "x-hub-signature-256": sign(self._secret, body),
            }
            try:
                answer = await self._http.post(self._url, content=body, headers=headers)
            except httpx.HTTPError:
                self.answers[0] += 1
            else:
                self.answers[answer.status_code] += 1

    async def close(self) -> None:
        """Deliver no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()


def payload(job: Job) -> dict[str, Any]:
    """A `workflow_job` delivery."""
    owner, _, name = job.repo.partition("/")
    account = {"login": owner, "id": 1, "type": "Organization"}
    return {
        "action": ACTIONS[job.status],
        "workflow_job": job_body(job),
        "repository": {
            "id": 2,
            "name": name,
            "full_name": job.repo,
            "private": True,
            "fork": False,
            "owner": account,
            "html_url": f"https://github.com/{job.repo}",
        },
        "sender": account,
    }
