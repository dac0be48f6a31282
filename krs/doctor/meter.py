"""What the answers of both APIs say beside their bodies: how many calls are left, and what time it is there."""

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

import msgspec

from krs.core.model import Instant

KOYEB, GITHUB = "koyeb", "github"


class Budget(msgspec.Struct, frozen=True):
    """Calls left of a limit. `resets_in` seconds it is whole again, None when the API does not say."""

    remaining: int
    limit: int
    resets_in: float | None


class Reading(msgspec.Struct, frozen=True):
    """The headers of one answer and when it came."""

    at: Instant
    headers: dict[str, str]

    def budget(self, now: Instant) -> Budget | None:
        """What is left now; None when the answer did not say, or its time has passed.

        GitHub's reset is an instant, Koyeb's counts the seconds left, and Koyeb's limit has a second part (`400;w=60`).
        """
        remaining = self.headers.get("x-ratelimit-remaining", "")
        limit = self.headers.get("x-ratelimit-limit", "").partition(",")[0].strip()
        if not remaining.isdigit() or not limit.isdigit():
            return None
        reset = self.headers.get("x-ratelimit-reset", "")
        until = (float(reset) if float(reset) > EPOCHAL else self.at + float(reset)) if reset.isdigit() else None
        if until is not None and until <= now:
            return None
        return Budget(int(remaining), int(limit), None if until is None else until - now)

    def ahead(self) -> float | None:
        """Seconds that the API's clock is ahead of ours, to the second; None when it did not say."""
        try:
            return parsedate_to_datetime(self.headers.get("date", "")).timestamp() - self.at
        except ValueError:
            return None


EPOCHAL = 1e9
"""A reset larger than this is an instant."""
KEPT = ("date", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


class Meter:
    """Observes calls (`krs.rest.Observer`) and keeps the last answer of each API, and the last that told a budget."""

    def __init__(self, now: Callable[[], Instant]) -> None:
        self._now = now
        self._last: dict[str, Reading] = {}
        self._told: dict[str, Reading] = {}

    def call(self, service: str, method: str, status: int, seconds: float, headers: Mapping[str, str]) -> None:
        """An API was called; a call without an answer says nothing."""
        if not status:
            return
        reading = Reading(self._now(), {name: headers[name] for name in KEPT if name in headers})
        self._last[service] = reading
        if "x-ratelimit-remaining" in headers:
            self._told[service] = reading

    def budgets(self) -> dict[str, Budget]:
        """Calls left now, by API."""
        now = self._now()
        return {name: budget for name, one in self._told.items() if (budget := one.budget(now)) is not None}

    def ahead(self) -> dict[str, float]:
        """Seconds that an API's clock is ahead of ours, by API."""
        return {name: ahead for name, one in self._last.items() if (ahead := one.ahead()) is not None}
