"""Judgements about the daemon itself: its sweeps, jobs, pools, limits, state file and clock."""

from collections import Counter
from collections.abc import Iterable

from krs.core.admission import ADVICE
from krs.core.model import Instant
from krs.core.views import JobView, PoolView
from krs.core.vocabulary import Credential, JobState, Reason
from krs.doctor.evidence import Evidence
from krs.doctor.meter import GITHUB, KOYEB
from krs.doctor.rows import Row, Rows, fail, ok, skipped, warn
from krs.store.look import Look
from krs.words import ago, count, listed

DAY = 24 * 3600.0
LATE = 5 * 60.0
"""Seconds after which a sweep of Koyeb, which comes every minute, is late."""
SKEW_WARN, SKEW_FAIL = 10.0, 60.0
"""Seconds between two clocks; GitHub takes no App's JWT that is dated more than a minute wrong."""
ROOM_WARN, ROOM_FAIL = 200 * 2**20, 20 * 2**20
"""Bytes left on the state file's disk."""
LARGE = 2**30
"""Bytes of a state file; a week of deliveries is far less."""
LITTLE = 0.2
"""Part of a budget below which it is worth a warning."""
READABLE_TOKEN = "runners.credential is github-token: every job can read GITHUB_TOKEN"  # noqa: S105 - a warning
NO_DAEMON = skipped("only a running daemon knows")

LIMITS = {
    Reason.MAX_PER_POOL: "runners.max_per_pool",
    Reason.MAX_TOTAL: "runners.max_total",
    Reason.CREATES_PER_HOUR: "runners.creates_per_hour",
    Reason.MAX_HOURLY_COST: "runners.max_hourly_cost",
}
"""Reasons for which a job waits, and the setting behind each."""


def daemon(seen: Evidence) -> Rows:
    """It runs, and has seen Koyeb's services once."""
    if seen.inside is None:
        yield skipped("no daemon was asked")
        return
    now = seen.inside.snapshot
    running = f"krs {now.version} has run for {ago(seen.at - seen.inside.started_at)}"
    if not now.ready:
        yield fail(
            f"{running}, and waits for Koyeb's first list of services", "see koyeb_sweep: no runner starts before"
        )
    else:
        yield warn(f"{running}; everything is paused", "krs pools resume all") if now.paused else ok(running)


def koyeb_sweep(seen: Evidence) -> Rows:
    """Koyeb's services are listed every minute."""
    if seen.inside is None:
        yield NO_DAEMON
        return
    now = seen.inside.snapshot
    sweep = next(one for one in now.upstreams if one.name == KOYEB)
    last = "never" if sweep.answered_at is None else f"{ago(now.at - sweep.answered_at)} ago"
    advice = "see koyeb_token; runners are neither started nor deleted meanwhile"
    if sweep.failed_since is not None:
        yield fail(f"no list for {ago(now.at - sweep.failed_since)}; the last one came {last}", advice)
    elif sweep.answered_at is None or now.at - sweep.answered_at > LATE:
        yield warn(f"the last list of services came {last}", advice)
    else:
        yield ok(f"services listed {last}")


def github_sweep(seen: Evidence) -> Rows:
    """GitHub answers about the runners of each scope that has some."""
    if seen.inside is None:
        yield NO_DAEMON
        return
    now = seen.inside.snapshot
    sweeps = [one for one in now.upstreams if one.name.startswith(GITHUB)]
    for one in sweeps:
        if not one.ok:
            since = f" for {ago(now.at - one.failed_since)}" if one.failed_since is not None else ""
            scope = one.name.removeprefix(GITHUB).strip()
            yield fail(f"{one.message}{since}", "see github_credential and github_permissions", scope)
    if all(one.ok for one in sweeps):
        answered = [one.answered_at for one in sweeps if one.answered_at is not None]
        last = f"; last answer {ago(now.at - max(answered))} ago" if answered else ""
        yield ok(f"{count(len(sweeps), 'scope')} with runners{last}")


def koyeb_budget(seen: Evidence) -> Rows:
    """Calls are left at Koyeb."""
    yield _budget(seen, KOYEB)


def github_budget(seen: Evidence) -> Rows:
    """Calls are left at GitHub."""
    yield _budget(seen, GITHUB)


def _budget(seen: Evidence, service: str) -> Row:
    budget = seen.budgets.get(service)
    if budget is None:
        return skipped("no answer told how many calls are left")
    again = "" if budget.resets_in is None else f"; all again in {ago(budget.resets_in)}"
    text = f"{budget.remaining} of {budget.limit} calls left{again}"
    advice = "krs waits as long as it must; see what else uses the same credential"
    if not budget.remaining:
        return fail(text, advice)
    return warn(text, advice) if budget.remaining < LITTLE * budget.limit else ok(text)


def store(seen: Evidence) -> Rows:
    """The state file can be written, and its disk has room."""
    problem = seen.store if not isinstance(seen.store, Look) else seen.inside.written if seen.inside else None
    if problem is not None or not isinstance(seen.store, Look):
        yield fail(str(problem), "without it deliveries are refused and nothing is decided")
        return
    look = seen.store
    text = f"{_megabytes(look.size)}, {_megabytes(look.free)} free, schema {look.schema}: {look.path}"
    room = "make room on its disk, or set state.path (KRS_STATE) to another"
    if look.schema > look.known:
        yield fail(f"schema {look.schema} is newer than this krs: {look.path}", "upgrade krs, or set state.path")
    elif look.free < ROOM_FAIL:
        yield fail(text, room)
    elif look.free < ROOM_WARN:
        yield warn(text, room)
    elif look.size > LARGE:
        yield warn(text, "lower state.keep")
    else:
        yield ok(text if look.schema else f"no file yet, {_megabytes(look.free)} free: {look.path}")


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"


def clock(seen: Evidence) -> Rows:
    """Our clock agrees with those of both APIs."""
    if not seen.ahead:
        yield skipped("no answer told the time")
        return
    name, ahead = max(seen.ahead.items(), key=lambda one: abs(one[1]))
    text = f"{abs(ahead):.0f}s {'behind' if ahead > 0 else 'ahead of'} {name}"
    advice = "set this machine's clock by NTP"
    if abs(ahead) >= SKEW_FAIL:
        yield fail(text, advice)
    else:
        yield warn(text, advice) if abs(ahead) >= SKEW_WARN else ok(f"at most {text}")


def unplaceable_jobs(seen: Evidence) -> Rows:
    """Every queued job can have a runner."""
    if seen.inside is None:
        yield NO_DAEMON
        return
    waiting = [job for job in seen.inside.snapshot.jobs if job.state is JobState.QUEUED and not job.placeable]
    for reason, jobs in _by_reason(waiting).items():
        text = f"{count(len(jobs), 'job')} of {listed(sorted({job.repo for job in jobs}))}: {_labels(jobs)}"
        yield warn(text, ADVICE.get(reason, ""), reason)
    if not waiting:
        yield ok("every queued job can be placed")


def _by_reason(jobs: Iterable[JobView]) -> dict[Reason, list[JobView]]:
    found: dict[Reason, list[JobView]] = {}
    for job in jobs:
        if job.reason is not None:
            found.setdefault(job.reason, []).append(job)
    return found


def _labels(jobs: Iterable[JobView]) -> str:
    return listed(sorted({" ".join(job.labels) for job in jobs}))


def pools(seen: Evidence) -> Rows:
    """No pool is kept from starting runners."""
    if seen.inside is None:
        yield NO_DAEMON
        return
    now = seen.inside.snapshot
    rows = [row for pool in now.pools if (row := _pool(pool, now.at)) is not None]
    yield from rows or [ok(f"{count(len(now.pools), 'pool')}, none is paused, tripped or blocked")]


def _pool(pool: PoolView, now: Instant) -> Row | None:
    if pool.tripped_until is not None and pool.tripped_until > now:
        text = f"tripped for {ago(pool.tripped_until - now)}: its last runners never came online"
        return fail(text, f"look at their logs , then krs pools resume '{pool.id}'", pool.id)
    if blocked(pool, now):
        text = f"blocked ({pool.blocked_reason}): {pool.blocked_message}"
        return fail(
            text, f"mend that; krs tries again by itself, or at once with krs pools resume '{pool.id}'", pool.id
        )
    if pool.paused:
        return warn(f"paused by {pool.paused_by}", f"krs pools resume '{pool.id}'", pool.id)
    return None


def blocked(pool: PoolView, now: Instant) -> bool:
    """Whether Koyeb's last refusal still keeps a pool from starting runners."""
    return pool.blocked_until is not None and pool.blocked_until > now


def limits(seen: Evidence) -> Rows:
    """No job waits for one of our own limits."""
    if seen.inside is None:
        yield NO_DAEMON
        return
    waiting = Counter(job.reason for job in seen.inside.snapshot.jobs if job.state is JobState.QUEUED)
    rows = [
        warn(f"reached: {count(waiting[reason], 'job')} must wait", f"wait, or raise {setting}", reason)
        for reason, setting in LIMITS.items()
        if waiting[reason]
    ]
    yield from rows or [ok("no job waits for a limit")]


def killed_jobs(seen: Evidence) -> Rows:
    """No job was cut off by the deletion of its runner."""
    if seen.inside is None:
        yield NO_DAEMON
        return
    lately = [event for event in seen.inside.killed if seen.at - event.at < DAY]
    if lately:
        text = f"{count(len(lately), 'job')} cut off in a day; last: {lately[-1].message}"
        yield warn(text, "krs events --kind job.killed shows them: run them again, and see what ended their runners")
    else:
        yield ok("none in a day")


def runner_credential(seen: Evidence) -> Rows:
    """Jobs cannot read our token."""
    if seen.settings.runners.credential is Credential.GITHUB_TOKEN:
        yield warn(READABLE_TOKEN, "leave runners.credential out, or set it to registration-token or jit")
    else:
        yield ok("jobs get no lasting credential")


def warnings(seen: Evidence) -> Rows:
    """Nothing else is to be mended."""
    texts = seen.warnings if seen.inside is None else seen.inside.snapshot.warnings
    rows = [warn(text, "") for text in texts if text != READABLE_TOKEN]
    yield from rows or [ok("none")]
