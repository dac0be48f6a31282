"""The world as krs knows it: jobs, runners, pools, and what is in flight.

Everything is an immutable value. Instants are seconds of wall clock since the epoch (they survive a restart);
durations are seconds. Secrets never enter this package. States are derived (`krs.core.state`), never stored.
"""

from enum import StrEnum
from typing import NewType

import msgspec

from krs.core.vocabulary import Credential, EventKind, JobState, Level, Lifecycle, Reason

Instant = NewType("Instant", float)
Name = NewType("Name", str)
JobId = NewType("JobId", int)
PoolId = NewType("PoolId", str)
Scope = NewType("Scope", str)

NEVER = Instant(float("inf"))


class Cloud(StrEnum):
    """What Koyeb last said of a runner's service."""

    NONE = "none"
    UP = "up"
    DELETING = "deleting"
    GONE = "gone"


class Forge(StrEnum):
    """What GitHub last said of a runner's registration."""

    UNSEEN = "unseen"
    IDLE = "idle"
    BUSY = "busy"
    OFFLINE = "offline"
    GONE = "gone"


class OpKind(StrEnum):
    """What is being done to a runner right now; at most one at a time."""

    CREATE = "create"
    DELETE = "delete"
    OBSERVE = "observe"
    LOOKUP = "lookup"
    PROTECT = "protect"


class Op(msgspec.Struct, frozen=True):
    """A command in flight; after `expires` it is forgotten and the same rule fires again."""

    kind: OpKind
    expires: Instant


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One `workflow_job`. `pool` is None when it cannot be placed, and `reason` then says why."""

    id: JobId
    repo: str
    labels: tuple[str, ...]
    state: JobState
    run_id: int = 0
    attempt: int = 1
    name: str = ""
    workflow: str = ""
    branch: str = ""
    url: str = ""
    pool: PoolId | None = None
    reason: Reason | None = None
    queued_at: Instant = Instant(0)
    started_at: Instant | None = None
    ended_at: Instant | None = None
    conclusion: str | None = None
    runner: Name | None = None
    confirmed_at: Instant = Instant(0)
    """When GitHub last told us of this job, by webhook or by an answer."""
    state_at: Instant = Instant(0)
    """When its state became true, as far as GitHub says; orders `waiting` against `queued`."""
    asked_until: Instant = Instant(0)
    """A question about this job is in flight until then."""


class Runner(msgspec.Struct, frozen=True, kw_only=True):
    """One GitHub runner = one named Koyeb service. `wanted` flips once and never back."""

    name: Name
    pool: PoolId
    scope: Scope
    region: str
    instance_type: str
    lifecycle: Lifecycle = Lifecycle.REUSABLE
    credential: Credential = Credential.REGISTRATION_TOKEN
    origin: Reason = Reason.JOB_QUEUED
    """Why it exists: job_queued, min_idle, operator or adopted."""
    job: JobId | None = None
    """The job it was started for (a seed, not a binding: GitHub binds jobs to runners)."""
    planned_at: Instant = Instant(0)
    wanted: bool = True
    why: Reason | None = None
    """Why it ends, once it is no longer wanted."""
    by: str = ""
    """Who asked for its end or its start, when an operator did."""
    cloud: Cloud = Cloud.NONE
    cloud_at: Instant = Instant(0)
    service_id: str = ""
    service_status: str = ""
    created_at: Instant | None = None
    deletes_at: Instant | None = None
    """When Koyeb deletes the service by itself (`life_cycle.delete_after_create`)."""
    misses: int = 0
    """How many lists in a row did not show the service."""
    forge: Forge = Forge.UNSEEN
    forge_at: Instant = Instant(0)
    github_id: int | None = None
    online_at: Instant | None = None
    offline_since: Instant | None = None
    unknown_sweeps: int = 0
    """How many GitHub answers in a row did not know a runner that had been online."""
    quiet_since: Instant | None = None
    """The first of the unbroken observations that GitHub does not list it busy."""
    unreachable_since: Instant | None = None
    """Since when GitHub gives no answer about it (an error is not an answer)."""
    idle_since: Instant | None = None
    """When it came up or its last job ended, whichever is later; None while busy or booting."""
    busy_job: JobId | None = None
    jobs_done: int = 0
    hold_until: Instant | None = None
    draining: bool = False
    force: bool = False
    """Kill even while busy; only an operator sets it."""
    deregistered: bool = False
    op: Op | None = None
    attempts: int = 0
    not_before: Instant = Instant(0)
    error: str = ""
    """What the last failed call said, without secrets."""
    gone_at: Instant | None = None
    since: Instant = Instant(0)
    """When it entered its present state."""
    version: int = 1
    """Counts the changes an operator would care about; actions name the version they saw."""


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """The interchangeable runners of one (scope, set of labels)."""

    id: PoolId
    scope: Scope
    labels: tuple[str, ...]
    region: str
    instance_type: str
    paused: bool = False
    paused_by: str = ""
    tripped_until: Instant | None = None
    failures: int = 0
    """Runners in a row that never came online."""
    blocked_until: Instant | None = None
    """A quota or plan refusal: no create before this."""
    blocked_reason: Reason | None = None
    blocked_message: str = ""
    last_job_at: Instant = Instant(0)
    last_repo: str = ""
    outsiders: tuple[str, ...] = ()
    """Public repositories and forks whose jobs it served."""
    spares: int = 0
    """Ordinal of the next warm spare, so that its name is a function of the state."""


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """A service in our app that krs neither created nor adopted: shown, never touched."""

    service_id: str
    name: str
    status: str
    created_at: Instant


class Stray(msgspec.Struct, frozen=True, kw_only=True):
    """A registration of ours that is offline and has no runner, first seen so at `since`."""

    name: Name
    id: int
    since: Instant
    asked_until: Instant = Instant(0)


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A periodic question to one API: when it was last asked and answered, and what is wrong."""

    asked_until: Instant = Instant(0)
    answered_at: Instant | None = None
    failed_since: Instant | None = None
    not_before: Instant = Instant(0)
    failures: int = 0
    denied: bool = False
    strays: tuple[Stray, ...] = ()
    """Of GitHub in a scope: registrations to be removed."""
    others_until: Instant = Instant(0)
    """Of Koyeb: until then another daemon of this controller may be starting runners in the same app."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One journal row: something that happened. `seq` is 0 until the store numbers it."""

    kind: EventKind
    at: Instant
    message: str
    level: Level = Level.INFO
    reason: Reason | None = None
    runner: Name | None = None
    job: JobId | None = None
    pool: PoolId | None = None
    repo: str | None = None
    by: str | None = None
    seq: int = 0


class World(msgspec.Struct, frozen=True, kw_only=True):
    """All that krs knows. `news` are the events of this turn, not yet written to the journal."""

    jobs: dict[JobId, Job] = msgspec.field(default_factory=dict)
    runners: dict[Name, Runner] = msgspec.field(default_factory=dict)
    pools: dict[PoolId, Pool] = msgspec.field(default_factory=dict)
    foreign: dict[str, Foreign] = msgspec.field(default_factory=dict)
    creates: tuple[Instant, ...] = ()
    """When runners were planned in the last hour, for `creates_per_hour`."""
    paused: bool = False
    koyeb: Probe = Probe()
    github: dict[Scope, Probe] = msgspec.field(default_factory=dict)
    news: tuple[Event, ...] = ()
