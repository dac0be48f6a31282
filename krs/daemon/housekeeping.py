"""What is done now and then and decides nothing: the catalog, the history, and the shelf life of rows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from krs.core.catalog import Catalog
from krs.core.model import Instant
from krs.daemon.clock import Clock
from krs.errors import CallError
from krs.store import Store, StoreError

log = logging.getLogger(__name__)

MINUTE = 60.0
PRUNE_EVERY = 3600.0
CATALOG_EVERY = 24 * 3600.0
CATALOG_RETRY = 300.0


class Housekeeping:
    """One coroutine: a sample a minute, a prune of old rows and secrets an hour, the catalog at start and daily."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        keep: float,
        sample: Callable[[], None],
        read_catalog: Callable[[], Awaitable[Catalog]],
        take_catalog: Callable[[Catalog], None],
        sweep_vault: Callable[[], Awaitable[None]],
    ) -> None:
        self._clock = clock
        self._store = store
        self._keep = keep
        self._sample = sample
        self._read_catalog = read_catalog
        self._take_catalog = take_catalog
        self._sweep_vault = sweep_vault
        self._prune_at = Instant(0)
        self._catalog_at = Instant(0)

    async def run(self) -> None:
        """Until cancelled."""
        never = asyncio.Event()
        while True:
            now = self._clock.now()
            if now >= self._catalog_at:
                await self.refresh_catalog(now)
            self._sample()
            if now >= self._prune_at:
                await self._prune(now)
            await self._clock.wait(never, Instant(now + MINUTE))

    async def refresh_catalog(self, now: Instant) -> None:
        """Read what Koyeb sells now; what was known before stays when that fails."""
        try:
            self._take_catalog(await self._read_catalog())
        except CallError as problem:
            log.warning("the catalog could not be read, the last known one is used: %s", problem.message)
            self._catalog_at = Instant(now + CATALOG_RETRY)
        else:
            self._catalog_at = Instant(now + CATALOG_EVERY)

    async def _prune(self, now: Instant) -> None:
        self._prune_at = Instant(now + PRUNE_EVERY)
        try:
            await self._sweep_vault()
        except CallError as problem:
            log.info("secrets of runners that are gone stay for now: %s", problem.message)
        try:
            await self._store.prune(now, self._keep)
        except StoreError as problem:
            log.warning("old rows were not dropped: %s", problem)
