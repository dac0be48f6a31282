"""What everyone outside the core sees: the API's bodies, the console's snapshot and the stream's deltas.

Immutable, without secrets, with the same field names in JSON, in `docs/reference/api.md` and on screen. Instants are
seconds since the epoch, durations seconds, money USD.
"""

import msgspec

from krs.core.model import Event, Foreign, Instant, JobId, Name, PoolId, Scope
from krs.core.vocabulary import CheckName, Credential, Finding, JobState, Lifecycle, Mode, Reason, RunnerState


class RunnerView(msgspec.Struct, frozen=True, kw_only=True):
    """A runner as an operator sees it."""

    name: Name
    version: int
    state: RunnerState
    pool: PoolId
    scope: Scope
    labels: tuple[str, ...]
    region: str
    instance_type: str
    lifecycle: Lifecycle
    credential: Credential
    since: Instant
    """When it entered its state, as far as is known."""
    created_at: Instant | None = None
    online_at: Instant | None = None
    idle_since: Instant | None = None
    expires_at: Instant | None = None
    """When it ends if nothing happens; None while busy or not up."""
    ends_because: Reason | None = None
    hold_until: Instant | None = None
    max_age_at: Instant | None = None
    origin: Reason = Reason.JOB_QUEUED
    origin_job: JobId | None = None
    job: JobId | None = None
    job_name: str | None = None
    job_url: str | None = None
    repo: str | None = None
    branch: str | None = None
    jobs_done: int = 0
    draining: bool = False
    service_id: str = ""
    service_status: str = ""
    github_id: int | None = None
    price_hourly: float | None = None
    cost: float = 0.0
    """USD so far, an estimate: price times age."""
    error: str = ""


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job as an operator sees it; `reason` says why it waits or cannot be placed."""

    id: JobId
    state: JobState
    repo: str
    name: str
    workflow: str
    branch: str
    url: str
    labels: tuple[str, ...]
    run_id: int
    attempt: int
    pool: PoolId | None = None
    region: str | None = None
    instance_type: str | None = None
    reason: Reason | None = None
    placeable: bool = True
    queued_at: Instant = Instant(0)
    started_at: Instant | None = None
    ended_at: Instant | None = None
    waited: float = 0.0
    conclusion: str | None = None
    runner: Name | None = None


class PoolView(msgspec.Struct, frozen=True, kw_only=True):
    """A pool with its counts and whatever keeps it from starting runners."""

    id: PoolId
    scope: Scope
    labels: tuple[str, ...]
    region: str
    instance_type: str
    lifecycle: Lifecycle
    queued: int = 0
    booting: int = 0
    idle: int = 0
    busy: int = 0
    leaving: int = 0
    maximum: int = 0
    min_idle: int = 0
    ttl: float = 0.0
    paused: bool = False
    paused_by: str = ""
    tripped_until: Instant | None = None
    blocked_until: Instant | None = None
    blocked_reason: Reason | None = None
    blocked_message: str = ""
    price_hourly: float | None = None


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """One line for the header: how many, how long, how much."""

    runners: int = 0
    busy: int = 0
    idle: int = 0
    booting: int = 0
    queued: int = 0
    unplaceable: int = 0
    oldest_wait: float = 0.0
    cost_hourly: float = 0.0
    jobs_done: int = 0
    runners_started: int = 0
    runners_deleted: int = 0
    killed_jobs: int = 0


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One minute of history, for the sparklines."""

    at: Instant
    runners: int
    queued: int
    oldest_wait: float
    errors: int
    cost_hourly: float


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an API answers: Koyeb, or GitHub for one scope."""

    name: str
    ok: bool
    answered_at: Instant | None = None
    failed_since: Instant | None = None
    message: str = ""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one instant. `seq` is the last journal row it includes."""

    seq: int
    at: Instant
    version: str
    mode: Mode
    ready: bool
    paused: bool
    runners: tuple[RunnerView, ...]
    jobs: tuple[JobView, ...]
    pools: tuple[PoolView, ...]
    foreign: tuple[Foreign, ...]
    totals: Totals
    history: tuple[Sample, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    warnings: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    """All region ids of the catalog, sorted."""
    instance_types: tuple[str, ...] = ()
    prefix: str = "koyeb"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A slice of the journal, oldest first. Ask again with `after=next` while `more`."""

    events: tuple[Event, ...]
    next: int
    more: bool
    oldest: int
    """The oldest seq still kept; a smaller `after` has lost events."""


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a runner's log at Koyeb. `stream` is stdout, stderr or koyeb."""

    at: Instant
    stream: str
    text: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the doctor looked at. `subject` is the scope, pool or reason it is about, if it is about one."""

    name: CheckName
    finding: Finding
    message: str
    """What was found, in one line."""
    subject: str = ""
    advice: str = ""
    """What to do about it; empty when there is nothing to do."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """All checks, in the order of `CheckName`; `at` is when they were made."""

    at: Instant
    checks: tuple[Check, ...]


class StartBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST runners`: start a runner for a label, in a scope (owner/repo or owner)."""

    label: str
    scope: str
    reason: str = ""


class ExtendBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST runners/{name}/extend`: by minutes from its present expiry, or until an instant; `until: 0` lifts."""

    minutes: float | None = None
    until: float | None = None
    version: int | None = None
    reason: str = ""


class DrainBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST runners/{name}/drain`; `cancel` takes a drain back while the runner is still there."""

    cancel: bool = False
    version: int | None = None
    reason: str = ""


class KillBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST runners/{name}/kill`; a busy runner needs `force`."""

    force: bool = False
    version: int | None = None
    reason: str = ""


class PauseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST pools/{id}/pause`, `POST pools/{id}/resume`; the id `all` is everything."""

    reason: str = ""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an action: what it changed, as it is now."""

    message: str
    seq: int
    runner: RunnerView | None = None
    pool: PoolView | None = None


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, in one shape everywhere. `runner` is the present state when an action was refused."""

    code: str
    message: str
    hint: str = ""
    runner: RunnerView | None = None


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """Every error answer of the API."""

    error: ErrorDetail
