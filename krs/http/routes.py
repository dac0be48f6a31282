"""The admin API as one table: handlers and the OpenAPI description are both made from it."""

import difflib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from krs.core.model import Name, PoolId
from krs.core.views import (
    Diagnosis,
    Done,
    DrainBody,
    ExtendBody,
    JobView,
    KillBody,
    LogLine,
    Page,
    PauseBody,
    PoolView,
    RunnerView,
    Snapshot,
    StartBody,
)
from krs.core.vocabulary import EventKind
from krs.http.base import ApiError
from krs.http.ports import ActionRefused, Scheduler

BASE = "/api/v1"
PAGE, LARGEST_PAGE = 100, 1000


class Call(msgspec.Struct, frozen=True):
    """One request, read and checked. `subject` is the name or id in the path."""

    scheduler: Scheduler
    subject: str
    body: Any
    query: Mapping[str, str]
    by: str


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `body` is None for reads; actions need the admin role."""

    method: str
    path: str
    text: str
    run: Callable[[Call], Awaitable[object]]
    answer: Any
    body: type[Any] | None = None
    query: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()


async def _state(call: Call) -> Snapshot:
    return call.scheduler.snapshot()


async def _runners(call: Call) -> tuple[RunnerView, ...]:
    return call.scheduler.snapshot().runners


async def _runner(call: Call) -> RunnerView:
    runners = {runner.name: runner for runner in call.scheduler.snapshot().runners}
    found = runners.get(Name(call.subject))
    if found is not None:
        return found
    near = difflib.get_close_matches(call.subject, runners, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else ""
    raise ApiError(404, "unknown_runner", f"no runner is named {call.subject}", hint)


async def _jobs(call: Call) -> tuple[JobView, ...]:
    return call.scheduler.snapshot().jobs


async def _pools(call: Call) -> tuple[PoolView, ...]:
    return call.scheduler.snapshot().pools


async def _doctor(call: Call) -> Diagnosis:
    return await call.scheduler.doctor()


async def _logs(call: Call) -> tuple[LogLine, ...]:
    return tuple([line async for line in call.scheduler.logs(Name(call.subject), follow=False)])


async def _events(call: Call) -> Page:
    limit = number(call.query, "limit", PAGE)
    if not 1 <= limit <= LARGEST_PAGE:
        raise ApiError(422, "bad_value", f"limit must lie between 1 and {LARGEST_PAGE}")
    runner = Name(call.query["runner"]) if call.query.get("runner") else None
    return await call.scheduler.events(number(call.query, "after", 0), kinds(call.query), limit, runner)


async def _start(call: Call) -> Done:
    return await call.scheduler.start(call.body, by=call.by)


async def _extend(call: Call) -> Done:
    return await call.scheduler.extend(Name(call.subject), call.body, by=call.by)


async def _drain(call: Call) -> Done:
    return await call.scheduler.drain(Name(call.subject), call.body, by=call.by)


async def _kill(call: Call) -> Done:
    return await call.scheduler.kill(Name(call.subject), call.body, by=call.by)


async def _pause(call: Call) -> Done:
    return await call.scheduler.pause(_pool(call.subject), by=call.by, reason=call.body.reason)


async def _resume(call: Call) -> Done:
    return await call.scheduler.resume(_pool(call.subject), by=call.by, reason=call.body.reason)


def _pool(subject: str) -> PoolId | None:
    return None if subject == "all" else PoolId(subject)


def number(query: Mapping[str, str], name: str, default: int) -> int:
    """A whole number of the query. Raises `ApiError` (422)."""
    text = query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ApiError(422, "bad_value", f"{name} must be a whole number from 0")
    return int(text)


def kinds(query: Mapping[str, str]) -> frozenset[EventKind]:
    """The event kinds of the query, separated by commas; none means all. Raises `ApiError` (422)."""
    words = [word for word in query.get("kind", "").split(",") if word]
    try:
        return frozenset(EventKind(word) for word in words)
    except ValueError:
        raise ApiError(
            422, "bad_value", "kind names an event kind that does not exist", "see docs/reference/events.md"
        ) from None


REFUSALS = (404, 409)
ENDPOINTS = (
    Endpoint(
        method="GET", path="/state", text="Everything at one instant.", run=_state, answer=Snapshot, statuses=(304,)
    ),
    Endpoint(method="GET", path="/runners", text="All runners.", run=_runners, answer=tuple[RunnerView, ...]),
    Endpoint(method="GET", path="/runners/{name}", text="One runner.", run=_runner, answer=RunnerView, statuses=(404,)),
    Endpoint(
        method="GET", path="/jobs", text="Jobs that wait, run, or ended lately.", run=_jobs, answer=tuple[JobView, ...]
    ),
    Endpoint(method="GET", path="/pools", text="All pools.", run=_pools, answer=tuple[PoolView, ...]),
    Endpoint(
        method="GET",
        path="/doctor",
        text="What is wrong, why, and what to do; made anew at most every few seconds.",
        run=_doctor,
        answer=Diagnosis,
    ),
    Endpoint(
        method="GET",
        path="/events",
        text="A slice of the journal; with Accept: text/event-stream the journal as it grows.",
        run=_events,
        answer=Page,
        query=("after", "kind", "limit", "runner"),
        statuses=(422, 503),
    ),
    Endpoint(
        method="GET",
        path="/runners/{name}/logs",
        text="A runner's last log lines; with Accept: text/event-stream the next ones too.",
        run=_logs,
        answer=tuple[LogLine, ...],
        statuses=(404, 409, 502, 503),
    ),
    Endpoint(
        method="POST", path="/runners", text="Start a runner.", run=_start, answer=Done, body=StartBody, statuses=(409,)
    ),
    Endpoint(
        method="POST",
        path="/runners/{name}/extend",
        text="Hold a runner.",
        run=_extend,
        answer=Done,
        body=ExtendBody,
        statuses=REFUSALS,
    ),
    Endpoint(
        method="POST",
        path="/runners/{name}/drain",
        text="Let a runner end its job and go.",
        run=_drain,
        answer=Done,
        body=DrainBody,
        statuses=REFUSALS,
    ),
    Endpoint(
        method="POST",
        path="/runners/{name}/kill",
        text="End a runner now.",
        run=_kill,
        answer=Done,
        body=KillBody,
        statuses=REFUSALS,
    ),
    Endpoint(
        method="POST",
        path="/pools/{id}/pause",
        text="Start no more runners of a pool; the id `all` means every pool.",
        run=_pause,
        answer=Done,
        body=PauseBody,
        statuses=(404,),
    ),
    Endpoint(
        method="POST",
        path="/pools/{id}/resume",
        text="Lift a pause, a trip and a block.",
        run=_resume,
        answer=Done,
        body=PauseBody,
        statuses=(404,),
    ),
)


def refused(problem: ActionRefused) -> ApiError:
    """A refusal of the scheduler as an answer."""
    detail = problem.detail
    return ApiError(problem.status, detail.code, detail.message, detail.hint, runner=detail.runner)
