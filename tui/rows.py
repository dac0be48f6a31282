"""The columns of runners, jobs and pools, and the words a filter looks at. Pure functions of the scheduler's views."""

from collections.abc import Mapping

from tui import format as fmt
from tui.backend import JobState, JobView, PoolView, RunnerState, RunnerView
from tui.widgets.columns import Column
from tui.widgets.ring import Line
from tui.widgets.tones import STATE_TONES, Tone

RUNNER_FIELDS = ("name", "state", "region", "type", "repo", "job", "branch", "scope", "reason")
JOB_FIELDS = ("state", "region", "type", "repo", "job", "branch", "workflow", "label", "reason")
POOL_FIELDS = ("scope", "label", "region", "type", "state", "reason")
EVENT_FIELDS = ("level", "kind", "runner", "text")

STATE_ORDER = {state: order for order, state in enumerate(
    (
        RunnerState.FAILED,
        RunnerState.LOST,
        RunnerState.BUSY,
        RunnerState.IDLE,
        RunnerState.DRAINING,
        RunnerState.BOOTING,
        RunnerState.CREATING,
        RunnerState.PLANNED,
        RunnerState.DELETING,
        RunnerState.GONE,
    )
)}  # fmt: skip
"""Trouble first, then work, then what comes and goes."""

PROBLEMS = frozenset({RunnerState.FAILED, RunnerState.LOST})


def place(region: str | None, instance_type: str | None) -> str:
    """Where something runs: `fra/small`."""
    return f"{region}/{instance_type}" if region and instance_type else fmt.NOTHING


def runner_fields(runner: RunnerView) -> Mapping[str, str]:
    """What a filter may look at."""
    return {
        "name": runner.name,
        "state": runner.state,
        "region": runner.region,
        "type": runner.instance_type,
        "repo": runner.repo or "",
        "job": runner.job_name or "",
        "branch": runner.branch or "",
        "scope": runner.scope,
        "reason": runner.ends_because or "",
    }


def job_fields(job: JobView) -> Mapping[str, str]:
    """What a filter may look at."""
    return {
        "state": job.state,
        "region": job.region or "",
        "type": job.instance_type or "",
        "repo": job.repo,
        "job": job.name,
        "branch": job.branch,
        "workflow": job.workflow,
        "label": " ".join(job.labels),
        "reason": job.reason or "",
    }


def pool_fields(pool: PoolView) -> Mapping[str, str]:
    """What a filter may look at."""
    return {
        "scope": pool.scope,
        "label": " ".join(pool.labels),
        "region": pool.region,
        "type": pool.instance_type,
        "state": pool_state(pool),
        "reason": pool.blocked_reason or "",
    }


def born(runner: RunnerView) -> float:
    """When a runner's age starts."""
    return runner.created_at or runner.since


def no_end(runner: RunnerView) -> str:
    """Why a runner has no expiry."""
    return "no end while busy" if runner.job is not None else "no end set yet"


def is_problem(runner: RunnerView) -> bool:
    """Whether an operator should look at it."""
    return runner.state in PROBLEMS or bool(runner.error)


def runner_state(runner: RunnerView) -> str:
    """The state as shown: a word in capitals."""
    return runner.state.value.upper()


def pool_state(pool: PoolView) -> str:
    """What keeps a pool from starting runners, in one word; `ok` when nothing does."""
    if pool.paused:
        return "PAUSED"
    if pool.tripped_until is not None:
        return "TRIPPED"
    return "BLOCKED" if pool.blocked_until is not None else "ok"


def pool_note(pool: PoolView, now: float) -> str:
    """Why a pool is in its state, and until when."""
    if pool.paused:
        return f"paused by {pool.paused_by or 'an operator'}"
    if pool.tripped_until is not None:
        return f"its last runners never came online; tries again in {fmt.left(pool.tripped_until, now)}"
    if pool.blocked_until is not None:
        reason = pool.blocked_message or (pool.blocked_reason or "refused")
        return f"{fmt.one_line(reason)}; tries again in {fmt.left(pool.blocked_until, now)}"
    return ""


def job_reason(job: JobView) -> str:
    """Why a job waits or cannot be placed."""
    word = (job.reason or fmt.NOTHING).replace("_", " ")
    return word if job.placeable else f"cannot: {word}"


def job_wait(job: JobView, now: float) -> float:
    """Seconds a job has waited, or waited before it started."""
    return (job.started_at or now) - job.queued_at


def _left(runner: RunnerView, now: float, *, guessed: bool) -> str:
    return fmt.left(runner.expires_at, now, guessed=guessed)


def _short(runner: RunnerView) -> str:
    return fmt.short_name(runner.name, runner.region, runner.instance_type)


class Staleness:
    """Whether countdowns are only local guesses; the one thing a column needs that is not in its row."""

    def __init__(self) -> None:
        self.guessed = False


def runner_columns(staleness: Staleness) -> tuple[Column[RunnerView], ...]:
    """The runners table."""
    return (
        Column(id="name", title="NAME", width=10, longest=40, flex=3, middle=True,
               text=lambda r, _: _short(r), key=_short),
        Column(id="state", title="STATE", width=8, text=lambda r, _: runner_state(r),
               key=lambda r: (STATE_ORDER[r.state], r.name), tone=lambda r: STATE_TONES[r.state]),
        Column(id="place", title="PLACE", width=11, longest=32, flex=2, middle=True,
               text=lambda r, _: place(r.region, r.instance_type), key=lambda r: (r.region, r.instance_type, r.name)),
        Column(id="repo", title="REPO", width=10, longest=36, flex=4, middle=True,
               text=lambda r, _: fmt.one_line(r.repo or fmt.NOTHING), key=lambda r: (r.repo or "", r.name)),
        Column(id="job", title="JOB", width=11, longest=40, flex=5,
               text=lambda r, _: fmt.one_line(r.job_name or fmt.NOTHING), key=lambda r: (r.job_name or "", r.name)),
        Column(id="branch", title="BRANCH", width=12, longest=24, flex=2, drop=3, middle=True,
               text=lambda r, _: fmt.one_line(r.branch or fmt.NOTHING), key=lambda r: (r.branch or "", r.name)),
        Column(id="age", title="AGE", width=6, drop=1, right=True,
               text=lambda r, now: fmt.age(born(r), now), key=born),
        Column(id="left", title="LEFT", width=7, right=True,
               text=lambda r, now: _left(r, now, guessed=staleness.guessed),
               key=lambda r: (r.expires_at is None, r.expires_at or 0.0)),
        Column(id="cost", title="COST$", width=6, drop=2, right=True,
               text=lambda r, _: fmt.money(r.cost), key=lambda r: r.cost),
    )  # fmt: skip


def _job_tone(job: JobView) -> Tone:
    return Tone.PLAIN if job.placeable else Tone.BAD


def job_columns() -> tuple[Column[JobView], ...]:
    """The jobs queue."""
    return (
        Column(id="wait", title="WAIT", width=6, right=True, text=lambda j, now: fmt.duration(job_wait(j, now)),
               key=lambda j: j.queued_at),
        Column(id="state", title="STATE", width=7, drop=4, text=lambda j, _: j.state.upper(),
               key=lambda j: (j.state, j.queued_at), tone=_job_tone),
        Column(id="place", title="TARGET", width=10, longest=24, flex=2, middle=True,
               text=lambda j, _: place(j.region, j.instance_type) if j.region else " ".join(j.labels),
               key=lambda j: (j.region or "", j.instance_type or "", j.id)),
        Column(id="repo", title="REPO", width=9, longest=30, flex=3, drop=3, middle=True,
               text=lambda j, _: fmt.one_line(j.repo), key=lambda j: (j.repo, j.id)),
        Column(id="job", title="JOB", width=11, longest=30, flex=3, text=lambda j, _: fmt.one_line(j.name),
               key=lambda j: (j.name, j.id)),
        Column(id="branch", title="BRANCH", width=9, longest=24, flex=2, drop=5, middle=True,
               text=lambda j, _: fmt.one_line(j.branch or fmt.NOTHING), key=lambda j: (j.branch, j.id)),
        Column(id="reason", title="REASON", width=14, longest=40, flex=4, text=lambda j, _: job_reason(j),
               key=lambda j: (job_reason(j), j.id), tone=_job_tone),
    )  # fmt: skip


POOL_TONES = {"ok": Tone.GOOD, "PAUSED": Tone.WARN, "TRIPPED": Tone.BAD, "BLOCKED": Tone.BAD}


def pool_columns() -> tuple[Column[PoolView], ...]:
    """The pools."""

    def number(id: str, title: str, width: int, drop: int, of: str) -> Column[PoolView]:  # noqa: A002 - a column's id
        return Column(id=id, title=title, width=width, drop=drop, right=True,
                      text=lambda p, _: str(getattr(p, of)), key=lambda p: (getattr(p, of), p.id))  # fmt: skip

    return (
        Column(id="label", title="POOL", width=16, longest=40, flex=2, middle=True,
               text=lambda p, _: p.labels[0] if p.labels else p.id, key=lambda p: p.id),
        Column(id="scope", title="SCOPE", width=12, longest=40, flex=2, middle=True,
               text=lambda p, _: fmt.one_line(p.scope), key=lambda p: (p.scope, p.id)),
        Column(id="state", title="STATE", width=7, text=lambda p, _: pool_state(p),
               key=lambda p: (pool_state(p), p.id), tone=lambda p: POOL_TONES[pool_state(p)]),
        number("queued", "QUEUED", 6, 0, "queued"),
        number("booting", "BOOT", 4, 2, "booting"),
        number("idle", "IDLE", 4, 0, "idle"),
        number("busy", "BUSY", 4, 0, "busy"),
        number("leaving", "LEAVING", 7, 3, "leaving"),
        number("maximum", "MAX", 4, 1, "maximum"),
        Column(id="price", title="$/H", width=6, drop=4, right=True, text=lambda p, _: fmt.money(p.price_hourly),
               key=lambda p: (p.price_hourly or 0.0, p.id)),
        Column(id="note", title="WHY", width=8, longest=90, flex=8, text=pool_note, key=pool_state),
    )  # fmt: skip


def waiting(jobs: tuple[JobView, ...]) -> dict[str, JobView]:
    """The jobs that wait or cannot be placed, by id."""
    return {str(job.id): job for job in jobs if job.state in {JobState.QUEUED, JobState.WAITING}}


def event_fields(line: Line) -> Mapping[str, str]:
    """What a filter may look at."""
    return {"level": line.level, "kind": line.kind, "runner": line.subject, "text": line.text}
