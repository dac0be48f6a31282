"""A fleet to show: runners, jobs, pools and events that do not change from run to run."""

import msgspec

from krs.core.model import Event, Instant, JobId, Name, PoolId, Scope
from krs.core.views import Check, Diagnosis, JobView, LogLine, PoolView, RunnerView, Sample, Snapshot, Totals
from krs.core.vocabulary import (
    CheckName,
    Credential,
    EventKind,
    Finding,
    JobState,
    Level,
    Lifecycle,
    Mode,
    Reason,
    RunnerState,
)

NOW = 1_767_271_293.0
"""2026-01-01 12:41:33 UTC."""

ROWS = (
    ("7f3a", "fra", "medium", RunnerState.BUSY, "acme/api", "test (3.12)", 761, None),
    ("81c0", "fra", "medium", RunnerState.BUSY, "acme/api", "test (3.13)", 758, None),
    ("9d11", "fra", "small", RunnerState.IDLE, None, None, 190, 110),
    ("a204", "fra", "large", RunnerState.BOOTING, None, None, 24, None),
    ("a9be", "was", "xlarge", RunnerState.BUSY, "acme/core", "build-linux", 2467, None),
    ("b333", "was", "small", RunnerState.DRAINING, "acme/docs", "deploy", 535, 5),
    ("b7e2", "was", "medium", RunnerState.BUSY, "acme/api", "lint", 62, None),
    ("c010", "sin", "medium", RunnerState.LOST, "acme/infra", "plan (prod)", 1360, 440),
    ("c4d8", "sin", "large", RunnerState.BUSY, "acme/ml", "train-smoke", 1152, None),
    ("d0aa", "fra", "small", RunnerState.FAILED, None, None, 51, None),
    ("d5f1", "was", "small", RunnerState.IDLE, None, None, 270, 7230),
    ("e118", "fra", "large", RunnerState.BUSY, "acme/web", "e2e / shard-1", 380, None),
)
PRICES = {"small": 0.0072, "medium": 0.0144, "large": 0.0288, "xlarge": 0.0576}


def runner(
    tail: str,
    region: str,
    kind: str,
    state: RunnerState,
    repo: str | None,
    job: str | None,
    age: float,
    ends: float | None,
) -> RunnerView:
    """One runner."""
    scope = repo or "acme/web"
    number = int(tail, 16)
    return RunnerView(
        name=Name(f"runner-{region}-{kind}-{tail}"),
        version=3,
        state=state,
        pool=PoolId(f"{scope.replace('/', '.')}~koyeb-{region}-{kind}"),
        scope=Scope(scope),
        labels=(f"koyeb-{region}-{kind}",),
        region=region,
        instance_type=kind,
        lifecycle=Lifecycle.REUSABLE,
        credential=Credential.REGISTRATION_TOKEN,
        since=Instant(NOW - age / 2),
        created_at=Instant(NOW - age),
        online_at=Instant(NOW - age + 22) if age > 22 else None,
        expires_at=None if ends is None else Instant(NOW + ends),
        ends_because=None if ends is None else Reason.EXPIRED,
        max_age_at=Instant(NOW - age + 86_400),
        origin_job=JobId(25_811_200_000 + number),
        job=JobId(25_811_200_000 + number) if job else None,
        job_name=job,
        job_url=f"https://github.com/{scope}/actions/runs/9182733/job/{25_811_200_000 + number}" if job else None,
        repo=repo,
        branch="main" if repo else None,
        draining=state is RunnerState.DRAINING,
        service_id=f"5b1e0c9a-{tail}",
        service_status="HEALTHY",
        github_id=number,
        price_hourly=PRICES[kind],
        cost=PRICES[kind] * age / 3600,
        error="the instance never came online" if state is RunnerState.FAILED else "",
    )


def job(
    number: int, repo: str, name: str, label: str, waited: float, reason: Reason, *, placeable: bool = True
) -> JobView:
    """One waiting job."""
    _, region, kind = label.split("-", 2)
    return JobView(
        id=JobId(number),
        state=JobState.QUEUED,
        repo=repo,
        name=name,
        workflow="ci.yml",
        branch="main",
        url=f"https://github.com/{repo}/actions/runs/1/job/{number}",
        labels=(label,),
        run_id=9_182_733,
        attempt=1,
        pool=PoolId(f"{repo.replace('/', '.')}~{label}") if placeable else None,
        region=region if placeable else None,
        instance_type=kind if placeable else None,
        reason=reason,
        placeable=placeable,
        queued_at=Instant(NOW - waited),
        waited=waited,
    )


def pool(scope: str, region: str, kind: str, **more: object) -> PoolView:
    """One pool."""
    return PoolView(
        id=PoolId(f"{scope.replace('/', '.')}~koyeb-{region}-{kind}"),
        scope=Scope(scope),
        labels=(f"koyeb-{region}-{kind}",),
        region=region,
        instance_type=kind,
        lifecycle=Lifecycle.REUSABLE,
        maximum=16,
        ttl=7200.0,
        price_hourly=PRICES[kind],
        **more,  # type: ignore[arg-type]  # a test's shorthand
    )


EVENTS = (
    (EventKind.JOB_QUEUED, Level.INFO, None, "acme/api test (3.14) asks for koyeb-fra-medium"),
    (EventKind.RUNNER_PLANNED, Level.INFO, "runner-fra-large-a204", "planned for acme/web e2e / shard-2"),
    (EventKind.JOB_STARTED, Level.INFO, "runner-fra-medium-7f3a", "acme/api test (3.12) started"),
    (EventKind.RUNNER_DRAINING, Level.INFO, "runner-was-small-b333", "draining"),
    (EventKind.RUNNER_DELETE_FAILED, Level.WARN, "runner-sin-medium-c010", "no heartbeat for 45 s"),
    (EventKind.RUNNER_CREATE_FAILED, Level.ERROR, "runner-fra-small-d0aa", "Koyeb refused: quota (small) reached"),
    (EventKind.RUNNER_CREATED, Level.INFO, "runner-fra-large-a204", "service created"),
    (EventKind.JOB_STARTED, Level.INFO, "runner-was-medium-b7e2", "acme/api lint started"),
)


def event(seq: int, kind: EventKind, level: Level, name: str | None, message: str, at: float) -> Event:
    """One event."""
    by = "ana" if kind is EventKind.RUNNER_DRAINING else None
    return Event(
        seq=seq, kind=kind, level=level, runner=Name(name) if name else None, message=message, at=Instant(at), by=by
    )


def events() -> tuple[Event, ...]:
    """The events of the last half minute."""
    return tuple(event(seq, *row, NOW - 30 + 3 * seq) for seq, row in enumerate(EVENTS, 1))


def history() -> tuple[Sample, ...]:
    """An hour of samples."""
    return tuple(
        Sample(
            at=Instant(NOW - 60 * (60 - minute)),
            runners=4 + (minute * 7) % 9,
            queued=(minute * 5) % 4,
            oldest_wait=float((minute * 13) % 50),
            errors=1 if minute in {17, 44} else 0,
            cost_hourly=0.1 + ((minute * 3) % 7) / 10,
        )
        for minute in range(60)
    )


def snapshot(rows: tuple[tuple[object, ...], ...] = ROWS) -> Snapshot:
    """The fleet."""
    runners = tuple(runner(*row) for row in rows)  # type: ignore[arg-type]  # rows of the table above
    busy = sum(1 for one in runners if one.state is RunnerState.BUSY)
    return Snapshot(
        seq=8,
        at=Instant(NOW),
        version="0.1.0",
        mode=Mode.REPOSITORY,
        ready=True,
        paused=False,
        runners=runners,
        jobs=(
            job(1, "acme/api", "test (3.14)", "koyeb-fra-medium", 51, Reason.MAX_PER_POOL),
            job(2, "acme/core", "build-arm64", "koyeb-was-xlarge", 12, Reason.STARTING),
            job(3, "acme/docs", "link-check", "koyeb-fra-smol", 3, Reason.UNKNOWN_INSTANCE_TYPE, placeable=False),
        ),
        pools=(
            pool("acme/api", "fra", "medium", queued=1, busy=2),
            pool("acme/core", "was", "xlarge", queued=1, busy=1, tripped_until=Instant(NOW + 900)),
            pool("acme/web", "fra", "small", idle=1, paused=True, paused_by="ana"),
            pool(
                "acme/docs", "was", "small", leaving=1, blocked_until=Instant(NOW + 300), blocked_reason=Reason.QUOTA,
                blocked_message="reached the maximum of 5 services due to your quota",
            ),
        ),
        foreign=(),
        totals=Totals(
            runners=len(runners), busy=busy, idle=2, booting=1, queued=2, unplaceable=1, oldest_wait=51.0,
            cost_hourly=0.29,
        ),
        history=history(),
        regions=("fra", "sin", "was"),
        instance_types=("small", "medium", "large", "xlarge"),
    )  # fmt: skip


def log_lines() -> tuple[LogLine, ...]:
    """A runner's log."""
    return tuple(
        LogLine(at=Instant(NOW - 100 + at), stream="stdout", text=f"line {at}: tests/test_api.py::test_{at} PASSED")
        for at in range(40)
    )


def empty() -> Snapshot:
    """Nothing at all, as on the first day."""
    return msgspec.structs.replace(snapshot(()), jobs=(), pools=(), totals=Totals(), history=(), seq=0)


def checks() -> tuple[Check, ...]:
    """What the doctor finds: a full quota, a missing webhook, and all else as it should be."""
    hook = (
        "add one at https://github.com/acme/web/settings/hooks: the address of this daemon, content type "
        "application/json, the secret of webhook.secret (API_SECRET), the event Workflow jobs"
    )
    said = {
        CheckName.DAEMON: "krs 0.1.0 has run for 2d04h",
        CheckName.KOYEB_TOKEN: "works: organization acme, plan pro",
        CheckName.KOYEB_BUDGET: "391 of 400 calls left; all again in 41s",
        CheckName.CLOCK: "at most 1s ahead of github",
    }
    found = [
        Check(name=name, finding=Finding.OK, message=said.get(name, "as it should be"))
        for name in CheckName
        if name not in (CheckName.KOYEB_QUOTA, CheckName.WEBHOOK, CheckName.LIMITS, CheckName.CLOCK)
    ]
    return (
        *found,
        Check(
            name=CheckName.KOYEB_QUOTA,
            finding=Finding.FAIL,
            message="full: 16 of 16 services",
            advice="delete services that are not needed, or ask Koyeb for a higher quota",
        ),
        Check(
            name=CheckName.WEBHOOK,
            subject="acme/api",
            finding=Finding.OK,
            message="https://krs.acme.test/: active, JSON, signed, only jobs",
        ),
        Check(
            name=CheckName.WEBHOOK,
            subject="acme/web",
            finding=Finding.FAIL,
            message="missing: no webhook sends workflow_job",
            advice=hook,
        ),
        Check(
            name=CheckName.LIMITS,
            subject="max_total",
            finding=Finding.WARN,
            message="reached: 2 jobs must wait",
            advice="wait, or raise runners.max_total",
        ),
        Check(name=CheckName.CLOCK, finding=Finding.SKIPPED, message="no answer told the time"),
    )


def diagnosis(*found: Check) -> Diagnosis:
    """Some checks, made now."""
    return Diagnosis(at=Instant(NOW), checks=found)
