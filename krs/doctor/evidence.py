"""What the doctor's checks are judged by: answers, refusals and errors as they came, and what the daemon knows itself.

A question that failed is evidence too: its error stands where the answer would be. None means: not asked.
"""

from collections.abc import Mapping
from typing import TypeAlias, TypeVar

import msgspec

from krs.config.settings import Settings
from krs.core.model import Event, Instant
from krs.core.views import Snapshot
from krs.doctor.meter import Budget
from krs.errors import CallError
from krs.github.hooks import Delivery, Hook
from krs.koyeb import Organization, Quotas, Usage
from krs.store import StoreError
from krs.store.look import Look

T = TypeVar("T")
Problem: TypeAlias = CallError | StoreError | ValueError
Answer: TypeAlias = T | Problem | None


TAKEN = ("accepted", "ignored", "pong")
"""Codes of answers to deliveries that krs takes."""


class KoyebSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What Koyeb answered. `token` is why the token does not work; the organization may be unknown all the same."""

    token: Problem | None = None
    organization: Organization | None = None
    quotas: Answer[Quotas] = None
    usage: Answer[Usage] = None
    app_services: Answer[int] = None
    """Services in the app of this installation."""


class ScopeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Why runners of one scope may not be listed or registered, and jobs not be looked for; None where they may."""

    scope: str
    looks: Problem | None = None
    registers: Problem | None = None
    jobs: Problem | None = None


class HooksSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The webhooks of one place, a scope or the App, and for those that send jobs the last deliveries by their id."""

    place: str
    hooks: Answer[tuple[Hook, ...]] = None
    deliveries: Mapping[int, Answer[tuple[Delivery, ...]]] = {}


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """What only a running daemon knows."""

    snapshot: Snapshot
    started_at: Instant
    receipts: Mapping[str, Instant]
    """When a delivery was last answered with each code."""
    delivered_at: Instant | None = None
    """When the last delivery that concerns us came, as far back as the state file goes."""
    written: Problem | None = None
    """Why the state file could not be written just now."""
    killed: tuple[Event, ...] = ()
    """Jobs that were cut off, oldest first."""

    def heard_at(self) -> Instant | None:
        """When GitHub last delivered something that was taken, whether or not it concerned us."""
        taken = [self.receipts[code] for code in TAKEN if code in self.receipts]
        return max([*taken, *([] if self.delivered_at is None else [self.delivered_at])], default=None)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found out at one instant. `inside` is None without a daemon."""

    at: Instant
    settings: Settings
    koyeb: KoyebSeen
    github: Problem | None = None
    """Why GitHub does not take the credential."""
    scopes: tuple[ScopeSeen, ...] = ()
    hooks: tuple[HooksSeen, ...] = ()
    budgets: Mapping[str, Budget]
    """By API; one that did not say is missing."""
    ahead: Mapping[str, float]
    """Seconds that an API's clock is ahead of ours."""
    store: Look | Problem
    inside: Inside | None = None
    warnings: tuple[str, ...] = ()
    """What the configuration warns of, when there is no daemon that does."""
