"""Jobs whose deliveries never came are found by listing, at start and every five minutes, and absorbed as facts.

GitHub promises no delivery and repeats none by itself
(https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from krs.core.facts import JobFact
from krs.core.model import Instant
from krs.daemon.clock import Clock
from krs.daemon.finder import REMEMBERED, JobFinder
from krs.daemon.notices import Notices
from krs.errors import CallError, Throttled
from krs.github import Denied
from krs.store import StoreError

log = logging.getLogger(__name__)

EVERY = 5 * 60.0


class Recovery:
    """One coroutine. `seen_since` gives the repositories of deliveries since an instant, from before this start."""

    def __init__(
        self,
        *,
        clock: Clock,
        finder: JobFinder,
        tell: Callable[..., None],
        concerns_us: Callable[[JobFact], bool],
        seen_since: Callable[[Instant], Awaitable[Iterable[str]]],
        notices: Notices,
    ) -> None:
        self._clock = clock
        self._finder = finder
        self._tell = tell
        self._concerns_us = concerns_us
        self._seen_since = seen_since
        self._notices = notices

    async def run(self) -> None:
        """Until cancelled."""
        await self._remember(self._clock.now())
        never = asyncio.Event()
        while True:
            try:
                await self.sweep(self._clock.now())
            except Exception:
                log.exception("missed jobs could not be looked for in a way nobody foresaw")
            await self._clock.wait(never, Instant(self._clock.now() + EVERY))

    async def _remember(self, now: Instant) -> None:
        try:
            self._finder.remember(await self._seen_since(Instant(now - REMEMBERED)), now)
        except StoreError as problem:
            log.warning("missed jobs are looked for in known repositories only: %s", problem)

    async def sweep(self, now: Instant) -> None:
        """Look in every repository seen lately; what GitHub does not answer waits for the next sweep."""
        for repo in self._finder.repositories(now):
            try:
                jobs = await self._finder.jobs(repo)
            except Denied as problem:
                self._notices.warn(
                    f"runs:{repo}",
                    f"jobs of {repo} whose deliveries are lost are not found: "
                    f"the GitHub credential needs {problem.needs or 'actions=read'}",
                )
            except Throttled as problem:
                log.info("missed jobs are looked for later: %s", problem.message)
                return
            except CallError as problem:
                log.info("missed jobs of %s are looked for later: %s", repo, problem.message)
            else:
                self._notices.clear(f"runs:{repo}")
                self._tell(*(job for job in jobs if self._concerns_us(job)))
