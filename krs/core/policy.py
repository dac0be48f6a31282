"""The rules of the house as values: what the operator configured, and the constants of the domain."""

from fnmatch import fnmatchcase

import msgspec

from krs.core.catalog import Catalog
from krs.core.model import Pool
from krs.core.vocabulary import Credential, Lifecycle, Mode, PublicRepositories

STANDARD_LABELS = frozenset({"self-hosted", "linux", "x64"})

HOUR = 3600.0


class PoolRule(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[pools]]` entry: patterns (case-folded shell globs) and what they override; None keeps the default."""

    label: str = "*"
    repository: str = "*"
    lifecycle: Lifecycle | None = None
    ttl: float | None = None
    maximum: int | None = None
    min_idle: int | None = None
    image: str | None = None
    extra_labels: frozenset[str] = frozenset()
    docker: bool | None = None
    env: tuple[tuple[str, str], ...] = ()

    def matches(self, label: str, repository: str) -> bool:
        """Whether this entry speaks of a label in a repository (in organization mode: of the owner)."""
        pattern = self.repository.casefold()
        if "/" not in repository:
            pattern = pattern.partition("/")[0]
        return fnmatchcase(label.casefold(), self.label.casefold()) and fnmatchcase(repository.casefold(), pattern)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one pool once its rule is applied. Durations in seconds."""

    lifecycle: Lifecycle
    credential: Credential
    ttl: float
    maximum: int
    min_idle: int
    image: str
    docker: bool
    env: tuple[tuple[str, str], ...] = ()


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `absorb` and `decide` are told beside the world. Durations in seconds, money in USD an hour."""

    catalog: Catalog
    mode: Mode = Mode.REPOSITORY
    prefix: str = "koyeb"
    extra_labels: frozenset[str] = frozenset()
    rules: tuple[PoolRule, ...] = ()
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    public_repositories: PublicRepositories = PublicRepositories.WARN
    lifecycle: Lifecycle = Lifecycle.REUSABLE
    credential: Credential | None = None
    image: str = "koyeb/github-runner"
    docker: bool = True
    ttl: float = 120 * 60.0
    surplus_ttl: float = 5 * 60.0
    idle_confirm: float = 90.0
    boot_timeout: float = 10 * 60.0
    max_age: float = 24 * HOUR
    safety_ttl: float = 24 * HOUR
    max_per_pool: int = 16
    max_total: int = 16
    min_idle: int = 0
    creates_per_hour: int = 120
    max_hourly_cost: float | None = None
    op_timeout: float = 60.0
    sweep: float = 60.0
    """Between two lists of Koyeb's services."""
    github_sweep: float = 5 * 60.0
    """Between two lists of a scope's runners at GitHub."""
    boot_sweep: float = 30.0
    """The same while a runner of the scope boots."""
    recheck: float = 10 * 60.0
    """How long a job may go unconfirmed before GitHub is asked for it."""
    linger: float = 30.0
    """Between the end of an ephemeral runner's job and its deletion (lessons: `completed` may be early)."""
    trip_after: int = 5
    trip_for: float = 30 * 60.0
    block_for: float = 5 * 60.0
    unreachable_limit: float = 30 * 60.0
    """How long an unreachable GitHub keeps an idle runner alive."""
    keep_gone: float = HOUR
    backoff: tuple[float, ...] = (5.0, 15.0, 45.0, 120.0, 300.0)

    def rule_for(self, label: str, repository: str) -> PoolRule | None:
        """The first `[[pools]]` entry that speaks of this label and repository."""
        number = self.rule_number(label, repository)
        return self.rules[number - 1] if number is not None else None

    def rule_number(self, label: str, repository: str) -> int | None:
        """Its number, counted from 1. In organization mode repositories share their pools: only the owner counts."""
        scope = repository.partition("/")[0] if self.mode is Mode.ORGANIZATION else repository
        return next((number for number, rule in enumerate(self.rules, 1) if rule.matches(label, scope)), None)

    def terms(self, label: str, repository: str) -> Terms:
        """What holds for the pool of a label in a repository or organization."""
        rule = self.rule_for(label, repository) or PoolRule()
        lifecycle = rule.lifecycle or self.lifecycle
        return Terms(
            lifecycle=lifecycle,
            credential=self._credential(lifecycle),
            ttl=self.ttl if rule.ttl is None else rule.ttl,
            maximum=self.max_per_pool if rule.maximum is None else rule.maximum,
            min_idle=self.min_idle if rule.min_idle is None else rule.min_idle,
            image=rule.image or self.image,
            docker=self.docker if rule.docker is None else rule.docker,
            env=rule.env,
        )

    def pool_terms(self, pool: Pool) -> Terms:
        """What holds for a pool."""
        return self.terms(pool.labels[0], pool.scope)

    def covered(self, label: str, repository: str) -> frozenset[str]:
        """The labels, case-folded, that a job may ask for beside its krs label."""
        rule = self.rule_for(label, repository)
        return STANDARD_LABELS | self.extra_labels | (rule.extra_labels if rule else frozenset())

    def delay(self, attempts: int) -> float:
        """Seconds to wait after this many failures in a row."""
        return self.backoff[min(max(attempts, 1), len(self.backoff)) - 1]

    def _credential(self, lifecycle: Lifecycle) -> Credential:
        if self.credential is not None:
            return self.credential
        return Credential.JIT if lifecycle is Lifecycle.EPHEMERAL else Credential.REGISTRATION_TOKEN
