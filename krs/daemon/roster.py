"""Which of GitHub's hooks are ours: those that deliver jobs of ours to us, by what their signed deliveries say.

A daemon behind a proxy does not know its own address, so no address is compared with it: a hook is ours because a
delivery with our signature named it, which also tells whose it is, a repository's, an organization's or the App's.
https://docs.github.com/webhooks/webhook-events-and-payloads#delivery-headers
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from krs.core.model import Instant
from krs.core.vocabulary import Mode
from krs.github.hooks import APP, HookRef
from krs.store import KnownHook

SEEN_AGAIN = 24 * 3600.0
"""Seconds after which it is worth a write that a hook still delivers."""
LOOKS_RIGHT = re.compile(r"[1-9][0-9]{0,17}")
"""The number of a hook."""


class Roster:
    """The hooks. `news` is set when one is met for the first time, `arrived` whenever one delivers."""

    def __init__(self, saved: Iterable[KnownHook] = ()) -> None:
        self.news = asyncio.Event()
        self.arrived = asyncio.Event()
        self._heard: Counter[int] = Counter()
        self._known = {hook.id: hook for hook in saved}
        self._unsaved: set[int] = set()

    def met(self, headers: Mapping[str, str], repo: str, owner: str, now: Instant, *, ours: bool = True) -> None:
        """A delivery came in, signed with our secret, and `ours` if it concerns us: learn what its headers say."""
        number = headers.get("X-GitHub-Hook-ID", "")
        kind = headers.get("X-GitHub-Hook-Installation-Target-Type", "")
        if kind == "integration":
            ref = APP
        elif (scope := {"repository": repo, "organization": owner}.get(kind)) and LOOKS_RIGHT.fullmatch(number):
            ref = HookRef(scope, int(number))
        else:
            return
        self._heard[ref.id] += 1
        self.arrived.set()
        if ours:
            self.add(ref, now)

    def heard(self, ref: HookRef) -> int:
        """How many deliveries of a hook came in since this start."""
        return self._heard[ref.id]

    def add(self, ref: HookRef, now: Instant) -> None:
        """This hook is ours."""
        known = self._known.get(ref.id)
        if known is not None and known.scope == ref.scope and now - known.seen_at < SEEN_AGAIN:
            return
        if known is None:
            self.news.set()
        self._save(KnownHook(id=ref.id, scope=ref.scope, seen_at=now, read_to=known.read_to if known else Instant(0)))

    def read(self, hook: KnownHook, to: float) -> None:
        """Its log was dealt with up to an instant of GitHub's clock."""
        latest = self._known.get(hook.id, hook)
        if to > latest.read_to:
            self._save(replace(latest, read_to=Instant(to)))

    def hooks(self) -> tuple[KnownHook, ...]:
        """All hooks, the one heard of last first."""
        return tuple(sorted(self._known.values(), key=lambda hook: -hook.seen_at))

    def covers(self, scope: str) -> bool:
        """Whether a hook is known that hears of the jobs of a repository or an organization."""
        scopes = {hook.scope for hook in self._known.values()}
        return not scopes.isdisjoint({scope, scope.partition("/")[0], APP.scope})

    def unsaved(self) -> tuple[KnownHook, ...]:
        """What is to be written."""
        return tuple(self._known[number] for number in sorted(self._unsaved))

    def saved(self, hook: KnownHook) -> None:
        """It is on disk, unless it changed meanwhile."""
        if self._known.get(hook.id) == hook:
            self._unsaved.discard(hook.id)

    def _save(self, hook: KnownHook) -> None:
        self._known[hook.id] = hook
        self._unsaved.add(hook.id)


def scopes(mode: Mode, allow: Iterable[str], repositories: Iterable[str]) -> list[str]:
    """Where a hook of ours may be: at the repositories given and named in `github.allow`, or at their owners."""
    named = [pattern for pattern in allow if re.fullmatch(r"[\w.-]+/[\w.-]+", pattern)]
    if mode is Mode.REPOSITORY:
        return sorted({*named, *repositories})
    owners = [pattern.removesuffix("/*") for pattern in allow if re.fullmatch(r"[\w.-]+/\*", pattern)]
    return sorted({*owners, *(repo.partition("/")[0] for repo in (*named, *repositories))})
