"""What the outside told us: the inputs of `absorb`. Nouns, with the instant at which they became true."""

from enum import StrEnum

import msgspec

from krs.core.model import Instant, JobId, Name, PoolId, Scope
from krs.core.vocabulary import Credential, JobState, Lifecycle, Reason


class JobFact(msgspec.Struct, frozen=True, kw_only=True):
    """GitHub said something of a job, by webhook or in answer to a question.

    `at` is when it became true as far as GitHub says; `seen_at` is when we heard it.
    """

    id: JobId
    repo: str
    owner: str
    labels: tuple[str, ...]
    state: JobState
    at: Instant
    run_id: int = 0
    attempt: int = 1
    name: str = ""
    workflow: str = ""
    branch: str = ""
    url: str = ""
    queued_at: Instant | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None
    conclusion: str | None = None
    runner: Name | None = None
    outside: bool | None = None
    """Whether its repository is public or a fork; None when nothing was said of it, as in answers about a job."""
    killed: bool = False
    """Cancelled with every post-step skipped: the mark of a runner that was deleted under its job."""


class JobGone(msgspec.Struct, frozen=True, kw_only=True):
    """GitHub does not know the job any more (404)."""

    id: JobId


class JobUnanswered(msgspec.Struct, frozen=True, kw_only=True):
    """A question about a job failed; nothing was learnt."""

    id: JobId
    message: str


class ServiceSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One service of the app as Koyeb lists it."""

    id: str
    name: Name
    status: str
    created_at: Instant
    deletes_at: Instant | None = None
    messages: tuple[str, ...] = ()


class Adoptable(msgspec.Struct, frozen=True, kw_only=True):
    """A service that no row knows but whose definition says that it is a runner of ours."""

    service: ServiceSeen
    scope: Scope
    labels: tuple[str, ...]
    lifecycle: Lifecycle = Lifecycle.REUSABLE
    credential: Credential = Credential.REGISTRATION_TOKEN


class ServicesListed(msgspec.Struct, frozen=True, kw_only=True):
    """Koyeb's complete list of the app, as asked for at `asked_at`, with what could be adopted."""

    asked_at: Instant
    services: tuple[ServiceSeen, ...]
    adoptable: tuple[Adoptable, ...] = ()


class ServiceFound(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a direct question for one service; `service` is None when Koyeb says it does not exist."""

    name: Name
    asked_at: Instant
    service: ServiceSeen | None


class KoyebFailed(msgspec.Struct, frozen=True, kw_only=True):
    """The list of services could not be had."""

    message: str
    after: float | None = None


class RunnerCreated(msgspec.Struct, frozen=True, kw_only=True):
    """Koyeb has a service of this name: just created, or found to exist already."""

    name: Name
    service_id: str
    created_at: Instant
    deletes_at: Instant | None
    found: bool = False


class CreateFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A create did not happen (or nobody knows: reason `unknown`). `after` is a wait asked for, in seconds."""

    name: Name
    reason: Reason
    message: str
    after: float | None = None


class DeleteAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """The registration is gone and Koyeb took the deletion; `gone` when Koyeb says there is no such service."""

    name: Name
    gone: bool = False
    deregistered: bool = True
    """False when GitHub could not be told."""


class DeleteFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A deletion did not happen. Reason `busy` is a fact: GitHub refused since a job runs (422).

    `stage` tells whether GitHub's or Koyeb's answer failed.
    """

    name: Name
    reason: Reason
    message: str
    stage: str = "koyeb"
    after: float | None = None


class Observed(StrEnum):
    """What one look at GitHub's registration of a runner showed."""

    IDLE = "idle"
    BUSY = "busy"
    OFFLINE = "offline"
    ABSENT = "absent"


class RegistrationSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One runner as GitHub lists it."""

    name: Name
    id: int
    observed: Observed
    labels: tuple[str, ...] = ()


class RegistrationsListed(msgspec.Struct, frozen=True, kw_only=True):
    """GitHub's complete list of the runners of a scope, as asked for at `asked_at`."""

    scope: Scope
    asked_at: Instant
    runners: tuple[RegistrationSeen, ...]


class RegistrationObserved(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a direct question for one runner's registration."""

    name: Name
    asked_at: Instant
    observed: Observed
    id: int | None = None


class RegistrationRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """A registration without a runner is gone, unless `busy`: GitHub refused since a job runs (422)."""

    scope: Scope
    name: Name
    id: int
    busy: bool = False


class GithubFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A question about a scope's runners failed; `denied` when the token may not ask it. `name` if about one runner."""

    scope: Scope
    message: str
    denied: bool = False
    name: Name | None = None
    after: float | None = None


class Protected(msgspec.Struct, frozen=True, kw_only=True):
    """Koyeb took a later `delete_after_create` (None: it refused; the runner keeps what it had)."""

    name: Name
    deletes_at: Instant | None
    message: str = ""


class StartAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An operator asked for a runner for a label in a scope."""

    scope: Scope
    labels: tuple[str, ...]
    name: Name
    by: str = ""
    reason: str = ""


class ExtendAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An operator holds a runner until an instant (None lifts the hold)."""

    name: Name
    until: Instant | None
    by: str = ""
    reason: str = ""


class DrainAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An operator lets a runner end its job and go; `cancel` takes that back while it still can be."""

    name: Name
    by: str = ""
    reason: str = ""
    cancel: bool = False


class KillAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An operator ends a runner now; `force` even if a job runs on it."""

    name: Name
    force: bool = False
    by: str = ""
    reason: str = ""


class PauseAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An operator stops new runners of a pool, or of all pools when `pool` is None."""

    pool: PoolId | None
    by: str = ""
    reason: str = ""


class ResumeAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An operator lifts a pause, and a trip or a block with it."""

    pool: PoolId | None
    by: str = ""
    reason: str = ""


Fact = (
    JobFact
    | JobGone
    | JobUnanswered
    | ServicesListed
    | ServiceFound
    | KoyebFailed
    | RunnerCreated
    | CreateFailed
    | DeleteAccepted
    | DeleteFailed
    | RegistrationsListed
    | RegistrationObserved
    | RegistrationRemoved
    | GithubFailed
    | Protected
    | StartAsked
    | ExtendAsked
    | DrainAsked
    | KillAsked
    | PauseAsked
    | ResumeAsked
)
