"""Where jobs are looked for when no delivery told of them: in the runs of repositories seen lately.

GitHub's `busy` is late and sometimes wrong (https://github.com/github-aws-runners/terraform-aws-github-runner/issues/5085);
a job that runs names its runner, which is the better witness. With ETags a list that did not change costs nothing.
"""

from collections.abc import Callable, Iterable, Sequence

from krs.core.facts import JobFact
from krs.core.model import Instant, Name, Scope, World
from krs.core.vocabulary import JobState
from krs.errors import Refused
from krs.github import GithubClient

REMEMBERED = 3 * 24 * 3600.0
"""Seconds for which a repository counts as seen lately: as long as GitHub keeps deliveries."""
STATUSES = ("queued", "in_progress")
"""Of runs; one with a running job is in progress and may hide queued ones."""


class JobFinder:
    """Asks GitHub for jobs by repository, and remembers which repositories there are."""

    def __init__(self, github: GithubClient, world: Callable[[], World]) -> None:
        self._github = github
        self._world = world
        self._seen: dict[str, Instant] = {}

    def remember(self, repositories: Iterable[str], now: Instant) -> None:
        """These had jobs for us."""
        self._seen |= dict.fromkeys(repositories, now)

    def repositories(self, now: Instant) -> list[str]:
        """Those of jobs and runners that we know, and those remembered of the last days."""
        world = self._world()
        self.remember({job.repo for job in world.jobs.values()}, now)
        self.remember({runner.scope for runner in world.runners.values() if "/" in runner.scope}, now)
        self._seen = {repo: at for repo, at in self._seen.items() if now - at < REMEMBERED}
        return sorted(self._seen)

    async def jobs(self, repo: str, statuses: Sequence[str] = STATUSES) -> list[JobFact]:
        """The jobs of a repository's runs of these statuses. Raises a `CallError`."""
        runs = {run.id: run for status in statuses for run in await self._github.list_runs(repo, status)}
        found: list[JobFact] = []
        for run in runs.values():
            try:
                found += await self._github.list_jobs(repo, run)
            except Refused as problem:
                if problem.status != 404:
                    raise
        return found

    async def running_on(self, name: Name, scope: Scope, now: Instant) -> JobFact | None:
        """The job that runs on a runner, if GitHub's jobs name one. Raises a `CallError`."""
        owner, _, repo = scope.partition("/")
        ours = [scope] if repo else [seen for seen in self.repositories(now) if seen.partition("/")[0] == owner]
        for one in ours:
            for job in await self.jobs(one, ("in_progress",)):
                if job.runner == name and job.state is JobState.RUNNING:
                    return job
        return None
