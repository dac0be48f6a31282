"""What the console asks of the scheduler, for one runner or many, and what could be taken back. No widgets here."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from tui import format as fmt
from tui.backend import ActionError, Backend, Done, Name, PoolId, RunnerView, Stale, Target
from tui.view import View

TOGETHER = 8
"""Requests in flight for one bulk action."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of an action: who it was done to, and for whom it was not, with the reason."""

    verb: str
    done: tuple[Done, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()

    @property
    def line(self) -> str:
        """One line for the status line."""
        good = f"{self.verb}: {fmt.count(len(self.done), 'runner')}"
        if len(self.done) == 1:
            good = f"undone: {self.done[0].message}" if self.verb == "undone" else self.done[0].message
        if not self.failed:
            return good
        first = self.failed[0][1]
        more = f" (and {len(self.failed) - 1} more)" if len(self.failed) > 1 else ""
        return f"{good}; {len(self.failed)} refused: {first}{more}" if self.done else f"refused: {first}{more}"


class Undo(msgspec.Struct, frozen=True):
    """How to take an action back: for each runner, what it must still look like, and what to ask for."""

    title: str
    holds_before: tuple[tuple[Name, float | None], ...] = ()
    holds_after: tuple[tuple[Name, float | None], ...] = ()
    drained: tuple[Name, ...] = ()

    def possible(self, view: View) -> tuple[RunnerView, ...]:
        """The runners for which it still makes sense."""
        after = dict(self.holds_after)
        runners = [runner for name in (*after, *self.drained) if (runner := view.runner(name)) is not None]
        return tuple(
            runner
            for runner in runners
            if (runner.draining if runner.name in self.drained else runner.hold_until == after[runner.name])
        )


def target(runner: RunnerView) -> Target:
    """A runner as it is shown now."""
    return Target(name=runner.name, version=runner.version)


class Operations:
    """Carries out actions through a backend and remembers the last one that can be undone."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.undoable: Undo | None = None

    async def extend(
        self, runners: Sequence[RunnerView], *, minutes: float | None = None, until: float | None = None
    ) -> Outcome:
        """Keep runners longer."""
        outcome = await self._each(
            "extended", runners, lambda one: self._backend.extend(target(one), minutes=minutes, until=until)
        )
        before = {runner.name: runner.hold_until for runner in runners}
        after = tuple((done.runner.name, done.runner.hold_until) for done in outcome.done if done.runner is not None)
        if after:
            self.undoable = Undo(
                title=f"extend of {self._who([name for name, _ in after])}",
                holds_before=tuple((name, before[name]) for name, _ in after),
                holds_after=after,
            )
        return outcome

    async def drain(self, runners: Sequence[RunnerView]) -> Outcome:
        """Let runners end after their jobs."""
        outcome = await self._each("draining", runners, lambda one: self._backend.drain(target(one)))
        drained = tuple(done.runner.name for done in outcome.done if done.runner is not None)
        if drained:
            self.undoable = Undo(title=f"drain of {self._who(drained)}", drained=drained)
        return outcome

    async def kill(self, runners: Sequence[RunnerView], *, force: bool) -> Outcome:
        """Delete runners now."""
        return await self._each("killed", runners, lambda one: self._backend.kill(target(one), force=force))

    async def start(self, label: str, scope: str) -> Outcome:
        """Start a runner."""
        return await self._one("start", self._backend.start(label, scope))

    async def pause(self, pool: PoolId | None) -> Outcome:
        """Start no more runners in a pool, or anywhere."""
        return await self._one("pause", self._backend.pause(pool))

    async def resume(self, pool: PoolId | None) -> Outcome:
        """Take a pause back."""
        return await self._one("resume", self._backend.resume(pool))

    def undo_title(self, view: View) -> str:
        """What `undo` would take back now; empty when nothing."""
        return self.undoable.title if self.undoable is not None and self.undoable.possible(view) else ""

    async def undo(self, view: View) -> Outcome:
        """Take the last extend or drain back, for the runners where it still makes sense."""
        undo, self.undoable = self.undoable, None
        runners = undo.possible(view) if undo is not None else ()
        if undo is None or not runners:
            why = "nothing to undo" if undo is None else "nothing to undo: the runners changed since"
            return Outcome("undo", failed=(("", why),))
        before = dict(undo.holds_before)

        def back(runner: RunnerView) -> Awaitable[Done]:
            if runner.name in undo.drained:
                return self._backend.drain(target(runner), cancel=True)
            hold = before[runner.name]
            return self._backend.extend(target(runner), until=hold if hold and hold > view.now else 0.0)

        return await self._each("undone", runners, back)

    async def _one(self, verb: str, call: Awaitable[Done]) -> Outcome:
        try:
            return Outcome(verb, done=(await call,))
        except ActionError as problem:
            return Outcome(verb, failed=(("", problem.message),))

    async def _each(
        self, verb: str, runners: Sequence[RunnerView], call: Callable[[RunnerView], Awaitable[Done]]
    ) -> Outcome:
        room = asyncio.Semaphore(TOGETHER)
        done: list[Done] = []
        failed: list[tuple[str, str]] = []

        async def one(runner: RunnerView) -> None:
            async with room:
                try:
                    done.append(await call(runner))
                except ActionError as problem:
                    failed.append((runner.name, self._said(problem)))

        await asyncio.gather(*(one(runner) for runner in runners))
        return Outcome(verb, tuple(done), tuple(failed))

    def _said(self, problem: ActionError) -> str:
        if isinstance(problem, Stale) and problem.present is None:
            return f"{problem.message}: it is gone"
        return problem.message

    def _who(self, names: Sequence[str]) -> str:
        return names[0] if len(names) == 1 else fmt.count(len(names), "runner")
