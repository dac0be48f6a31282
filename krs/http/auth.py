"""Who may use the admin API: two bearer tokens for two roles.

Wrong tokens are slowed down per address and journaled, once a minute and address, without the token.
"""

import hmac
import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum

import msgspec

from krs.core.model import Event, Instant
from krs.core.vocabulary import EventKind, Level, Reason
from krs.http.base import ApiError
from krs.secret import Secret

WINDOW = 60.0
ATTEMPTS = 10
"""Wrong tokens an address may send in a window."""
ADDRESSES = 1024
"""Addresses remembered; the longest silent one is forgotten first."""


class Role(StrEnum):
    """What a token allows."""

    ADMIN = "admin"
    READ = "read-only"


class Failures(msgspec.Struct):
    """Wrong tokens of one address since an instant."""

    since: Instant
    count: int = 0


class Gate:
    """Tells roles apart. `note` journals, `now` is the daemon's clock."""

    def __init__(
        self, admin: Secret, reader: Secret, *, note: Callable[[Event], None], now: Callable[[], Instant]
    ) -> None:
        self._tokens = ((Role.ADMIN, admin), (Role.READ, reader))
        self._note = note
        self._now = now
        self._failures: OrderedDict[str, Failures] = OrderedDict()

    def role(self, header: str | None, address: str) -> Role:
        """The role of an Authorization header. Raises `ApiError`: 401, or 429 after too many wrong ones."""
        given = (header or "").partition(" ")
        token = given[2].strip().encode("utf-8", "replace") if given[0].lower() == "bearer" else b""
        fits = [
            (role, hmac.compare_digest(token, secret.reveal().encode()) and bool(secret))
            for role, secret in self._tokens
        ]
        for role, fit in fits:
            if fit:
                return role
        if token:
            self._failed(address)
        raise ApiError(
            401,
            "unauthorized",
            "a valid bearer token is needed",
            "set KRS_TOKEN",
            WWW_Authenticate='Bearer realm="krs"',
        )

    def _failed(self, address: str) -> None:
        now = self._now()
        known = self._failures.get(address)
        if known is None or now - known.since > WINDOW:
            known = self._failures[address] = Failures(now)
            self._note(
                Event(
                    kind=EventKind.AUTH_FAILED,
                    at=now,
                    message=f"a wrong token for the admin API from {address}",
                    level=Level.WARN,
                    reason=Reason.BAD_TOKEN,
                )
            )
        self._failures.move_to_end(address)
        while len(self._failures) > ADDRESSES:
            self._failures.popitem(last=False)
        known.count += 1
        if known.count > ATTEMPTS:
            wait = max(1, round(known.since + WINDOW - now))
            raise ApiError(429, "too_many_attempts", "too many wrong tokens", f"wait {wait} s", Retry_After=str(wait))


def address_of(peer: str, forwarded: str | None) -> str:
    """Who asks: the peer, or behind a proxy of the same private network whoever the proxy says."""
    try:
        proxied = ipaddress.ip_address(peer).is_private
    except ValueError:
        proxied = False
    return forwarded.rpartition(",")[2].strip()[:64] if proxied and forwarded else peer
