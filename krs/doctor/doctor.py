"""The doctor: gathers all evidence at once and judges it. The last diagnosis is given again for a while."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from krs.config.load import missing
from krs.config.settings import Settings
from krs.core.model import Instant
from krs.core.views import Diagnosis
from krs.doctor import gather
from krs.doctor.evidence import Evidence, HooksSeen, Inside, KoyebSeen, Problem, ScopeSeen
from krs.doctor.judge import diagnose
from krs.doctor.meter import Meter
from krs.github import GithubClient, Hooks
from krs.koyeb import KoyebClient

KEPT = 10.0
"""Seconds for which a diagnosis is given again, so that whoever asks often does not spend the calls that krs needs."""
SCOPES = 10
"""Repositories or organizations that are asked about: each takes four calls to GitHub."""


class Doctor:
    """Examines one installation. `state` is its state file; `meter` observes the calls of both clients."""

    def __init__(
        self,
        *,
        settings: Settings,
        koyeb: KoyebClient,
        github: GithubClient,
        state: Path,
        meter: Meter,
        now: Callable[[], Instant],
    ) -> None:
        self._settings = settings
        self._lacks = {line.partition(".")[0]: ValueError(line) for line in missing(settings)}
        self._koyeb = koyeb
        self._github = github
        self._state = state
        self._meter = meter
        self._now = now
        self._busy = asyncio.Lock()
        self._last: Diagnosis | None = None

    async def examine(
        self,
        scopes: Iterable[str],
        inside: Callable[[], Awaitable[Inside]] | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Diagnosis:
        """Every check. `inside` gives what a running daemon knows; never raises because something is wrong."""
        async with self._busy:
            if self._last is None or self._now() - self._last.at >= KEPT:
                names = list(dict.fromkeys(scopes))
                self._last = diagnose(await self._evidence(names[:SCOPES], inside, warnings))
            return self._last

    async def _evidence(
        self,
        scopes: list[str],
        inside: Callable[[], Awaitable[Inside]] | None,
        warnings: tuple[str, ...],
    ) -> Evidence:
        koyeb, (refused, seen, hooks), disk, known = await asyncio.gather(
            self._ask_koyeb(),
            self._ask_github(scopes),
            gather.disk(self._state),
            inside() if inside is not None else _nothing(),
        )
        return Evidence(
            at=self._now(),
            settings=self._settings,
            koyeb=koyeb,
            github=refused,
            scopes=seen,
            hooks=hooks,
            budgets=self._meter.budgets(),
            ahead=self._meter.ahead(),
            store=disk,
            inside=known,
            warnings=(*warnings, *(str(line) for table, line in self._lacks.items() if table == "webhook")),
        )

    async def _ask_koyeb(self) -> KoyebSeen:
        if "koyeb" in self._lacks:
            return KoyebSeen(token=self._lacks["koyeb"])
        return await gather.koyeb(self._koyeb, self._settings.koyeb.app)

    async def _ask_github(
        self, scopes: list[str]
    ) -> tuple[Problem | None, tuple[ScopeSeen, ...], tuple[HooksSeen, ...]]:
        refused = self._lacks.get("github") or gather.problem(await gather.asked(self._github.check_token()))
        if refused is not None:
            return refused, (), tuple(HooksSeen(place=name, hooks=refused) for name in scopes)
        hooks = Hooks(self._github)
        webhooks = gather.app_webhook(hooks) if self._settings.github.app_id else gather.webhooks(hooks, scopes)
        return (None, *await asyncio.gather(gather.scopes(self._github, scopes), webhooks))


async def _nothing() -> None:
    return None
