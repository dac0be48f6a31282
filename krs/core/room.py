"""What may still be started: the ceilings on places, creates and money, for jobs and for operators alike."""

from krs.core.draft import Draft
from krs.core.model import Pool, PoolId
from krs.core.policy import HOUR, Policy
from krs.core.state import is_ahead, is_live
from krs.core.vocabulary import Reason


class Room:
    """Counted once, for one `decide` or one order; `take` counts on."""

    def __init__(self, draft: Draft, policy: Policy) -> None:
        self._policy = policy
        self._draft = draft
        live = [runner for runner in draft.runners.values() if is_live(runner)]
        self._total = len(live)
        self._pools: dict[PoolId, int] = {}
        self._trying: dict[PoolId, int] = {}
        for runner in live:
            self._pools[runner.pool] = self._pools.get(runner.pool, 0) + 1
            if runner.online_at is None and runner.wanted:
                self._trying[runner.pool] = self._trying.get(runner.pool, 0) + 1
        self._creates = sum(at > draft.now - HOUR for at in draft.creates)
        self._cost = sum(policy.catalog.price(runner.instance_type) or 0.0 for runner in live)

    def take(self, pool: Pool) -> None:
        """One runner of this pool was planned."""
        self._total += 1
        self._creates += 1
        self._pools[pool.id] = self._pools.get(pool.id, 0) + 1
        self._trying[pool.id] = self._trying.get(pool.id, 0) + 1
        self._cost += self._policy.catalog.price(pool.instance_type) or 0.0

    def refusal(self, pool: Pool) -> Reason | None:
        """Why krs may start no runner of this pool now; None when it may."""
        return self._stopped(pool) or self.full(pool)

    def _stopped(self, pool: Pool) -> Reason | None:
        if self._draft.paused:
            return Reason.PAUSED
        if pool.paused:
            return Reason.POOL_PAUSED
        trying = self._trying.get(pool.id, 0)
        if pool.failures >= self._policy.trip_after and (is_ahead(pool.tripped_until, self._draft.now) or trying):
            return Reason.TRIPPED
        if pool.blocked_reason is not None and (is_ahead(pool.blocked_until, self._draft.now) or trying):
            return pool.blocked_reason
        return None

    def full(self, pool: Pool) -> Reason | None:
        """Which ceiling stands against one more runner of this pool, whoever asks for it."""
        policy = self._policy
        if self._pools.get(pool.id, 0) >= policy.pool_terms(pool).maximum:
            return Reason.MAX_PER_POOL
        if self._total >= policy.max_total:
            return Reason.MAX_TOTAL
        if self._creates >= policy.creates_per_hour:
            return Reason.CREATES_PER_HOUR
        price = policy.catalog.price(pool.instance_type) or 0.0
        if policy.max_hourly_cost is not None and self._cost + price > policy.max_hourly_cost:
            return Reason.MAX_HOURLY_COST
        return None
