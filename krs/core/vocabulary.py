"""The words that are relied on from outside: states, event kinds, levels, reason codes and the doctor's checks.

Every value here appears in the API, the journal, the metrics and the console, and is documented in `docs/reference/`.
Names are forever: add, never rename.
"""

from enum import StrEnum


class JobState(StrEnum):
    """Where a workflow job stands; it only moves to the right."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


class RunnerState(StrEnum):
    """What a runner is doing; derived from facts by `krs.core.state.state_of`, never stored."""

    PLANNED = "planned"
    CREATING = "creating"
    BOOTING = "booting"
    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"
    DELETING = "deleting"
    GONE = "gone"
    FAILED = "failed"
    LOST = "lost"


class Lifecycle(StrEnum):
    """How long a runner lives: until its TTL passes, or for exactly one job."""

    REUSABLE = "reusable"
    EPHEMERAL = "ephemeral"


class Credential(StrEnum):
    """What a runner's container is given to register itself with (see DESIGN section 6)."""

    REGISTRATION_TOKEN = "registration-token"  # noqa: S105 - the name of a kind, not a secret
    JIT = "jit"
    GITHUB_TOKEN = "github-token"  # noqa: S105 - the name of a kind, not a secret


class Mode(StrEnum):
    """Whom runners are registered to."""

    REPOSITORY = "repository"
    ORGANIZATION = "organization"


class PublicRepositories(StrEnum):
    """What is done about jobs of public repositories and of forks: serve, serve and say so, refuse."""

    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"


class Level(StrEnum):
    """How much an event matters to an operator."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class EventKind(StrEnum):
    """Something that happened; one journal row each."""

    DAEMON_STARTED = "daemon.started"
    DAEMON_STOPPED = "daemon.stopped"
    JOB_QUEUED = "job.queued"
    JOB_WAITING = "job.waiting"
    JOB_UNPLACEABLE = "job.unplaceable"
    JOB_STARTED = "job.started"
    JOB_DONE = "job.done"
    JOB_LOST = "job.lost"
    JOB_KILLED = "job.killed"
    RUNNER_PLANNED = "runner.planned"
    RUNNER_CREATED = "runner.created"
    RUNNER_ADOPTED = "runner.adopted"
    RUNNER_CREATE_FAILED = "runner.create_failed"
    RUNNER_ONLINE = "runner.online"
    RUNNER_BUSY = "runner.busy"
    RUNNER_IDLE = "runner.idle"
    RUNNER_EXTENDED = "runner.extended"
    RUNNER_DRAINING = "runner.draining"
    RUNNER_RETIRED = "runner.retired"
    RUNNER_DELETE_REFUSED = "runner.delete_refused"
    RUNNER_DELETE_FAILED = "runner.delete_failed"
    RUNNER_DELETED = "runner.deleted"
    RUNNER_GONE = "runner.gone"
    REGISTRATION_REMOVED = "registration.removed"
    POOL_CREATED = "pool.created"
    POOL_PAUSED = "pool.paused"
    POOL_RESUMED = "pool.resumed"
    POOL_TRIPPED = "pool.tripped"
    POOL_BLOCKED = "pool.blocked"
    SCHEDULER_PAUSED = "scheduler.paused"
    SCHEDULER_RESUMED = "scheduler.resumed"
    SERVICE_FOREIGN = "service.foreign"
    KOYEB_LOST = "koyeb.lost"
    KOYEB_BACK = "koyeb.back"
    GITHUB_LOST = "github.lost"
    GITHUB_BACK = "github.back"
    GITHUB_DENIED = "github.denied"
    STORE_LOST = "store.lost"
    STORE_BACK = "store.back"
    DELIVERY_REJECTED = "delivery.rejected"
    DELIVERY_REDELIVERED = "delivery.redelivered"
    AUTH_FAILED = "auth.failed"
    WARNING = "warning"


class Reason(StrEnum):
    """Why: one code for every decision that acts, refuses or waits."""

    # why a job cannot be placed (no runner is ever started for it)
    LABEL_NOT_COVERED = "label_not_covered"
    AMBIGUOUS_LABEL = "ambiguous_label"
    UNKNOWN_REGION = "unknown_region"
    UNKNOWN_INSTANCE_TYPE = "unknown_instance_type"
    NOT_SOLD_IN_REGION = "not_sold_in_region"
    WEB_ONLY = "web_only"
    REPOSITORY_DENIED = "repository_denied"
    PUBLIC_REPOSITORY = "public_repository"
    # why a queued job waits
    STARTING = "starting"
    MATCHED = "matched"
    NAME_TAKEN = "name_taken"
    MAX_PER_POOL = "max_per_pool"
    MAX_TOTAL = "max_total"
    CREATES_PER_HOUR = "creates_per_hour"
    MAX_HOURLY_COST = "max_hourly_cost"
    POOL_PAUSED = "pool_paused"
    PAUSED = "paused"
    TRIPPED = "tripped"
    QUOTA = "quota"
    APPROVAL = "approval"
    NOT_READY = "not_ready"
    # why a runner was started
    JOB_QUEUED = "job_queued"
    MIN_IDLE = "min_idle"
    OPERATOR = "operator"
    ADOPTED = "adopted"
    # why a runner ends
    EXPIRED = "expired"
    SURPLUS = "surplus"
    MAX_AGE = "max_age"
    BOOT_TIMEOUT = "boot_timeout"
    LOST = "lost"
    JOB_DONE = "job_done"
    NEVER_USED = "never_used"
    DRAINED = "drained"
    KILLED = "killed"
    VANISHED = "vanished"
    CREATE_REFUSED = "create_refused"
    NOT_NEEDED = "not_needed"
    # how a call failed
    REFUSED = "refused"
    THROTTLED = "throttled"
    UNREACHED = "unreached"
    UNKNOWN = "unknown"
    BUSY = "busy"
    DENIED = "denied"
    BAD_SIGNATURE = "bad_signature"
    BAD_BODY = "bad_body"
    BAD_TOKEN = "bad_token"  # noqa: S105 - a reason code, not a secret


class Finding(StrEnum):
    """What a check of the doctor came to; `skipped` could not be looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class CheckName(StrEnum):
    """What the doctor looks at, in the order of its report."""

    DAEMON = "daemon"
    KOYEB_TOKEN = "koyeb_token"  # noqa: S105 - the name of a check, not a secret
    KOYEB_QUOTA = "koyeb_quota"
    KOYEB_BUDGET = "koyeb_budget"
    KOYEB_SWEEP = "koyeb_sweep"
    GITHUB_CREDENTIAL = "github_credential"
    GITHUB_PERMISSIONS = "github_permissions"
    GITHUB_BUDGET = "github_budget"
    GITHUB_SWEEP = "github_sweep"
    WEBHOOK = "webhook"
    WEBHOOK_DELIVERIES = "webhook_deliveries"
    DELIVERIES = "deliveries"
    STORE = "store"
    CLOCK = "clock"
    UNPLACEABLE_JOBS = "unplaceable_jobs"
    POOLS = "pools"
    LIMITS = "limits"
    KILLED_JOBS = "killed_jobs"
    RUNNER_CREDENTIAL = "runner_credential"
    WARNINGS = "warnings"
