"""Deliveries: signatures, forms, and every shape that was seen in the wild."""

import json
import uuid
from pathlib import Path

import pytest

from krs.core.vocabulary import JobState
from krs.github import webhook
from tests.deliveries import delivery, payload

PAYLOADS = Path(__file__).parents[2].parent / "shared" / "payloads"


def test_the_signature_is_githubs_own_example() -> None:
    """The test vector of GitHub's documentation."""
    signature = webhook.sign(b"It's a Secret to Everybody", b"Hello, World!")
    assert signature == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert webhook.verify(b"It's a Secret to Everybody", b"Hello, World!", signature)


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha1=abc", "sha256=" + "0" * 64, "sha256=\u00e9\ud800"])
def test_anything_else_is_no_signature(signature: str | None) -> None:
    """Missing, empty, of another kind, wrong, or not even ASCII."""
    assert not webhook.verify(b"secret", b"body", signature)


def test_a_form_holds_the_json_in_one_field() -> None:
    """Both content types give the same JSON; parameters and case of the type do not matter."""
    from urllib.parse import quote

    body = delivery()
    assert webhook.payload("Application/JSON; charset=utf-8", body) == body
    assert webhook.payload("application/x-www-form-urlencoded", b"payload=" + quote(body).encode()) == body


@pytest.mark.parametrize("body", [b"", b"other=1", b"payload", b"\xff=\xff"])
def test_a_form_without_a_payload_is_undecodable(body: bytes) -> None:
    """An empty, another or a broken form."""
    with pytest.raises(webhook.Undecodable):
        webhook.payload("application/x-www-form-urlencoded", body)


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data"])
def test_other_types_are_not_supported(kind: str) -> None:
    """Only JSON and forms come from GitHub."""
    with pytest.raises(webhook.UnsupportedType):
        webhook.payload(kind, b"{}")


@pytest.mark.parametrize(
    "path", sorted(PAYLOADS.glob("workflow_job*.json")) or [None], ids=lambda path: getattr(path, "stem", "")
)
def test_every_real_delivery_is_understood(path: Path | None) -> None:
    """Real captures decode to their own id, labels and state."""
    if path is None:
        pytest.skip("no real deliveries beside the project")
    body = json.loads(path.read_bytes())
    fact = webhook.decode_job(path.read_bytes(), guid="", seen_at=1.0)
    assert fact is not None
    assert (fact.id, list(fact.labels)) == (body["workflow_job"]["id"], body["workflow_job"]["labels"])
    assert fact.repo == body["repository"]["full_name"]
    expected = JobState.WAITING if body["workflow_job"]["status"] == "waiting" else webhook.STATES[body["action"]]
    assert fact.state is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"runner_id": None, "runner_name": None}, None),
        ({"runner_id": 0, "runner_name": ""}, None),
        ({"runner_name": "runner-fra-small-1"}, "runner-fra-small-1"),
    ],
)
def test_no_runner_is_written_in_three_ways(fields: dict[str, object], expected: str | None) -> None:
    """null, 0 and "" all mean that no runner has the job."""
    fact = webhook.decode_job(delivery(**fields), guid="", seen_at=1.0)
    assert fact is not None
    assert fact.runner == expected


def test_missing_fields_and_large_ids_are_no_problem() -> None:
    """Older and odd captures lack most fields; ids passed 2^32 long ago."""
    body = {"action": "completed", "workflow_job": {"id": 100520616165}, "repository": {"full_name": "a/b"}}
    fact = webhook.decode_job(json.dumps(body).encode(), guid="", seen_at=5.0)
    assert fact is not None
    assert (fact.id, fact.labels, fact.owner, fact.at) == (100520616165, (), "a", 5.0)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"\xff", b'{"action": 1}', delivery()[:-10]])
def test_what_is_no_delivery_is_undecodable(body: bytes) -> None:
    """Anything else raises one kind of error, of one line."""
    with pytest.raises(webhook.Undecodable) as problem:
        webhook.decode_job(body, guid="", seen_at=1.0)
    assert "\n" not in str(problem.value)


def test_an_action_of_the_future_is_ignored() -> None:
    """GitHub may add actions; they are no error."""
    assert webhook.decode_job(delivery(action="paused"), guid="", seen_at=1.0) is None


def test_the_guid_tells_when_the_event_happened() -> None:
    """A version-1 UUID carries its time; any other text carries none."""
    assert webhook.guid_time("36a58b70-c13d-11f0-8000-000000000000") == pytest.approx(1763112910.247, abs=0.001)
    assert webhook.guid_time(str(uuid.uuid4())) is None
    assert webhook.guid_time("x") is None


@pytest.mark.parametrize(
    ("conclusion", "outcomes", "killed"),
    [
        ("cancelled", ["success", "cancelled", "skipped", "skipped"], True),
        ("cancelled", ["success", "cancelled", "success"], False),
        ("cancelled", ["success", "cancelled"], False),
        ("cancelled", [], False),
        ("failure", ["success", "cancelled", "skipped"], False),
    ],
)
def test_a_job_cut_off_under_its_runner_is_told_from_one_that_was_cancelled(
    conclusion: str, outcomes: list[str], killed: bool
) -> None:
    """Post-steps run after a cancellation by a person; under a deleted runner they are skipped."""
    steps = [{"status": "completed", "conclusion": outcome} for outcome in outcomes]
    body = payload(action="completed", conclusion=conclusion, steps=steps, runner_name="runner-1")
    fact = webhook.decode_job(json.dumps(body).encode(), guid="", seen_at=1.0)
    assert fact is not None
    assert fact.killed is killed


@pytest.mark.parametrize(
    ("repository", "outside"),
    [
        ({"private": True, "fork": False}, False),
        ({"private": False, "fork": False}, True),
        ({"private": True, "fork": True}, True),
        ({"private": False}, True),
        ({}, None),
    ],
)
def test_public_repositories_and_forks_are_told_from_private_ones(
    repository: dict[str, bool], outside: bool | None
) -> None:
    """What a delivery does not say is not made up."""
    body = {"action": "queued", "workflow_job": {"id": 1}, "repository": {"full_name": "a/b", **repository}}
    fact = webhook.decode_job(json.dumps(body).encode(), guid="", seen_at=1.0)
    assert fact is not None
    assert fact.outside is outside
