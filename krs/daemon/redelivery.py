"""Deliveries that did not arrive are looked for at our hooks: at start, every five minutes, and at a new hook at once.

GitHub repeats no delivery by itself, and keeps each for three days
(https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries). The newest goes first: the end of
a job that ran on an idle runner while nobody listened comes before its beginning, which then starts no runner.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from krs.core.model import Instant
from krs.daemon.clock import Clock
from krs.daemon.notices import Notices
from krs.daemon.orders import Orders, Outcome
from krs.daemon.roster import Roster
from krs.errors import CallError, Throttled
from krs.github import Denied, Hooks
from krs.github.hooks import APP, EVENT, KEPT, Delivery, HookRef, same_daemon
from krs.store import KnownHook, StoreError

log = logging.getLogger(__name__)

EVERY = 5 * 60.0
SOON = 60.0
"""Seconds to the next try when nothing comes in from a hook, as just after a start."""
PATIENCE = 5
"""Such tries after which the operator is told, and the next ones wait as long as any."""
OVERLAP = 10 * 60.0
"""Seconds read again each time: a delivery stands in the log under its beginning, and enters it at its end."""
LOOK_AGAIN = 3600.0
"""Seconds after which a scope without a known hook is looked at again."""


class Ledger(Protocol):
    """What survives of it."""

    async def keep_hook(self, hook: KnownHook) -> None:
        """Remember a hook."""


class Redelivery:
    """One coroutine. `scopes` are those whose hook may be ours by its address, `url`; `app` says who we are."""

    def __init__(
        self,
        *,
        clock: Clock,
        hooks: Hooks,
        orders: Orders,
        roster: Roster,
        ledger: Ledger,
        notices: Notices,
        scopes: Callable[[Instant], Iterable[str]],
        url: str,
        app: bool,
    ) -> None:
        self._clock = clock
        self._hooks = hooks
        self._orders = orders
        self._roster = roster
        self._ledger = ledger
        self._notices = notices
        self._scopes = scopes
        self._url = url
        self._app = app
        self._due: dict[int, Instant] = {}
        self._unheard: dict[int, int] = {}
        self._looked: dict[str, Instant] = {}
        self._not_before = Instant(0)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await self._orders.load()
        except StoreError as problem:
            log.warning("what was sent again before this start is not known, and may be once more: %s", problem)
        while True:
            self._roster.news.clear()
            try:
                await self.sweep(self._clock.now())
            except StoreError as problem:
                log.warning("failed deliveries wait until the state file can be written: %s", problem)
            except Exception:
                log.exception("failed deliveries could not be looked for in a way nobody foresaw")
            now = self._clock.now()
            wanted = min([now + EVERY, *(due for due in self._due.values() if due > now)])
            await self._clock.wait(self._roster.news, Instant(max(wanted, self._not_before)))

    async def sweep(self, now: Instant) -> None:
        """Deal with the hooks whose turn it is; what GitHub does not answer waits for the next one."""
        try:
            if now >= self._not_before:
                await self._mend_due(now)
        except Throttled as problem:
            log.info("failed deliveries are looked for later: %s", problem.message)
            self._not_before = Instant(now + problem.after)
        for hook in self._roster.unsaved():
            await self._ledger.keep_hook(hook)
            self._roster.saved(hook)

    async def _mend_due(self, now: Instant) -> None:
        await self._look(now)
        for hook in self._known(now):
            if self._due.get(hook.id, 0.0) <= now:
                self._due[hook.id] = Instant(now + EVERY)
                await self._mend(hook, now)

    def _known(self, now: Instant) -> tuple[KnownHook, ...]:
        """The hooks; an App has its own even before anything came from it."""
        known = self._roster.hooks()
        return known or ((KnownHook(id=APP.id, scope=APP.scope, seen_at=now),) if self._app else ())

    async def _look(self, now: Instant) -> None:
        """Find hooks that are ours by their address, where none is known: after a loss of the state file."""
        for scope in self._scopes(now) if self._url else ():
            if self._roster.covers(scope) or now - self._looked.get(scope, -LOOK_AGAIN) < LOOK_AGAIN:
                continue
            self._looked[scope] = now
            try:
                found = await self._hooks.list(scope)
            except Denied as problem:
                self._cannot(HookRef(scope), problem)
            except Throttled:
                raise
            except CallError as problem:
                log.info("hooks of %s are looked for later: %s", scope, problem.message)
            else:
                for hook in found:
                    if hook.hears and same_daemon(hook.url, self._url):
                        self._roster.add(hook.ref, now)

    async def _mend(self, hook: KnownHook, now: Instant) -> None:
        """Have what one hook failed to deliver sent again. Raises `Throttled` and `StoreError`."""
        ref = HookRef(hook.scope, hook.id)
        if ref == APP and not self._app:
            text = "that takes the App's key: set github.app_id and github.private_key"
            self._notices.warn(str(APP), f"failed deliveries of {APP} are not sent again: {text}")
            return
        try:
            since = max(now - KEPT, hook.read_to - OVERLAP)
            failed = await self._hooks.deliveries(ref, since=since, failed=True)
            outcome = await self._orders.give(ref, [row for row in failed if row.event == EVENT])
        except Denied as problem:
            self._cannot(ref, problem)
        except Throttled:
            raise
        except CallError as problem:
            log.info("failed deliveries of %s are looked for later: %s", ref, problem.message)
        else:
            self._settle(hook, ref, outcome, failed, now)

    def _settle(
        self, hook: KnownHook, ref: HookRef, outcome: Outcome, failed: tuple[Delivery, ...], now: Instant
    ) -> None:
        if outcome is Outcome.UNHEARD:
            tries = self._unheard[hook.id] = self._unheard.get(hook.id, 0) + 1
            if tries < PATIENCE:
                self._due[hook.id] = Instant(now + SOON)
            else:
                text = "check its address and secret at GitHub, and that this daemon can be reached"
                self._notices.warn(str(ref), f"nothing comes in from {ref}, and failed deliveries wait: {text}")
            return
        self._unheard.pop(hook.id, None)
        self._notices.clear(str(ref))
        if outcome is Outcome.ASKED and failed:
            self._roster.read(hook, max(row.at for row in failed))

    def _cannot(self, ref: HookRef, problem: Denied) -> None:
        """Say once what the credential lacks, or that the hook is gone, which GitHub does not tell apart."""
        permission = f"{'repository' if '/' in ref.scope else 'organization'}_hooks=write"
        lacks = f"the GitHub credential needs {problem.needs or permission}" if ref.scope else problem.message
        whose = str(ref) if ref.id or not ref.scope else f"a hook of {ref.scope}"
        hint = ", or the hook is gone" if problem.status == 404 and ref.id else ""
        self._notices.warn(str(ref), f"failed deliveries of {whose} are not sent again: {lacks}{hint}")
