"""The doctor's visits: to a daemon that runs, with what only that knows, and to a configuration alone."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from krs.config.settings import Settings
from krs.core.model import Instant
from krs.core.views import Diagnosis, Snapshot
from krs.core.vocabulary import EventKind
from krs.daemon.clock import SystemClock
from krs.daemon.roster import scopes
from krs.doctor import Doctor, Inside, Meter
from krs.doctor.gather import asked, problem
from krs.github import GithubClient, identity
from krs.koyeb import KoyebClient
from krs.store import Store

KILLED = 10_000
"""Journal rows at most that are read for jobs cut off; more than any week has."""


class Checkup:
    """Visits a running daemon. `named` are the scopes of its configuration, `receipts` those of its webhook."""

    def __init__(
        self,
        doctor: Doctor,
        *,
        named: Sequence[str],
        store: Store,
        receipts: Callable[[], Mapping[str, Instant]],
        started_at: Instant,
    ) -> None:
        self._doctor = doctor
        self._named = named
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

        return await self._doctor.examine([*scopes_of(now), *self._named], inside)


def scopes_of(now: Snapshot) -> list[str]:
    """The scopes of all pools, those with something to do first."""
    busy: dict[str, int] = {}
    for pool in now.pools:
        busy[pool.scope] = busy.get(pool.scope, 0) + pool.queued + pool.booting + pool.busy + pool.idle
    return sorted(busy, key=lambda scope: (-busy[scope], scope))


async def offline(settings: Settings, state: Path, given: Sequence[str], warnings: Sequence[str]) -> Diagnosis:
    """Everything that can be known of a configuration without a daemon, in scopes that are given or those it names.

    Raises `ValueError` in one line when the key of an App is none.
    """
    now = SystemClock().now
    meter = Meter(now)
    who = settings.github
    try:
        auth = identity(
            token=who.token,
            app_id=who.app_id,
            private_key=who.private_key,
            api_url=who.api_url,
            now=now,
            observe=meter.call,
        )
    except ValueError as problem:
        raise ValueError(f"github.private_key: {problem}") from None
    github = GithubClient(auth=auth, api_url=who.api_url, now=now, observe=meter.call)
    koyeb = KoyebClient(token=settings.koyeb.token.reveal(), api_url=settings.koyeb.api_url, observe=meter.call)
    doctor = Doctor(settings=settings, koyeb=koyeb, github=github, state=state, meter=meter, now=now)
    try:
        return await doctor.examine(given or scopes(who.mode, who.allow, who.scopes), warnings=tuple(warnings))
    finally:
        await koyeb.aclose()
        await github.aclose()
