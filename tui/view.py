"""What the console shows at this moment: the last snapshot, how old it is, and what may be done. Immutable."""

import msgspec

from tui.backend import Connection, Instant, Link, Name, PoolView, Role, RunnerView, Snapshot

CONNECTING = Connection(link=Link.CONNECTING)


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a screen needs to draw itself. `now` is the scheduler's clock."""

    now: Instant = Instant(0)
    snapshot: Snapshot | None = None
    connection: Connection = CONNECTING
    where: str = ""
    profile: str = ""
    role: Role = Role.ADMIN
    embedded: bool = False
    message: str = ""
    """The result of the last action, or what went wrong; shown until something newer."""
    undo: str = ""
    """What `u` would take back now; empty when nothing."""

    @property
    def live(self) -> bool:
        """Whether the snapshot is being kept up to date."""
        return self.connection.link is Link.LIVE and self.snapshot is not None

    @property
    def stale(self) -> bool:
        """Whether the snapshot is only a last known state."""
        return not self.live

    @property
    def off(self) -> str:
        """Why actions are off, in a few words; empty when they are on."""
        if self.connection.link is not Link.LIVE:
            return "not connected"
        return "read-only: this token may look, not act" if self.role is Role.READ_ONLY else ""

    def runner(self, name: str | None) -> RunnerView | None:
        """A runner of the snapshot by name."""
        runners = self.snapshot.runners if self.snapshot else ()
        return next((runner for runner in runners if runner.name == name), None)

    def pool(self, pool_id: str | None) -> PoolView | None:
        """A pool of the snapshot by id."""
        pools = self.snapshot.pools if self.snapshot else ()
        return next((pool for pool in pools if pool.id == pool_id), None)

    def names(self) -> frozenset[Name]:
        """The names of all runners."""
        return frozenset(runner.name for runner in self.snapshot.runners) if self.snapshot else frozenset()
