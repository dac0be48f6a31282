"""The scheduler's own immutable views, under the names the console uses; nothing is converted or copied."""

from krs.core.model import Event, Foreign, Instant, JobId, Name, PoolId
from krs.core.views import (
    Check,
    Diagnosis,
    Done,
    JobView,
    LogLine,
    PoolView,
    RunnerView,
    Sample,
    Snapshot,
    Totals,
    Upstream,
)
from krs.core.vocabulary import CheckName, EventKind, Finding, JobState, Level, Lifecycle, Mode, Reason, RunnerState

__all__ = [
    "Check",
    "CheckName",
    "Diagnosis",
    "Done",
    "Event",
    "EventKind",
    "Finding",
    "Foreign",
    "Instant",
    "JobId",
    "JobState",
    "JobView",
    "Level",
    "Lifecycle",
    "LogLine",
    "Mode",
    "Name",
    "PoolId",
    "PoolView",
    "Reason",
    "RunnerState",
    "RunnerView",
    "Sample",
    "Snapshot",
    "Totals",
    "Upstream",
]
