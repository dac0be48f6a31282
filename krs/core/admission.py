"""Whether a job is served: its labels, its repository, and what to do when it is not."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from krs.core.labels import Placement, place
from krs.core.policy import Policy
from krs.core.vocabulary import PublicRepositories, Reason

ADVICE = {
    Reason.LABEL_NOT_COVERED: "its runner would lack one of the other labels: add that one to runners.extra_labels",
    Reason.AMBIGUOUS_LABEL: "two of its labels name different machines: leave one of them out",
    Reason.UNKNOWN_REGION: "its label names no region of Koyeb: write <prefix>-<region>-<instance type>",
    Reason.UNKNOWN_INSTANCE_TYPE: "its label names no instance type of Koyeb",
    Reason.NOT_SOLD_IN_REGION: "Koyeb does not sell this instance type in this region: change one of the two",
    Reason.WEB_ONLY: "Koyeb sells this instance type to web services only: choose another",
    Reason.REPOSITORY_DENIED: "github.allow or github.deny refuses its repository",
    Reason.PUBLIC_REPOSITORY: "its repository is public or a fork, and policy.public_repositories is deny",
}
"""What to do about a job for which no runner can be started."""


def judge(labels: Sequence[str], repository: str, policy: Policy, *, outside: bool) -> Placement | Reason | None:
    """The placement of a job, why it has none, or None when it is not for krs. `outside`: of a public one or a fork."""
    found = place(labels, repository, policy)
    return found if found is None else refusal(repository, policy, outside=outside) or found


def refusal(repository: str, policy: Policy, *, outside: bool) -> Reason | None:
    """Why a repository may not use runners, None when it may."""
    if denied_by(repository, policy) is not None or not _allowed(repository, policy):
        return Reason.REPOSITORY_DENIED
    if outside and policy.public_repositories is PublicRepositories.DENY:
        return Reason.PUBLIC_REPOSITORY
    return None


def denied_by(repository: str, policy: Policy) -> str | None:
    """The pattern of `github.deny` that refuses a repository."""
    return _first(policy.deny, repository)


def allowed_by(repository: str, policy: Policy) -> str | None:
    """The pattern of `github.allow` that lets a repository in; None too when there are no patterns at all."""
    return _first(policy.allow, repository)


def _allowed(repository: str, policy: Policy) -> bool:
    return not policy.allow or allowed_by(repository, policy) is not None


def _first(patterns: Sequence[str], repository: str) -> str | None:
    """The first case-folded shell pattern that matches."""
    name = repository.casefold()
    return next((pattern for pattern in patterns if fnmatchcase(name, pattern.casefold())), None)
