"""What `decide` wants done outside: imperatives, each with the instant after which it must not be started."""

import msgspec

from krs.core.model import Instant, JobId, Name, PoolId, Scope
from krs.core.vocabulary import Credential, Lifecycle


class CreateRunner(msgspec.Struct, frozen=True, kw_only=True):
    """Make the service of this name; an existing one of the same name is the answer, not an error."""

    name: Name
    pool: PoolId
    scope: Scope
    labels: tuple[str, ...]
    region: str
    instance_type: str
    lifecycle: Lifecycle
    credential: Credential
    expires: Instant
    retry: bool = False
    """An earlier try may have happened: look for the name before asking again."""
    at_most: int | None = None
    """Another daemon may be at work: make it only if Koyeb lists fewer runners than this at that moment."""


class DeleteRunner(msgspec.Struct, frozen=True, kw_only=True):
    """Deregister at GitHub (unless `deregister` is False), then delete the service. `force` goes on after 422.

    With `ask_jobs` a job could still run on it unseen: GitHub's jobs are asked before and after.
    """

    name: Name
    scope: Scope
    service_id: str
    github_id: int | None
    deregister: bool
    ask_jobs: bool
    force: bool
    expires: Instant


class ObserveRunner(msgspec.Struct, frozen=True, kw_only=True):
    """Ask GitHub what one runner is doing."""

    name: Name
    scope: Scope
    github_id: int | None
    expires: Instant


class LookUpService(msgspec.Struct, frozen=True, kw_only=True):
    """Ask Koyeb for one service that a list did not show."""

    name: Name
    service_id: str
    expires: Instant


class ProtectRunner(msgspec.Struct, frozen=True, kw_only=True):
    """Move the instant at which Koyeb deletes the service by itself."""

    name: Name
    service_id: str
    created_at: Instant
    deletes_at: Instant
    expires: Instant


class CheckJob(msgspec.Struct, frozen=True, kw_only=True):
    """Ask GitHub how a job stands."""

    id: JobId
    repo: str
    expires: Instant


class ListServices(msgspec.Struct, frozen=True, kw_only=True):
    """List the app's services; `known` are the names that need no look into their definition."""

    known: frozenset[str]
    expires: Instant


class ListRegistrations(msgspec.Struct, frozen=True, kw_only=True):
    """List the runners that GitHub knows in a scope."""

    scope: Scope
    expires: Instant


class RemoveRegistration(msgspec.Struct, frozen=True, kw_only=True):
    """Remove a registration of ours that has no runner."""

    scope: Scope
    name: Name
    id: int
    expires: Instant


Command = (
    CreateRunner
    | DeleteRunner
    | ObserveRunner
    | LookUpService
    | ProtectRunner
    | CheckJob
    | ListServices
    | ListRegistrations
    | RemoveRegistration
)
