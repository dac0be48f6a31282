"""A backend that does what it is told: for tests, screenshots, the contract suite. Its clock moves when told."""

from collections.abc import AsyncIterator, Iterable

import msgspec

from tui.backend.mailbox import Mailbox
from tui.backend.protocol import ActionError, Change, Connection, Link, Refused, Role, Stale, Target
from tui.backend.types import (
    Check,
    Diagnosis,
    Done,
    Event,
    Instant,
    LogLine,
    Name,
    PoolId,
    PoolView,
    RunnerState,
    RunnerView,
    Snapshot,
)


class Call(msgspec.Struct, frozen=True):
    """An action the console asked for: its name, what it was for, and its other arguments."""

    action: str
    subject: str
    arguments: dict[str, object]


class ScriptedBackend:
    """Holds one snapshot and hands it out; actions change it in the simplest way and are written down in `calls`."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        events: Iterable[Event] = (),
        logs: Iterable[LogLine] = (),
        checks: Iterable[Check] = (),
        role: Role = Role.ADMIN,
        where: str = "http://127.0.0.1:8000",
        profile: str = "test",
        embedded: bool = False,
    ) -> None:
        self.where = where
        self.profile = profile
        self.embedded = embedded
        self.role = role
        self.clock_offset = 0.0
        self.calls: list[Call] = []
        self.failure: ActionError | None = None
        """Raised by the next action instead of doing it."""
        self.reconnects = 0
        self._now = snapshot.at
        self._snapshot = snapshot
        self._events = list(events)
        self._logs = tuple(logs)
        self.checks = tuple(checks)
        self._connection = Connection(link=Link.LIVE, latency=None if embedded else 0.012)
        self._mailbox = Mailbox()

    def now(self) -> Instant:
        """The instant set last."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self._now = Instant(self._now + seconds)

    @property
    def snapshot(self) -> Snapshot:
        """The present snapshot."""
        return self._snapshot

    def changes(self) -> AsyncIterator[Change]:
        """The connection, the snapshot, the events so far, and then whatever is pushed."""
        self._mailbox = Mailbox()
        self._mailbox.put(self._connection)
        if self._connection.link is Link.LIVE:
            self._mailbox.put(self._snapshot)
        if self._events:
            self._mailbox.put_events(self._events)
        return self._mailbox.changes()

    def push(self, snapshot: Snapshot) -> None:
        """Replace the snapshot."""
        self._snapshot = snapshot
        self._mailbox.put(snapshot)

    def emit(self, *events: Event) -> None:
        """Append events to the journal."""
        self._events.extend(events)
        self._mailbox.put_events(events)

    def connect(self, connection: Connection) -> None:
        """Change the state of the link."""
        self._connection = connection
        self._mailbox.put(connection)
        if connection.link is Link.LIVE:
            self._mailbox.put(self._snapshot)

    def reconnect(self) -> None:
        """Count the wish."""
        self.reconnects += 1

    async def start(self, label: str, scope: str, *, reason: str = "") -> Done:
        """Write the call down."""
        self._called("start", label, scope=scope, reason=reason)
        return self._done(f"runner planned for {label}")

    async def extend(
        self, target: Target, *, minutes: float | None = None, until: float | None = None, reason: str = ""
    ) -> Done:
        """Move the runner's hold and expiry."""
        self._called("extend", target.name, minutes=minutes, until=until, reason=reason)
        runner = self._runner(target)
        if until is None:
            until = (runner.expires_at or self._now) + (minutes or 0.0) * 60
        hold = Instant(until) if until else None
        changed = msgspec.structs.replace(runner, hold_until=hold, expires_at=hold or runner.expires_at)
        return self._changed(changed, f"{target.name} extended")

    async def drain(self, target: Target, *, cancel: bool = False, reason: str = "") -> Done:
        """Set or clear the runner's drain."""
        self._called("drain", target.name, cancel=cancel, reason=reason)
        runner = self._runner(target)
        state = RunnerState.BUSY if runner.job else RunnerState.IDLE
        changed = msgspec.structs.replace(runner, draining=not cancel, state=state if cancel else RunnerState.DRAINING)
        return self._changed(changed, f"{target.name} {'keeps working' if cancel else 'draining'}")

    async def kill(self, target: Target, *, force: bool = False, reason: str = "") -> Done:
        """Mark the runner as being deleted."""
        self._called("kill", target.name, force=force, reason=reason)
        runner = self._runner(target)
        if runner.state is RunnerState.BUSY and not force:
            raise Refused(f"{target.name} is busy: a job runs on it")
        return self._changed(msgspec.structs.replace(runner, state=RunnerState.DELETING), f"{target.name} killed")

    async def pause(self, pool: PoolId | None, *, reason: str = "") -> Done:
        """Pause a pool or everything."""
        return self._pause("pause", pool, reason=reason, paused=True)

    async def resume(self, pool: PoolId | None, *, reason: str = "") -> Done:
        """Resume a pool or everything."""
        return self._pause("resume", pool, reason=reason, paused=False)

    async def history(self, name: Name) -> tuple[Event, ...]:
        """The events that name the runner."""
        return tuple(event for event in self._events if event.runner == name)

    async def doctor(self) -> Diagnosis:
        """The checks as they are, and written down that they were asked for."""
        self._called("doctor", "")
        return Diagnosis(at=self._now, checks=self.checks)

    async def logs(self, name: Name, *, follow: bool) -> AsyncIterator[LogLine]:
        """The lines given at the start."""
        self._runner_named(name)
        for line in self._logs:
            yield line

    async def aclose(self) -> None:
        """End `changes`."""
        self._mailbox.close()

    def _called(self, action: str, subject: str, **arguments: object) -> None:
        self.calls.append(Call(action, subject, arguments))
        if (failure := self.failure) is not None:
            self.failure = None
            raise failure

    def _runner_named(self, name: Name) -> RunnerView:
        found = [runner for runner in self._snapshot.runners if runner.name == name]
        if not found:
            raise Refused(f"no runner is called {name}")
        return found[0]

    def _runner(self, target: Target) -> RunnerView:
        runner = self._runner_named(target.name)
        if runner.version != target.version:
            raise Stale(f"{target.name} changed since: it is {runner.state} now", runner)
        return runner

    def _changed(self, runner: RunnerView, message: str) -> Done:
        runner = msgspec.structs.replace(runner, version=runner.version + 1)
        runners = tuple(runner if one.name == runner.name else one for one in self._snapshot.runners)
        self.push(msgspec.structs.replace(self._snapshot, runners=runners))
        return self._done(message, runner=runner)

    def _pause(self, action: str, pool: PoolId | None, *, reason: str, paused: bool) -> Done:
        self._called(action, pool or "all", reason=reason)
        if pool is None:
            self.push(msgspec.structs.replace(self._snapshot, paused=paused))
            return self._done(f"everything {action}d")
        if pool not in {one.id for one in self._snapshot.pools}:
            raise Refused(f"no pool is called {pool}")
        pools = tuple(self._paused(one, paused) if one.id == pool else one for one in self._snapshot.pools)
        self.push(msgspec.structs.replace(self._snapshot, pools=pools))
        return self._done(f"{pool} {action}d")

    def _paused(self, pool: PoolView, paused: bool) -> PoolView:
        tripped = pool.tripped_until if paused else None
        return msgspec.structs.replace(pool, paused=paused, paused_by="ana" if paused else "", tripped_until=tripped)

    def _done(self, message: str, *, runner: RunnerView | None = None) -> Done:
        return Done(message=message, seq=self._snapshot.seq, runner=runner)
