"""Which state may follow which, as a table, and the diagrams that are made of it: `python -m tests.docs.moves`.

A state here is what two turns of the scheduler in a row show; what happens within a turn nobody sees. That the core
keeps to the table is watched in a whole installation (tests/simulation/test_moves.py).
"""

from collections.abc import Mapping
from pathlib import Path

from krs.core.vocabulary import JobState, RunnerState

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "states.md"

S = RunnerState
LEAVES = {S.DELETING, S.DRAINING, S.FAILED, S.LOST, S.GONE}
RUNNERS: Mapping[RunnerState | None, set[RunnerState | None]] = {
    None: {S.PLANNED, S.CREATING, S.BOOTING, S.IDLE, S.BUSY},
    S.PLANNED: {S.CREATING, S.BOOTING, S.BUSY, S.DELETING, S.GONE, None},
    S.CREATING: {S.PLANNED, S.BOOTING, S.BUSY, S.DELETING, S.GONE, None},
    S.BOOTING: {S.IDLE, S.BUSY, *LEAVES},
    S.IDLE: {S.BUSY, *LEAVES},
    S.BUSY: {S.IDLE, *LEAVES},
    S.DRAINING: {S.IDLE, S.BUSY, S.BOOTING, S.DELETING, S.FAILED, S.LOST, S.GONE},
    S.FAILED: {S.DRAINING, S.DELETING, S.GONE},
    S.LOST: {S.DRAINING, S.DELETING, S.GONE},
    S.DELETING: {S.DRAINING, S.FAILED, S.LOST, S.GONE},
    S.GONE: {S.DELETING, S.FAILED, S.LOST, None},
}
"""By state of a runner, what may follow; None is no row. GONE may turn out to have been said too early."""

J = JobState
JOBS: Mapping[JobState | None, set[JobState | None]] = {
    None: {J.WAITING, J.QUEUED, J.RUNNING, J.DONE},
    J.WAITING: {J.QUEUED, J.RUNNING, J.DONE},
    J.QUEUED: {J.WAITING, J.RUNNING, J.DONE},
    J.RUNNING: {J.DONE},
    J.DONE: {None},
}
"""By state of a job, what may follow. It only moves right; a queued job may be held for an approval again."""

HEAD = """# The states of runners and jobs

Made from the tables in `tests/docs/moves.py` by `python -m tests.docs.moves`; a test watches that krs keeps to them. A
state is never stored: it follows from what is known. What is shown is what two turns in a row show.
"""


def diagram(
    moves: Mapping[RunnerState | None, set[RunnerState | None]] | Mapping[JobState | None, set[JobState | None]],
) -> str:
    """A table as a Mermaid state diagram; no row is its start and its end."""
    rows = [
        f"    {before.value if before else '[*]'} --> {after.value if after else '[*]'}"
        for before, afters in moves.items()
        for after in sorted(afters, key=lambda state: state.value if state else "")
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", *rows, "```"])


def page() -> str:
    """The page."""
    return "\n".join([HEAD, "## Runners\n", diagram(RUNNERS), "\n## Jobs\n", diagram(JOBS), ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
