"""The doctor's visits: to a daemon that runs, with what only that knows, and to a configuration alone."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from krs.config.settings import Settings
from krs.core.model import Instant
from krs.core.views import Diagnosis, Snapshot
from krs.core.vocabulary import EventKind
from krs.daemon.clock import SystemClock
from krs.daemon.identity import identity
from krs.doctor import Doctor, Inside, Meter
from krs.doctor.gather import asked, problem
from krs.github import GithubClient
from krs.koyeb import KoyebClient
from krs.store import Store

KILLED = 10_000
"""Journal rows at most that are read for jobs cut off; more than any week has."""


class Checkup:
    """Visits a running daemon. `receipts` are the webhook's."""

    def __init__(
        self,
        doctor: Doctor,
        *,
        store: Store,
        receipts: Callable[[], Mapping[str, Instant]],
        started_at: Instant,
    ) -> None:
        self._doctor = doctor
        self._store = store
        self._receipts = receipts
        self._started_at = started_at

    async def __call__(self, now: Snapshot) -> Diagnosis:
        """Everything about a daemon that stands like this."""

        async def inside() -> Inside:
            written = problem(await asked(self._store.touch()))
            delivered = await asked(self._store.last_received())
            killed = await asked(self._store.events(0, frozenset({EventKind.JOB_KILLED}), KILLED))
            return Inside(
                snapshot=now,
                started_at=self._started_at,
                receipts=dict(self._receipts()),
                delivered_at=delivered if isinstance(delivered, float) else None,
                written=written,
                killed=killed.events if not isinstance(killed, Exception) else (),
            )

        return await self._doctor.examine(scopes_of(now), inside)


def scopes_of(now: Snapshot) -> list[str]:
    """The scopes of all pools, those with something to do first."""
    busy: dict[str, int] = {}
    for pool in now.pools:
        busy[pool.scope] = busy.get(pool.scope, 0) + pool.queued + pool.booting + pool.busy + pool.idle
    return sorted(busy, key=lambda scope: (-busy[scope], scope))


async def offline(settings: Settings, state: Path, scopes: Sequence[str], warnings: Sequence[str]) -> Diagnosis:
    """Everything that can be known of a configuration and some scopes without a daemon. Raises as `identity` does."""
    now = SystemClock().now
    meter = Meter(now)
    auth = identity(settings, now=now, observe=meter.call)
    github = GithubClient(auth=auth, api_url=settings.github.api_url, now=now, observe=meter.call)
    koyeb = KoyebClient(token=settings.koyeb.token.reveal(), api_url=settings.koyeb.api_url, observe=meter.call)
    doctor = Doctor(settings=settings, koyeb=koyeb, github=github, state=state, meter=meter, now=now)
    try:
        return await doctor.examine(scopes, warnings=tuple(warnings))
    finally:
        await koyeb.aclose()
        await github.aclose()
