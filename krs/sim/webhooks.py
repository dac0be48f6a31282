"""Deliveries of the simulated GitHub: signed, in order of events, logged, and in some moods lost, failed or doubled."""

import asyncio
import random
import urllib.parse
import uuid
from collections import Counter
from typing import Any

import httpx
import msgspec

from krs.github.webhook import UUID_EPOCH, sign
from krs.sim.github import Forge, Job
from krs.sim.github_hooks import EVENT, Attempt, Hook
from krs.sim.github_http import job_body

ACTIONS = {"queued": "queued", "in_progress": "in_progress", "completed": "completed"}
TARGETS = {"Repository": "repository", "Organization": "organization", "App": "integration"}


class Deliveries:
    """Posts every change of a job to the hooks that hear of it. `answers` counts the statuses that came back."""

    def __init__(
        self, forge: Forge, dice: random.Random, secret: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.answers: Counter[int] = Counter()
        self._forge = forge
        self._dice = dice
        self._secret = secret
        self._http = httpx.AsyncClient(timeout=10.0, trust_env=False, transport=transport)
        self._queue: asyncio.Queue[tuple[Hook, Attempt]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        forge.hooks.send, forge.hooks.ping = self._send, self._ping

    def point_at(self, url: str) -> None:
        """Have a hook of every repository deliver to this address from now on; an empty one takes those hooks away."""
        self._forge.hooks.stand(url, self._secret)

    def announce(self, job: Job) -> None:
        """A job changed."""
        moods, forge = self._forge.moods, self._forge
        installed = forge.app.installation(job.repo.partition("/")[0]) if forge.app is not None else None
        hooks = list(forge.hooks.concerned(job.repo, app=installed is not None))
        if not hooks or self._dice.random() < moods.webhook_lost:
            return
        guid = self._guid()
        for hook in hooks:
            body = payload(job)
            if hook.kind == "Organization":
                body["organization"] = body["repository"]["owner"]
            elif installed is not None and hook.kind == "App":
                body["installation"] = {"id": installed.id, "node_id": "I_1"}
            self._spread(hook, Attempt(guid, EVENT, body["action"], msgspec.json.encode(body)))

    def _ping(self, hook: Hook) -> None:
        """Tell a hook that it is one."""
        self._send(hook, Attempt(self._guid(), "ping", None, msgspec.json.encode(ping_payload(hook))))

    def _spread(self, hook: Hook, attempt: Attempt) -> None:
        moods = self._forge.moods
        for _ in range(2 if self._dice.random() < moods.webhook_doubled else 1):
            if self._dice.random() < moods.webhook_late:
                wait = self._dice.uniform(0.0, moods.webhook_delay)
                self._forge.agenda.after(wait, lambda: self._send(hook, attempt))
            else:
                self._send(hook, attempt)

    def _send(self, hook: Hook, attempt: Attempt) -> None:
        self._queue.put_nowait((hook, attempt))
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._work()) for _ in range(4)]

    def _guid(self) -> str:
        """A version-1 UUID with the event's time, as GitHub's are."""
        ticks = int(self._forge.agenda.now() * 1e7) + UUID_EPOCH + self._dice.randrange(1000)
        low, middle, high = ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF
        clock, node = self._dice.getrandbits(14), self._dice.getrandbits(48)
        return str(uuid.UUID(fields=(low, middle, high, clock >> 8, clock & 0xFF, node), version=1))

    async def _work(self) -> None:
        while True:
            hook, planned = await self._queue.get()
            attempt = self._forge.hooks.begin(hook, planned)
            code, attempt.status, attempt.answer = await self._post(hook, attempt)
            attempt.code = code or 502
            attempt.duration = round(self._forge.agenda.now() - attempt.at, 2)
            self.answers[code] += 1

    async def _post(self, hook: Hook, attempt: Attempt) -> tuple[int, str, str]:
        """Status, words and body of the answer; the status is 0 where nobody listens."""
        if self._dice.random() < self._forge.moods.webhook_failed:
            return 504, "timed out", ""
        body = attempt.body
        if hook.config.get("content_type") != "json":
            body = urllib.parse.urlencode({"payload": body}).encode()
        attempt.headers = headers(hook, attempt, body)
        try:
            answer = await self._http.post(hook.url, content=body, headers=attempt.headers)
        except httpx.TimeoutException:
            return 504, "timed out", ""
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0, "failed to connect to host", ""
        ok = answer.is_success
        return answer.status_code, "OK" if ok else f"Invalid HTTP Response: {answer.status_code}", answer.text

    async def close(self) -> None:
        """Deliver no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()


def headers(hook: Hook, attempt: Attempt, body: bytes) -> dict[str, str]:
    """What goes with a delivery."""
    json = hook.config.get("content_type") == "json"
    sent = {
        "content-type": "application/json" if json else "application/x-www-form-urlencoded",
        "user-agent": "GitHub-Hookshot/simulated",
        "x-github-event": attempt.event,
        "x-github-delivery": attempt.guid,
        "x-github-hook-id": str(hook.id),
        "x-github-hook-installation-target-type": TARGETS[hook.kind],
        "x-github-hook-installation-target-id": "2" if hook.kind == "Repository" else "1",
    }
    return sent | ({"x-hub-signature-256": sign(hook.secret.encode(), body)} if hook.secret else {})


def payload(job: Job) -> dict[str, Any]:
    """A `workflow_job` delivery."""
    owner = account(job.repo)
    return {
        "action": ACTIONS[job.status],
        "workflow_job": job_body(job),
        "repository": repository(job.repo),
        "sender": owner,
    }


def ping_payload(hook: Hook) -> dict[str, Any]:
    """A `ping` delivery."""
    shown = {"type": hook.kind, "id": hook.id, "name": "web", "active": hook.active, "events": list(hook.events)}
    body: dict[str, Any] = {
        "zen": "Keep it logically awesome.",
        "hook_id": hook.id,
        "hook": {**shown, "config": hook.shown_config()},
    }
    match hook.kind:
        case "Repository":
            body |= {"repository": repository(hook.scope), "sender": account(hook.scope)}
        case "Organization":
            body |= {"organization": account(hook.scope), "sender": account(hook.scope)}
    return body


def account(scope: str) -> dict[str, Any]:
    """The owner in a delivery."""
    return {"login": scope.partition("/")[0], "id": 1, "type": "Organization"}


def repository(repo: str) -> dict[str, Any]:
    """The repository in a delivery."""
    return {
        "id": 2,
        "name": repo.partition("/")[2],
        "full_name": repo,
        "private": True,
        "fork": False,
        "owner": account(repo),
        "html_url": f"https://github.com/{repo}",
    }
