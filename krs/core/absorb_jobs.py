"""What GitHub says of jobs.

A job only moves right: WAITING, QUEUED, RUNNING, DONE; between WAITING and QUEUED the later word counts, since a job
with an approval goes queued, waiting, queued. A job says which runner it runs on; GitHub chooses, we only note it.
"""

from msgspec.structs import replace

from krs.core.admission import ADVICE, judge
from krs.core.draft import Draft
from krs.core.facts import JobFact, JobGone, JobUnanswered
from krs.core.labels import Placement
from krs.core.model import Forge, Instant, Job, Pool, Runner, Scope
from krs.core.names import pool_id, pool_labels
from krs.core.policy import Policy
from krs.core.vocabulary import EventKind, JobState, Level, Lifecycle, Mode, PublicRepositories, Reason

RANK = {JobState.WAITING: 0, JobState.QUEUED: 0, JobState.RUNNING: 1, JobState.DONE: 2}

EVENT_OF = {
    JobState.QUEUED: EventKind.JOB_QUEUED,
    JobState.WAITING: EventKind.JOB_WAITING,
    JobState.RUNNING: EventKind.JOB_STARTED,
    JobState.DONE: EventKind.JOB_DONE,
}


def job_seen(draft: Draft, fact: JobFact, policy: Policy) -> None:
    """Note what a delivery or an answer says of a job; jobs that are not for krs leave no trace."""
    known = draft.jobs.get(fact.id)
    old = known or _first_sight(draft, fact, policy)
    if known is not None and known.reason is not None and known.pool is None:
        old = _judged_again(draft, known, fact, policy)
    if old is None:
        return
    new = _merge(old, fact, draft.now)
    draft.put_job(new)
    moved = known is None or new.state is not known.state
    unheard_of = known is None and new.state is JobState.DONE and new.pool is None
    if moved and not unheard_of:
        _announce(draft, new)
    _touch_runner(draft, new, fact, moved=moved)


def _first_sight(draft: Draft, fact: JobFact, policy: Policy) -> Job | None:
    """The row of a job never seen, before this fact; None when the job is none of ours."""
    found = judge(fact.labels, fact.repo, policy, outside=_outside(draft, fact))
    on_ours = fact.runner is not None and fact.runner in draft.runners
    if found is None and not on_ours:
        return None
    blank = Job(
        id=fact.id,
        repo=fact.repo,
        labels=fact.labels,
        state=JobState.WAITING,
        run_id=fact.run_id,
        attempt=fact.attempt,
        name=fact.name,
        workflow=fact.workflow,
        branch=fact.branch,
        url=fact.url,
        queued_at=fact.queued_at or fact.at,
    )
    if fact.state is JobState.DONE and not on_ours:
        return blank
    if not isinstance(found, Placement):
        job = replace(blank, reason=found)
        if found is not None:
            _say_unplaceable(draft, job)
        return job
    pool = _pool_for(draft, fact, found, policy)
    if fact.state in (JobState.QUEUED, JobState.WAITING):
        draft.put_pool(replace(draft.pools[pool.id], last_job_at=max(pool.last_job_at, draft.now), last_repo=fact.repo))
    job = replace(blank, pool=pool.id)
    _note_outsider(draft, job, fact, policy)
    return job


def _judged_again(draft: Draft, job: Job, fact: JobFact, policy: Policy) -> Job:
    """A job that could not be placed, by today's catalog and settings."""
    refused = job.reason is Reason.PUBLIC_REPOSITORY and fact.outside is None
    found = judge(job.labels, job.repo, policy, outside=refused or _outside(draft, fact))
    if fact.state not in (JobState.QUEUED, JobState.WAITING) or not isinstance(found, Placement):
        return job
    job = replace(job, pool=_pool_for(draft, fact, found, policy).id, reason=None)
    _note_outsider(draft, job, fact, policy)
    return job


def _outside(draft: Draft, fact: JobFact) -> bool:
    """Whether a job is of a public repository or a fork; of one that nothing was said of, unless it is known to us."""
    if fact.outside is not None:
        return fact.outside
    known = any(job.repo == fact.repo and job.pool is not None for job in draft.jobs.values())
    return not known and all(pool.last_repo != fact.repo for pool in draft.pools.values())


def _note_outsider(draft: Draft, job: Job, fact: JobFact, policy: Policy) -> None:
    """Keep which public repositories and forks are served, and say so once for each."""
    told = any(job.repo in pool.outsiders for pool in draft.pools.values())
    if fact.outside is None or not (fact.outside or told):
        return
    for pool in tuple(draft.pools.values()):
        others = tuple(repo for repo in pool.outsiders if repo != job.repo)
        here = fact.outside and (pool.id == job.pool or job.repo in pool.outsiders)
        draft.put_pool(replace(pool, outsiders=tuple(sorted((*others, job.repo))) if here else others))
    if fact.outside and not told and policy.public_repositories is PublicRepositories.WARN:
        draft.say(
            EventKind.WARNING,
            f"{job.repo} is public or a fork: its pull requests may bring code of strangers to your runners; "
            "set policy.public_repositories to allow or deny",
            level=Level.WARN,
            reason=Reason.PUBLIC_REPOSITORY,
            job=job,
        )


def _say_unplaceable(draft: Draft, job: Job) -> None:
    advice = f": {ADVICE[job.reason]}" if job.reason in ADVICE else ""
    draft.say(
        EventKind.JOB_UNPLACEABLE,
        f"{job.repo} {job.name}: no runner can be started for [{', '.join(job.labels)}]{advice}",
        level=Level.WARN,
        reason=job.reason,
        job=job,
    )


def scope_of(repo: str, owner: str, mode: Mode) -> Scope:
    """Whom the runners of a repository are registered to."""
    return Scope(repo if mode is Mode.REPOSITORY else owner)


def _pool_for(draft: Draft, fact: JobFact, found: Placement, policy: Policy) -> Pool:
    scope = scope_of(fact.repo, fact.owner, policy.mode)
    return ensure_pool(draft, scope, pool_labels(found.label, fact.labels), found)


def ensure_pool(draft: Draft, scope: Scope, labels: tuple[str, ...], found: Placement) -> Pool:
    """The pool of a scope and label set, made when it is new."""
    key = pool_id(scope, labels)
    if key not in draft.pools:
        draft.put_pool(Pool(id=key, scope=scope, labels=labels, region=found.region, instance_type=found.instance_type))
        draft.say(EventKind.POOL_CREATED, f"{scope} asks for [{', '.join(labels)}]", level=Level.DEBUG, pool=key)
    return draft.pools[key]


def _merge(old: Job, fact: JobFact, now: Instant) -> Job:
    same = replace(old, confirmed_at=now, asked_until=Instant(0), runner=old.runner or fact.runner)
    if RANK[fact.state] < RANK[old.state]:
        return same
    if RANK[fact.state] == RANK[old.state] and _older(fact, old):
        return same
    return replace(
        same,
        state=fact.state,
        state_at=max(old.state_at, fact.at),
        started_at=fact.started_at if RANK[fact.state] >= 1 else None,
        ended_at=(fact.ended_at or now) if fact.state is JobState.DONE else None,
        conclusion=fact.conclusion,
        reason=None if old.pool is not None and fact.state is not JobState.QUEUED else old.reason,
        runner=fact.runner or old.runner,
    )


def _older(fact: JobFact, old: Job) -> bool:
    """Whether a fact of the same rank is older news; of equals, `queued` beats `waiting`."""
    if old.state_at == fact.at:
        return old.state is JobState.QUEUED and fact.state is JobState.WAITING
    return old.state_at > fact.at


def _announce(draft: Draft, job: Job) -> None:
    where = f" on {job.runner}" if job.runner else ""
    outcome = f": {job.conclusion}" if job.conclusion and job.state is JobState.DONE else ""
    level = Level.INFO if job.pool is not None else Level.DEBUG
    draft.say(EVENT_OF[job.state], f"{job.repo} {job.name} {job.state.value}{where}{outcome}", level=level, job=job)


def _touch_runner(draft: Draft, job: Job, fact: JobFact, *, moved: bool) -> None:
    runner = draft.runners.get(job.runner) if job.runner else None
    if runner is None:
        return
    if job.state is JobState.RUNNING and _newest(draft, runner, job):
        _job_started(draft, runner, job)
    elif job.state is JobState.DONE and moved:
        _job_ended(draft, runner, job, killed=fact.killed)


def meet_runner(draft: Draft, runner: Runner) -> None:
    """A runner is known from now on; a job may have named it before."""
    named = [job for job in draft.jobs.values() if job.runner == runner.name and job.state is JobState.RUNNING]
    if named:
        _job_started(draft, runner, max(named, key=lambda job: job.state_at))


def _newest(draft: Draft, runner: Runner, job: Job) -> bool:
    """Whether a running job is the latest that this runner took (a runner runs one at a time)."""
    current = draft.jobs.get(runner.busy_job) if runner.busy_job is not None else None
    return runner.busy_job != job.id and (current is None or current.state_at <= job.state_at)


def _job_started(draft: Draft, runner: Runner, job: Job) -> None:
    draft.change(
        runner,
        busy_job=job.id,
        forge=Forge.BUSY,
        forge_at=draft.now,
        online_at=runner.online_at or draft.now,
        idle_since=None,
        quiet_since=None,
        offline_since=None,
        unknown_sweeps=0,
    )
    pool = draft.pools.get(runner.pool)
    if pool is not None:
        draft.put_pool(replace(pool, failures=0, tripped_until=None))


def _job_ended(draft: Draft, runner: Runner, job: Job, *, killed: bool) -> None:
    if killed and not runner.wanted:
        draft.say(
            EventKind.JOB_KILLED,
            f"{job.repo} {job.name} was cut off when {runner.name} was deleted ({runner.why})",
            level=Level.ERROR,
            reason=runner.why,
            job=job,
            by=runner.by,
        )
    if runner.busy_job not in (None, job.id):
        return
    runner = draft.change(
        runner,
        busy_job=None,
        forge=Forge.IDLE,
        forge_at=draft.now,
        idle_since=draft.now,
        quiet_since=None,
        jobs_done=runner.jobs_done + 1,
    )
    if runner.lifecycle is Lifecycle.EPHEMERAL and runner.wanted:
        draft.change(runner, wanted=False, why=Reason.JOB_DONE, draining=False)


def job_gone(draft: Draft, fact: JobGone, policy: Policy) -> None:
    """GitHub does not know the job any more: it is done, its conclusion unknown.

    GitHub says 404 too for what a token may not see, so it counts only where our runners could be listed.
    """
    job = draft.jobs.get(fact.id)
    if job is None or job.state is JobState.DONE:
        return
    probe = draft.github.get(scope_of(job.repo, job.repo.partition("/")[0], policy.mode))
    if probe is None or probe.denied or probe.answered_at is None:
        draft.put_job(replace(job, asked_until=Instant(draft.now + policy.recheck)))
        return
    done = replace(job, state=JobState.DONE, ended_at=draft.now, conclusion=None, confirmed_at=draft.now)
    draft.put_job(done)
    draft.say(
        EventKind.JOB_LOST, f"{job.repo} {job.name}: GitHub does not know this job any more", level=Level.WARN, job=done
    )
    runner = draft.runners.get(job.runner) if job.runner else None
    if runner is not None:
        _job_ended(draft, runner, done, killed=False)


def job_unanswered(draft: Draft, fact: JobUnanswered, policy: Policy) -> None:
    """Nothing was learnt; ask again later."""
    job = draft.jobs.get(fact.id)
    if job is not None and job.state is not JobState.DONE:
        draft.put_job(replace(job, asked_until=Instant(draft.now + policy.recheck)))
