"""`krs webhook send`: a delivery from a file, signed and posted as GitHub would; to try a set-up."""

import os
import random
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from krs.cli.daemon import read_settings
from krs.cli.errors import FAILED, UNREACHABLE, USAGE, CliError
from krs.cli.options import CONFIG
from krs.cli.remote import AS_JSON, show_json
from krs.config import Settings
from krs.config.values import page
from krs.config.values import secret as read_secret
from krs.secret import Secret

STATUSES = ("queued", "waiting", "in_progress", "completed")
MARKS = {"workflow_job": "workflow_job", "zen": "ping"}
"""A key of the payload and the event that has it."""
TIMEOUT = 10.0
"""Seconds that GitHub waits for an answer."""


class Sent(msgspec.Struct, frozen=True):
    """What was sent and answered. `body` is the answer's JSON, or its text."""

    url: str
    guid: str
    event: str
    job: int | None
    status: int
    body: Any


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--url", default="", help="The daemon; else webhook.url, else server.port on this machine.")
@click.option("--secret", default="", help="Secret to sign with, env:NAME or file:PATH; else webhook.secret.")
@click.option("--event", default="", help="Name of the event; else as the payload looks.")
@click.option("--label", "labels", multiple=True, help="Label that the job asks for instead of its own.")
@click.option("--repository", default="", help="owner/name instead of the payload's own.")
@click.option("--action", type=click.Choice(STATUSES), help="Action instead of the payload's own.")
@click.option("--new-job", is_flag=True, help="Another job and run number, as if somebody had pushed again.")
@CONFIG
@AS_JSON
def send(
    file: Path,
    *,
    url: str,
    secret: str,
    event: str,
    labels: tuple[str, ...],
    repository: str,
    action: str | None,
    new_job: bool,
    path: Path | None,
    as_json: bool,
) -> None:
    """Sign the payload in FILE (- for standard input) and post it to a daemon, under a new GUID."""
    settings = read_settings(path, {}).settings
    payload = altered(read(file), labels=labels, repository=repository, action=action, new=fresh() if new_job else {})
    kind = event or next((name for key, name in MARKS.items() if key in payload), "")
    if not kind:
        raise CliError(f"{file}: it is neither a workflow_job nor a ping: name its event with --event", USAGE)
    sent = post(_address(url, settings), _secret(secret, settings), kind, payload)
    if as_json:
        show_json(sent)
    else:
        message = sent.body.get("message", "") if isinstance(sent.body, dict) else sent.body
        code = sent.body.get("code", "") if isinstance(sent.body, dict) else ""
        click.echo(f"{sent.status} {code}: {message}".replace(" : ", ": "))
    if sent.status >= 300:
        raise CliError(f"{sent.url} did not take it: {sent.status}", FAILED)


def read(file: Path) -> dict[str, Any]:
    """The payload of a file."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return msgspec.json.decode(content, type=dict[str, Any])
    except OSError as problem:
        raise CliError(f"{file}: {problem.strerror}", USAGE) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise CliError(f"{file}: not a JSON object: {problem}", USAGE) from None


def altered(
    payload: dict[str, Any], *, labels: tuple[str, ...], repository: str, action: str | None, new: dict[str, Any]
) -> dict[str, Any]:
    """A payload with another label, repository or action, and new fields of its job; what is not given stays.

    Raises `CliError` where there is nothing to change.
    """
    job = payload.get("workflow_job")
    if not isinstance(job, dict) and (labels or action or new):
        raise CliError("--label, --action and --new-job are for a payload with a workflow_job", USAGE)
    changed = dict(payload)
    if isinstance(job, dict):
        changed["workflow_job"] = {**job, **new, **({"labels": list(labels)} if labels else {})}
    if action:
        changed["action"] = action
        changed["workflow_job"] |= {"status": action, "conclusion": "success" if action == "completed" else None}
    if repository:
        changed["repository"] = _repository(payload.get("repository"), repository)
    return changed


def fresh() -> dict[str, Any]:
    """Fields of a job that was queued just now and has no runner yet; its number is above 2^32, as GitHub's are."""
    from krs.daemon.clock import SystemClock

    dice = random.SystemRandom()
    now = datetime.fromtimestamp(SystemClock().now(), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    numbers = {"id": dice.randrange(2**33, 2**53), "run_id": dice.randrange(2**33, 2**53)}
    return {**numbers, "created_at": now, "started_at": now, "runner_id": None, "runner_name": None, "steps": []}


def _repository(known: object, name: str) -> dict[str, Any]:
    owner, _, short = name.partition("/")
    if not owner or not short or "/" in short:
        raise CliError(f"--repository: {name!r} is not owner/name", USAGE)
    before: dict[str, Any] = known if isinstance(known, dict) else {}
    account = before.get("owner")
    return {
        **before,
        "full_name": name,
        "name": short,
        "owner": {**(account if isinstance(account, dict) else {}), "login": owner},
    }


def _address(url: str, settings: Settings) -> str:
    try:
        return page(url) or settings.webhook.url or f"http://127.0.0.1:{settings.server.port}"
    except ValueError as problem:
        raise CliError(f"--url: {problem}", USAGE) from None


def _secret(given: str, settings: Settings) -> Secret:
    try:
        secret = read_secret(given, os.environ) if given else settings.webhook.secret
    except ValueError as problem:
        raise CliError(f"--secret: {problem}", USAGE) from None
    if not secret and not settings.webhook.disable_auth:
        raise CliError("webhook.secret is missing: set API_SECRET to the secret that the daemon has", USAGE)
    return secret


def post(url: str, secret: Secret, event: str, payload: dict[str, Any]) -> Sent:
    """Post a payload as GitHub does. Raises `CliError` when nobody answers."""
    import httpx

    from krs.github.webhook import sign

    body = msgspec.json.encode(payload)
    # Version 1 holds the time, as GitHub's do; the node is made up, since it would tell which machine this is.
    guid = str(uuid.uuid1(node=random.SystemRandom().getrandbits(48) | 1 << 40))
    headers = {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/krs",
        "x-github-event": event,
        "x-github-delivery": guid,
        **({"x-hub-signature-256": sign(secret.reveal().encode(), body)} if secret else {}),
    }
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=False) as http:
            answer = http.post(url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise CliError(f"{url}: no answer: {problem}", UNREACHABLE) from None
    job = payload.get("workflow_job")
    number = job.get("id") if isinstance(job, dict) else None
    return Sent(url, guid, event, number, answer.status_code, _content(answer.content))


def _content(content: bytes) -> Any:  # noqa: ANN401 - JSON has any type
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return content.decode("utf-8", "replace")[:500]
