"""What goes into and comes out of the store."""

import msgspec

from krs.core.facts import JobFact
from krs.core.model import Instant, World


class InboxRow(msgspec.Struct, frozen=True):
    """A delivery not yet absorbed."""

    seq: int
    fact: JobFact


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What a start finds on disk. `counters` are events by kind; `damaged` counts rows that were set aside."""

    world: World
    last_seq: int
    counters: dict[str, int]
    damaged: int = 0


class KnownHook(msgspec.Struct, frozen=True, kw_only=True):
    """A hook of GitHub's that delivers to us: of a repository, an organization or, with no scope, the App.

    `seen_at` is when it last did, by the day; `read_to` how far its failures were dealt with, in GitHub's time.
    """

    id: int
    scope: str
    seen_at: Instant
    read_to: Instant = Instant(0)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of the daemon, written whole or not at all; a row that is one object in both worlds is not written."""

    before: World
    after: World
    processed: tuple[int, ...]
    counters: dict[str, int]
    now: Instant
