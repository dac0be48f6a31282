"""What GitHub's REST API sends, read tolerantly."""

from enum import Enum
from typing import Any

import msgspec

from krs.github.webhook import Job
from krs.secret import Secret


class Removal(Enum):
    """How the deletion of a registration ended; BUSY is GitHub's 422: a job runs on it."""

    REMOVED = "removed"
    ABSENT = "absent"
    BUSY = "busy"


class Label(msgspec.Struct, frozen=True):
    """A runner's label."""

    name: str = ""


class RunnerReply(msgspec.Struct, frozen=True):
    """A runner as GitHub sends it."""

    id: int
    name: str
    status: str = "offline"
    busy: bool = False
    labels: list[Label] = []

    def registration(self) -> "Registration":
        """The same in our words."""
        labels = tuple(label.name for label in self.labels)
        return Registration(self.id, self.name, online=self.status == "online", busy=self.busy, labels=labels)


class Registration(msgspec.Struct, frozen=True):
    """A runner registered at GitHub."""

    id: int
    name: str
    online: bool
    busy: bool
    labels: tuple[str, ...] = ()


class RunnersReply(msgspec.Struct, frozen=True):
    """One page of runners."""

    total_count: int = 0
    runners: list[RunnerReply] = []

    @property
    def rows(self) -> list[RunnerReply]:
        """The runners."""
        return self.runners


class JobsReply(msgspec.Struct, frozen=True):
    """One page of the jobs of a run."""

    total_count: int = 0
    jobs: list[Job] = []

    @property
    def rows(self) -> list[Job]:
        """The jobs."""
        return self.jobs


class RunRepository(msgspec.Struct, frozen=True):
    """What a run says of its repository."""

    private: bool | None = None
    fork: bool | None = None


class Run(msgspec.Struct, frozen=True):
    """A workflow run."""

    id: int
    repository: RunRepository = RunRepository()


class RunsReply(msgspec.Struct, frozen=True):
    """One page of workflow runs."""

    total_count: int = 0
    workflow_runs: list[Run] = []

    @property
    def rows(self) -> list[Run]:
        """The runs."""
        return self.workflow_runs


class InstallationReply(msgspec.Struct, frozen=True):
    """Where a GitHub App is installed."""

    id: int


class TokenReply(msgspec.Struct, frozen=True):
    """A token valid for one hour: of an installation, or one that registers any number of runners."""

    token: str
    expires_at: str = ""


class RegistrationToken(msgspec.Struct, frozen=True):
    """The same with its secret masked; `expires_at` in seconds since the epoch."""

    token: Secret
    expires_at: float


class JitReply(msgspec.Struct, frozen=True):
    """A just-in-time configuration."""

    runner: RunnerReply
    encoded_jit_config: str


class JitConfig(msgspec.Struct, frozen=True):
    """The same with its secret masked."""

    registration: Registration
    encoded: Secret


class HookConfig(msgspec.Struct, frozen=True):
    """Where a hook delivers and how; GitHub masks the secret, so all that is known of it is whether there is one."""

    url: str = ""
    content_type: str = "form"
    insecure_ssl: str | float = "0"
    secret: str | None = None


class LastResponse(msgspec.Struct, frozen=True):
    """How a repository hook's latest delivery was answered."""

    code: int | None = None
    message: str | None = None


class HookReply(msgspec.Struct, frozen=True):
    """A hook of a repository or an organization."""

    id: int
    active: bool = True
    events: list[str] = []
    config: HookConfig = HookConfig()
    last_response: LastResponse = LastResponse()


class AppReply(msgspec.Struct, frozen=True):
    """What a GitHub App is sent."""

    events: list[str] = []


class DeliveryReply(msgspec.Struct, frozen=True):
    """A row of a hook's log."""

    id: int
    guid: str
    delivered_at: str
    redelivery: bool = False
    status: str = ""
    status_code: int = 0
    event: str = ""
    action: str | None = None


class _Sent(msgspec.Struct, frozen=True):
    headers: dict[str, str] | None = None
    payload: dict[str, Any] | None = None


class _Answered(msgspec.Struct, frozen=True):
    payload: str | None = None


class DeliveryDetailReply(DeliveryReply, frozen=True):
    """The same with what was sent and answered."""

    url: str = ""
    request: _Sent = _Sent()
    response: _Answered = _Answered()
