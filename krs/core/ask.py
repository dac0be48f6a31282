"""Rule ASK: the periodic questions. An answer in flight is not asked for twice; a failure backs off."""

from collections.abc import Iterator

from msgspec.structs import replace

from krs.core import commands as c
from krs.core import strays
from krs.core.draft import Draft
from krs.core.model import Instant, Job, Probe, Scope
from krs.core.policy import Policy
from krs.core.state import is_idle, is_up
from krs.core.vocabulary import JobState

CHECKS_IN_FLIGHT = 20
"""Questions about single jobs under way at once: GitHub asks for few concurrent requests (REST best practices)."""


def ask(draft: Draft, policy: Policy) -> Iterator[c.Command]:
    """Questions about jobs, services and registrations that are due."""
    yield from _check_jobs(draft, policy)
    yield from list_services(draft, policy)
    yield from _list_registrations(draft, policy)
    yield from strays.remove(draft, policy)


def job_due(job: Job, policy: Policy) -> Instant:
    """When GitHub must be asked about a job that is not done: it was not confirmed for a while."""
    return max(Instant(job.confirmed_at + policy.recheck), job.asked_until)


def _check_jobs(draft: Draft, policy: Policy) -> Iterator[c.Command]:
    open_jobs = [job for job in draft.jobs.values() if job.state is not JobState.DONE]
    room = CHECKS_IN_FLIGHT - sum(job.asked_until > draft.now for job in open_jobs)
    due = sorted((job_due(job, policy), job.id) for job in open_jobs)
    for at, key in due[: max(0, room)]:
        if at > draft.now:
            return
        expires = Instant(draft.now + policy.op_timeout)
        job = draft.jobs[key]
        draft.put_job(replace(job, asked_until=expires))
        yield c.CheckJob(id=job.id, repo=job.repo, expires=expires)


def list_services(draft: Draft, policy: Policy) -> Iterator[c.Command]:
    """The sweep of Koyeb's services, when it is due."""
    probe = draft.koyeb
    if max(probe.not_before, probe.asked_until) > draft.now:
        return
    expires = Instant(draft.now + policy.op_timeout)
    draft.put_koyeb(replace(probe, asked_until=expires))
    yield c.ListServices(known=frozenset(draft.runners), expires=expires)


def registrations_due(draft: Draft, scope: Scope, policy: Policy) -> Instant:
    """When a scope's runners must be listed: sooner while one of them boots."""
    probe = draft.github.get(scope, Probe())
    booting = any(
        is_up(runner) and runner.wanted and not is_idle(runner) and runner.online_at is None
        for runner in draft.runners.values()
        if runner.scope == scope
    )
    every = policy.boot_sweep if booting and not probe.denied else policy.github_sweep
    last = probe.answered_at if probe.answered_at is not None else Instant(0)
    return max(Instant(last + every), probe.not_before, probe.asked_until)


def scopes(draft: Draft) -> list[Scope]:
    """The scopes with a runner at Koyeb, or with a registration that may be left."""
    return sorted({runner.scope for runner in draft.runners.values() if is_up(runner)} | strays.scopes(draft))


def _list_registrations(draft: Draft, policy: Policy) -> Iterator[c.Command]:
    for scope in scopes(draft):
        if registrations_due(draft, scope, policy) > draft.now:
            continue
        expires = Instant(draft.now + policy.op_timeout)
        draft.put_github(scope, replace(draft.github.get(scope, Probe()), asked_until=expires))
        yield c.ListRegistrations(scope=scope, expires=expires)
