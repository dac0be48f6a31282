"""What survives: deliveries, jobs, runners, pools and the journal, in one SQLite file with one writer.

A 2xx to GitHub means committed and synced; an intent is committed before the call that carries it out leaves.
"""

from krs.store.errors import (
    StoreCorrupt,
    StoreError,
    StoreForeign,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    StoreUnwritable,
)
from krs.store.rows import InboxRow, KnownHook, Saved, Turn
from krs.store.store import Store

__all__ = [
    "InboxRow",
    "KnownHook",
    "Saved",
    "Store",
    "StoreCorrupt",
    "StoreError",
    "StoreForeign",
    "StoreFull",
    "StoreLocked",
    "StoreTooNew",
    "StoreUnwritable",
    "Turn",
]
