"""When every runner ends if nothing happens: the one table that RETIRE, ACT, the deadline and the views all read."""

from krs.core.fill import pressed
from krs.core.model import Instant, Name, World
from krs.core.policy import Policy
from krs.core.state import Ending, endings, queued_by_pool, runners_by_pool


def all_endings(world: World, now: Instant, policy: Policy) -> dict[Name, Ending]:
    """The end of each runner that has one, and why, by name."""
    queued = queued_by_pool(world)
    leaving = pressed(world, now, policy)
    ends: dict[Name, Ending] = {}
    for pool_id, runners in runners_by_pool(world).items():
        pool = world.pools.get(pool_id)
        if pool is not None:
            ends |= endings(pool, runners, queued.get(pool_id, 0), policy, leaving)
    return ends
