"""Deliveries of GitHub's webhook: signature, form, and the fifteen fields that matter. Pure.

The signature covers the raw body, so it is checked before anything is parsed, also of a form
(https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries).
"""

import hmac
import urllib.parse
import uuid
from datetime import datetime

import msgspec

from krs.core.facts import JobFact
from krs.core.model import Instant, JobId, Name
from krs.core.vocabulary import JobState

UUID_EPOCH = 0x01B21DD213814000
"""100 ns between 1582-10-15, where UUID time begins, and 1970-01-01."""


class Undecodable(Exception):
    """The body is not a delivery; the message is one line."""


class UnsupportedType(Exception):
    """The content type is neither JSON nor a form."""


def sign(secret: bytes, body: bytes) -> str:
    """The value of `X-Hub-Signature-256` for a body."""
    return f"sha256={hmac.digest(secret, body, 'sha256').hex()}"


def verify(secret: bytes, body: bytes, signature: str | None) -> bool:
    """Whether a signature fits, in constant time."""
    return hmac.compare_digest(sign(secret, body).encode(), (signature or "").encode("utf-8", "replace"))


def payload(content_type: str, body: bytes) -> bytes:
    """The JSON of a delivery. Raises `UnsupportedType`, or `Undecodable` for a form without a payload."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return body
    if kind != "application/x-www-form-urlencoded":
        raise UnsupportedType(f"content type {kind or 'missing'}: send application/json")
    try:
        fields = urllib.parse.parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=100)
    except ValueError:
        raise Undecodable("the form cannot be read") from None
    if "payload" not in fields:
        raise Undecodable("the form has no field `payload`")
    return fields["payload"][0].encode()


def check_object(json: bytes) -> None:
    """Raise `Undecodable` unless this is a JSON object."""
    try:
        msgspec.json.decode(json, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Undecodable(f"not a JSON object: {problem}") from None


class _Step(msgspec.Struct):
    status: str | None = None
    conclusion: str | None = None


class Job(msgspec.Struct):
    """A job as webhook and REST send it; all but the first fields may be missing (older and odd deliveries)."""

    id: int
    run_id: int | None = None
    status: str | None = None
    labels: list[str] | None = None
    name: str | None = None
    run_attempt: int | None = None
    workflow_name: str | None = None
    head_branch: str | None = None
    html_url: str | None = None
    conclusion: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    runner_name: str | None = None
    steps: list[_Step] | None = None


class _Owner(msgspec.Struct):
    login: str = ""


class _Repository(msgspec.Struct):
    full_name: str
    private: bool | None = None
    fork: bool | None = None
    owner: _Owner | None = None


class _Delivery(msgspec.Struct):
    action: str
    workflow_job: Job
    repository: _Repository


_delivery = msgspec.json.Decoder(_Delivery)


class _Home(msgspec.Struct):
    repository: _Repository | None = None
    organization: _Owner | None = None


STATES = {
    "queued": JobState.QUEUED,
    "waiting": JobState.WAITING,
    "pending": JobState.WAITING,
    "requested": JobState.WAITING,
    "in_progress": JobState.RUNNING,
    "completed": JobState.DONE,
}


def decode_job(json: bytes, *, guid: str, seen_at: float) -> JobFact | None:
    """What a `workflow_job` delivery says; None for an action that GitHub may add one day.

    Raises `Undecodable` when it is not such a delivery.
    """
    try:
        delivery = _delivery.decode(json)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Undecodable(f"not a workflow_job delivery: {problem}") from None
    if delivery.action not in STATES:
        return None
    job, repository = delivery.workflow_job, delivery.repository
    state = STATES[delivery.action]
    if state is JobState.QUEUED and job.status == "waiting":
        state = JobState.WAITING
    return fact_of(
        job,
        state,
        repo=repository.full_name,
        owner=(repository.owner.login if repository.owner else "") or repository.full_name.partition("/")[0],
        at=guid_time(guid) or _latest(job) or seen_at,
        outside=outside(repository.private, repository.fork),
    )


def home(json: bytes) -> tuple[str, str]:
    """The repository and the owner that a `ping` comes from, each empty when it names none."""
    try:
        body = msgspec.json.decode(json, type=_Home)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", ""
    repo = body.repository.full_name if body.repository else ""
    return repo, body.organization.login if body.organization else repo.partition("/")[0]


def outside(private: bool | None, fork: bool | None) -> bool | None:
    """Whether a repository is public or a fork; None when neither was said."""
    return None if private is None and fork is None else private is False or fork is True


def fact_of(job: Job, state: JobState, *, repo: str, owner: str, at: float, outside: bool | None = None) -> JobFact:
    """A job in our words. A runner name of "" means none, as null does."""
    return JobFact(
        id=JobId(job.id),
        repo=repo,
        owner=owner,
        labels=tuple(job.labels or ()),
        state=state,
        at=Instant(at),
        run_id=job.run_id or 0,
        attempt=job.run_attempt or 1,
        name=job.name or "",
        workflow=job.workflow_name or "",
        branch=job.head_branch or "",
        url=job.html_url or "",
        queued_at=_instant(job.created_at),
        started_at=_instant(job.started_at) if state in (JobState.RUNNING, JobState.DONE) else None,
        ended_at=_instant(job.completed_at),
        conclusion=job.conclusion if state is JobState.DONE else None,
        runner=Name(job.runner_name) if job.runner_name else None,
        outside=outside,
        killed=state is JobState.DONE and cut_off(job),
    )


def cut_off(job: Job) -> bool:
    """Whether a job looks killed under its runner: cancelled, begun on a runner, and nothing ran after the cut.

    The cut is the first step that did not finish: its conclusion is `cancelled`, or null when nobody was left to report
    it. At least one step follows it, and each that follows was skipped or never reported. Post-steps run even after a
    cancellation by a person, so only a runner that went away leaves them so
    (https://github.com/actions/runner/issues/4422).
    """
    if job.conclusion != "cancelled" or not job.runner_name:
        return False
    outcomes = [step.conclusion for step in job.steps or []]
    cut = next((index for index, outcome in enumerate(outcomes) if outcome in ("cancelled", None)), len(outcomes))
    after = outcomes[cut + 1 :]
    return bool(after) and all(outcome in ("skipped", None) for outcome in after)


def guid_time(guid: str) -> float | None:
    """When the event happened, if the delivery's GUID is a version-1 UUID as all that were seen are; else None.

    It survives a redelivery, which repeats the GUID, so it orders the events of one job.
    """
    try:
        parsed = uuid.UUID(guid)
    except ValueError:
        return None
    return (parsed.time - UUID_EPOCH) / 1e7 if parsed.version == 1 else None


def _latest(job: Job) -> float | None:
    times = [_instant(text) for text in (job.completed_at, job.started_at, job.created_at)]
    return max((at for at in times if at is not None), default=None)


def _instant(text: str | None) -> Instant | None:
    try:
        return Instant(datetime.fromisoformat(text).timestamp()) if text else None
    except ValueError:
        return None
