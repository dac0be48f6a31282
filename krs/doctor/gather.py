"""Asking: each question of the doctor has a time limit, and a question that fails is evidence like any other."""

import asyncio
from collections.abc import Awaitable, Iterable
from pathlib import Path
from typing import Any

from krs.doctor.evidence import Answer, HooksSeen, KoyebSeen, Problem, ScopeSeen, T
from krs.doctor.github import THE_APP, sends_jobs
from krs.errors import CallError, Unknown
from krs.github import GithubClient, Hooks
from krs.github.hooks import APP, Hook
from krs.koyeb import Account, KoyebClient, Organization
from krs.store import StoreError
from krs.store.look import Look, look

LIMIT = 10.0
"""Seconds for one question."""
SHOWN = 100
"""Deliveries of a hook that are looked at: one call."""


async def asked(question: Awaitable[T]) -> T | Problem:
    """The answer, or why there is none."""
    try:
        async with asyncio.timeout(LIMIT):
            return await question
    except (CallError, StoreError, ValueError) as problem:
        return problem
    except TimeoutError:
        return Unknown(f"no answer within {LIMIT:g}s")


def problem(answer: Answer[Any]) -> Problem | None:
    """Why there is no answer, if there is none."""
    return answer if isinstance(answer, CallError | StoreError | ValueError) else None


async def koyeb(client: KoyebClient, app: str) -> KoyebSeen:
    """Whose key it is, what may be had and what there is."""
    account = Account(client)
    organization = await asked(account.organization())
    if not isinstance(organization, Organization):
        return KoyebSeen(token=problem(organization))
    quotas, usage, services = await asyncio.gather(
        asked(client.quotas(organization.id)), asked(account.usage(organization.id)), asked(_services(client, app))
    )
    return KoyebSeen(organization=organization, quotas=quotas, usage=usage, app_services=services)


async def _services(client: KoyebClient, name: str) -> int:
    app = await client.find_app(name)
    return len(await client.list_services(app.id)) if app is not None else 0


async def scopes(github: GithubClient, names: Iterable[str]) -> tuple[ScopeSeen, ...]:
    """What may be done in each scope; that a registration token may be had proves the right to write."""
    return tuple(await asyncio.gather(*(_scope(github, name) for name in names)))


async def _scope(github: GithubClient, name: str) -> ScopeSeen:
    looks = problem(await asked(github.list_runners(name)))
    registers = problem(await asked(github.registration_token(name)))
    jobs = problem(await asked(github.list_runs(name, "queued"))) if "/" in name else None
    return ScopeSeen(scope=name, looks=looks, registers=registers, jobs=jobs)


async def webhooks(hooks: Hooks, names: Iterable[str]) -> tuple[HooksSeen, ...]:
    """The webhooks of each scope, and of a repository that has none those of its owner."""
    return tuple(await asyncio.gather(*(_webhooks(hooks, name) for name in names)))


async def _webhooks(hooks: Hooks, name: str) -> HooksSeen:
    found = await asked(hooks.list(name))
    owner, _, repository = name.partition("/")
    if repository and isinstance(found, tuple) and not any(map(sends_jobs, found)):
        theirs = await asked(hooks.list(owner))
        found = (*found, *theirs) if isinstance(theirs, tuple) else found
    return await _with_deliveries(hooks, name, found)


async def app_webhook(hooks: Hooks) -> tuple[HooksSeen, ...]:
    """The one webhook of the App."""
    found = await asked(hooks.get(APP))
    listed = (found,) if isinstance(found, Hook) else found
    return (await _with_deliveries(hooks, THE_APP, listed),)


async def _with_deliveries(hooks: Hooks, place: str, found: Answer[tuple[Hook, ...]]) -> HooksSeen:
    ours = [hook for hook in found if sends_jobs(hook)] if isinstance(found, tuple) else []
    logs = await asyncio.gather(*(asked(hooks.deliveries(hook.ref, limit=SHOWN)) for hook in ours))
    return HooksSeen(place=place, hooks=found, deliveries=dict(zip((hook.ref.id for hook in ours), logs, strict=True)))


async def disk(path: Path) -> Look | Problem:
    """The state file."""
    return await asked(asyncio.to_thread(look, path))
