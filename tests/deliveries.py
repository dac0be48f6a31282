"""Deliveries as GitHub sends them, about 8 KiB each, for tests and benchmarks."""

import json
from typing import Any

FILLER = {
    f"field_{number}_url": f"https://api.github.com/repos/acme/api/field_{number}{{/number}}" for number in range(36)
}
"""The many addresses that a real delivery carries twice."""


def payload(
    *,
    action: str = "queued",
    job_id: int = 4_300_000_001,
    labels: list[str] | None = None,
    repo: str = "acme/api",
    **job: Any,
) -> dict[str, Any]:
    """A `workflow_job` delivery; further names set fields of the job."""
    owner, _, name = repo.partition("/")
    account = {"login": owner, "id": 9919, "type": "Organization", **FILLER}
    return {
        "action": action,
        "workflow_job": {
            "id": job_id,
            "run_id": 7_856_385_885,
            "run_attempt": 1,
            "workflow_name": "ci",
            "head_branch": "main",
            "status": action,
            "conclusion": None,
            "created_at": "2026-11-01T10:00:00Z",
            "started_at": "2026-11-01T10:00:00Z",
            "completed_at": None,
            "name": "test (3.12)",
            "labels": ["koyeb-fra-small"] if labels is None else labels,
            "html_url": f"https://github.com/{repo}/actions/runs/7856385885/job/{job_id}",
            "runner_id": None,
            "runner_name": None,
            "steps": [],
            **job,
        },
        "repository": {
            "id": 1296269,
            "name": name,
            "full_name": repo,
            "private": True,
            "fork": False,
            "owner": account,
            **FILLER,
        },
        "sender": account,
    }


def delivery(**fields: Any) -> bytes:
    """The same as bytes."""
    return json.dumps(payload(**fields)).encode()
