"""The settings, one struct a table. The comment-docstring under a field is its documentation, here and in `docs/`.

Durations are seconds, sizes bytes, money USD; the text forms are read in `krs.config.values`.
"""

from pathlib import Path

import msgspec

from krs.core.vocabulary import Credential, Lifecycle, Mode, PublicRepositories
from krs.secret import Secret

MINUTE = 60.0
HOUR = 3600.0


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where krs listens."""

    host: str = "0.0.0.0"  # noqa: S104 - a container is reached from outside
    """Address to listen on."""
    port: int = 8000
    """Port to listen on; 0 takes a free one."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """How deliveries of GitHub are received."""

    secret: Secret = Secret("")
    """The webhook's secret, as typed in at GitHub. Required."""
    url: str = ""
    """The daemon's public address, as GitHub knows it: what `krs webhook` installs, and how a hook is recognised."""
    max_body: int = 5 * 1024 * 1024
    """Largest delivery accepted; a workflow_job is about 12 KiB."""
    disable_auth: bool = False
    """Accept unsigned deliveries; refused unless server.host is a loopback address."""


class Github(msgspec.Struct, frozen=True, kw_only=True):
    """How GitHub is asked."""

    token: Secret = Secret("")
    """A fine-grained token: Administration, Webhooks (organizations: Self-hosted runners) read, write; Actions read."""
    app_id: str = ""
    """Instead of a token: the App ID or client ID of a GitHub App that is installed where the runners register."""
    private_key: Secret = Secret("")
    """The private key of that App, in PEM form."""
    mode: Mode = Mode.REPOSITORY
    """Whom runners are registered to: `repository` or `organization`."""
    scopes: tuple[str, ...] = ()
    """Repositories (in mode organization: organizations) whose webhooks krs looks after; `allow` says who is served."""
    api_url: str = "https://api.github.com"
    """GitHub's API."""
    web_url: str = "https://github.com"
    """GitHub's address for people; runners register there."""
    allow: tuple[str, ...] = ()
    """Only repositories that match one of these patterns (`acme/*`) are served; empty serves all."""
    deny: tuple[str, ...] = ()
    """Repositories that match one of these patterns are refused."""


class Koyeb(msgspec.Struct, frozen=True, kw_only=True):
    """How Koyeb is used."""

    token: Secret = Secret("")
    """An API key of the organization that pays. Required."""
    api_url: str = "https://app.koyeb.com"
    """Koyeb's API."""
    app: str = "github-runner"
    """The app that holds the runners; made when it is missing."""
    controller: str = "default"
    """The name of this installation; runners of another one are never touched."""
    safety_ttl: float = 24 * HOUR
    """When Koyeb deletes a runner by itself if krs is gone; moved ahead while a job or a hold needs it."""
    jit_secrets: bool = False
    """Give one-job runners their configuration as a Koyeb secret, deleted with them, and not as a plain value."""


class Runners(msgspec.Struct, frozen=True, kw_only=True):
    """What runners are started and how long they are kept."""

    prefix: str = "koyeb"
    """First part of the labels that krs serves: `<prefix>-<region>-<instance type>`."""
    image: str = "koyeb/github-runner"
    """Container image of the runners."""
    folder: str = "/home/runner"
    """Where that image keeps actions/runner: the folder of its run.sh."""
    lifecycle: Lifecycle = Lifecycle.REUSABLE
    """`reusable` runners serve jobs until their ttl passes, `ephemeral` ones exactly one."""
    credential: Credential | None = None
    """What a container registers with; default `registration-token`, for ephemeral runners `jit`."""
    docker: bool = True
    """Give jobs a docker daemon; takes a privileged container."""
    ttl: float = 120 * MINUTE
    """How long an idle runner is kept."""
    surplus_ttl: float = 5 * MINUTE
    """How long an idle runner beyond the first of its pool is kept."""
    idle_confirm: float = 90.0
    """How far apart two looks at GitHub must agree that a runner is idle before it is deleted."""
    boot_timeout: float = 10 * MINUTE
    """A runner that is not online by then is deleted."""
    max_age: float = 24 * HOUR
    """A runner this old is drained."""
    max_per_pool: int = 16
    """Most runners of one pool (labels and repository or organization)."""
    max_total: int = 16
    """Most runners in all."""
    min_idle: int = 0
    """Warm spares per pool."""
    creates_per_hour: int = 120
    """Most runners started in an hour."""
    max_hourly_cost: float | None = None
    """Most USD an hour that all runners together may cost; off when not set."""
    extra_labels: tuple[str, ...] = ()
    """Labels that a job may ask for beside its krs label and self-hosted, linux, x64."""


class Admin(msgspec.Struct, frozen=True, kw_only=True):
    """Who may use the admin API; with no token it does not exist."""

    token: Secret = Secret("")
    """Bearer token that may do everything; at least 16 characters."""
    read_token: Secret = Secret("")
    """Bearer token that may only look; at least 16 characters."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept on disk."""

    path: Path | None = None
    """The state file; default `krs/state.db` in the platform's state folder."""
    keep: float = 7 * 24 * HOUR
    """How long deliveries and journal rows are kept."""


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """What is written to standard error."""

    level: str = "info"
    """`debug`, `info`, `warning` or `error`."""
    format: str = "text"
    """`text`, or `json` for one object a line."""


class PolicyTable(msgspec.Struct, frozen=True, kw_only=True):
    """Who may use runners."""

    public_repositories: PublicRepositories = PublicRepositories.WARN
    """Jobs of public repositories and of forks: `allow`, `warn` (serve them, and say so once for each) or `deny`."""


class PoolEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What differs for some pools; the first entry that matches holds, and what it leaves out is as set elsewhere."""

    label: str = "*"
    """Krs labels that the entry speaks of: a shell pattern; upper and lower case are the same."""
    repository: str = "*"
    """Repositories that it speaks of, in the same form; in organization mode only the owner counts."""
    lifecycle: Lifecycle | None = None
    """Instead of `runners.lifecycle`."""
    ttl: float | None = None
    """Instead of `runners.ttl`."""
    max: int | None = None
    """Most runners of each pool, instead of `runners.max_per_pool`."""
    min_idle: int | None = None
    """Instead of `runners.min_idle`."""
    image: str | None = None
    """Instead of `runners.image`."""
    extra_labels: tuple[str, ...] = ()
    """Beside `runners.extra_labels`."""
    docker: bool | None = None
    """Instead of `runners.docker`."""
    env: dict[str, str] = {}
    """More variables of the containers, in plain: every job can read them."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings."""

    server: Server = Server()
    webhook: Webhook = Webhook()
    github: Github = Github()
    koyeb: Koyeb = Koyeb()
    runners: Runners = Runners()
    admin: Admin = Admin()
    state: State = State()
    log: Log = Log()
    policy: PolicyTable = PolicyTable()
    pools: tuple[PoolEntry, ...] = ()


ALIASES = {
    "PORT": "server.port",
    "KOYEB_TOKEN": "koyeb.token",
    "KOYEB_API_URL": "koyeb.api_url",
    "GITHUB_TOKEN": "github.token",
    "GITHUB_API_URL": "github.api_url",
    "API_SECRET": "webhook.secret",
    "RUNNERS_TTL": "runners.ttl",
    "MODE": "github.mode",
    "PREFIX": "runners.prefix",
    "DISABLE_DOCKER_DAEMON": "runners.docker",
    "DISABLE_AUTH": "webhook.disable_auth",
    "KRS_ADMIN_TOKEN": "admin.token",
    "KRS_READ_TOKEN": "admin.read_token",
    "KRS_STATE": "state.path",
}
"""The Go program's variables, and short names; a setting's own KRS_ variable beats its alias."""

INVERTED = frozenset({"DISABLE_DOCKER_DAEMON"})
"""Aliases that mean the opposite of their setting."""

CHOICES = {
    "log.level": ("debug", "info", "warning", "error"),
    "log.format": ("text", "json"),
}

OTHER_VARIABLES = frozenset({"KRS_CONFIG", "KRS_URL", "KRS_TOKEN", "KRS_PROFILE", "KRS_PROFILES"})
"""Variables of ours that are no settings."""


def tables() -> dict[str, type[msgspec.Struct]]:
    """The struct of every table; `pools` is a list of tables and none of them."""
    fields = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    return {name: type(default) for name, default in fields.items() if isinstance(default, msgspec.Struct)}


def keys() -> dict[str, type[msgspec.Struct]]:
    """Every key `table.name`, with the struct of its table."""
    return {
        f"{table}.{field.name}": struct
        for table, struct in tables().items()
        for field in msgspec.structs.fields(struct)
    }


def variable(key: str) -> str:
    """The environment variable of a key."""
    return f"KRS_{key.replace('.', '_').upper()}"
