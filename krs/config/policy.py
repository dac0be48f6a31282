"""What the core is told of the settings."""

from krs.config.settings import PoolEntry, Settings
from krs.core.catalog import Catalog
from krs.core.policy import Policy, PoolRule


def policy_of(settings: Settings, catalog: Catalog) -> Policy:
    """The policy that the settings make with a catalog."""
    runners, github = settings.runners, settings.github
    return Policy(
        catalog=catalog,
        mode=github.mode,
        prefix=runners.prefix,
        extra_labels=frozenset(label.casefold() for label in runners.extra_labels),
        allow=github.allow,
        deny=github.deny,
        public_repositories=settings.policy.public_repositories,
        lifecycle=runners.lifecycle,
        credential=runners.credential,
        image=runners.image,
        docker=runners.docker,
        ttl=runners.ttl,
        surplus_ttl=runners.surplus_ttl,
        idle_confirm=runners.idle_confirm,
        boot_timeout=runners.boot_timeout,
        max_age=runners.max_age,
        max_per_pool=runners.max_per_pool,
        max_total=runners.max_total,
        min_idle=runners.min_idle,
        creates_per_hour=runners.creates_per_hour,
        max_hourly_cost=runners.max_hourly_cost,
        rules=tuple(map(_rule, settings.pools)),
    )


def _rule(entry: PoolEntry) -> PoolRule:
    return PoolRule(
        label=entry.label,
        repository=entry.repository,
        lifecycle=entry.lifecycle,
        ttl=entry.ttl,
        maximum=entry.max,
        min_idle=entry.min_idle,
        image=entry.image,
        extra_labels=frozenset(label.casefold() for label in entry.extra_labels),
        docker=entry.docker,
        env=tuple(entry.env.items()),
    )
