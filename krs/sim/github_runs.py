"""The simulated GitHub's workflow runs: lists by status, and the jobs of one."""

import random
from typing import Any

from krs.sim.github import Forge, Job
from krs.sim.github_http import Failure, GithubHandler, job_body
from krs.sim.koyeb import rfc3339

API, WEB = "https://api.github.com", "https://github.com"
ADDRESSES = (
    "archive assignees blobs branches collaborators comments commits compare contents contributors deployments "
    "downloads events forks git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels "
    "languages merges milestones notifications pulls releases stargazers statuses subscribers subscription tags "
    "teams trees"
)
"""What a repository names an address of, each as `<name>_url`."""
ACCOUNT_ADDRESSES = "followers following gists starred subscriptions organizations repos events received_events"


class RunsHandler(GithubHandler):
    """`/repos/{owner}/{repo}/actions/runs`."""

    def get(self, repo: str) -> None:
        """Runs of a status, newest first."""
        status = self.get_query_argument("status", "")
        size = min(100, int(self.get_query_argument("per_page", "30")))
        start = (int(self.get_query_argument("page", "1")) - 1) * size
        runs: dict[int, list[Job]] = {}
        for job in self.forge.jobs.values():
            if job.repo == repo:
                runs.setdefault(job.run_id, []).append(job)
        found = [jobs for _, jobs in sorted(runs.items(), reverse=True) if status in ("", status_of(jobs))]
        shown = [run_body(jobs) for jobs in found[start : start + size]]
        self.answer({"total_count": len(found), "workflow_runs": shown})


class RunJobsHandler(GithubHandler):
    """`/repos/{owner}/{repo}/actions/runs/{id}/jobs`."""

    def get(self, repo: str, key: str) -> None:
        """The jobs of a run."""
        found = [job for job in self.forge.jobs.values() if job.repo == repo and job.run_id == int(key)]
        if not found:
            raise Failure(404, "Not Found")
        size = min(100, int(self.get_query_argument("per_page", "30")))
        start = (int(self.get_query_argument("page", "1")) - 1) * size
        self.answer({"total_count": len(found), "jobs": [job_body(job) for job in found[start : start + size]]})


def status_of(jobs: list[Job]) -> str:
    """A run is queued until one of its jobs is not, and completed when all are."""
    statuses = {job.status for job in jobs}
    return statuses.pop() if len(statuses) == 1 else "in_progress"


def run_body(jobs: list[Job]) -> dict[str, Any]:
    """A run as GitHub shows it."""
    first, status = jobs[0], status_of(jobs)
    url = f"{API}/repos/{first.repo}/actions/runs/{first.run_id}"
    latest = max(job.completed_at or job.started_at or job.queued_at for job in jobs)
    return {
        "id": first.run_id,
        "name": first.workflow,
        "node_id": f"WFR_{first.run_id}",
        "head_branch": "main",
        "head_sha": "7fd444efc6ccde262661a1258b0718e78810fa8d",
        "path": f".github/workflows/{first.workflow}.yml",
        "display_title": first.workflow,
        "run_number": 1,
        "run_attempt": 1,
        "event": "push",
        "status": status,
        "conclusion": "success" if status == "completed" else None,
        "workflow_id": 1,
        "url": url,
        "html_url": f"{WEB}/{first.repo}/actions/runs/{first.run_id}",
        "pull_requests": [],
        "created_at": rfc3339(first.queued_at),
        "updated_at": rfc3339(latest),
        **{f"{name}_url": f"{url}/{name}" for name in ("jobs", "logs", "check_suite", "artifacts", "cancel", "rerun")},
        "workflow_url": f"{API}/repos/{first.repo}/actions/workflows/1",
        "head_commit": None,
        "repository": repository_body(first.repo),
        "head_repository": repository_body(first.repo),
    }


def repository_body(repo: str) -> dict[str, Any]:
    """A private repository as GitHub shows it inside other things."""
    owner, _, name = repo.partition("/")
    url = f"{API}/repos/{repo}"
    return {
        "id": 2,
        "node_id": "R_2",
        "name": name,
        "full_name": repo,
        "private": True,
        "fork": False,
        "description": None,
        "html_url": f"{WEB}/{repo}",
        "url": url,
        "owner": account_body(owner),
        **{f"{name}_url": f"{url}/{name}" for name in ADDRESSES.split()},
    }


def account_body(login: str) -> dict[str, Any]:
    """An organization as GitHub shows it."""
    url = f"{API}/users/{login}"
    return {
        "login": login,
        "id": 1,
        "node_id": "O_1",
        "avatar_url": f"{WEB}/{login}.png",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{WEB}/{login}",
        "type": "Organization",
        "site_admin": False,
        **{f"{name}_url": f"{url}/{name}" for name in ACCOUNT_ADDRESSES.split()},
    }


def routes(forge: Forge, dice: random.Random) -> list[tuple[str, type[GithubHandler], dict[str, Any]]]:
    """All of these."""
    given = {"forge": forge, "dice": dice}
    return [
        (r"/repos/([^/]+/[^/]+)/actions/runs", RunsHandler, given),
        (r"/repos/([^/]+/[^/]+)/actions/runs/(\d+)/jobs", RunJobsHandler, given),
    ]
