"""What every call to GitHub has in common: headers, paths of a scope, limits, and kinds of refusals. Pure."""

from datetime import datetime

import httpx

from krs.errors import Refused

HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28", "user-agent": "krs"}
SECONDARY_WAIT = 60.0
"""Seconds to wait at least when GitHub names a limit but no time."""


class Denied(Refused):
    """This credential may not do that; GitHub also says 404 for what a token cannot see."""


class NameTaken(Refused):
    """A runner of this name is registered already (409)."""


def sharpen(problem: Refused) -> Refused:
    """Refusals that GitHub tells apart by status."""
    kinds: dict[int, type[Refused]] = {401: Denied, 403: Denied, 404: Denied, 409: NameTaken}
    kind = kinds.get(problem.status, Refused)
    needs = f" (needs {problem.needs})" if problem.needs else ""
    return kind(
        problem.message + needs, status=problem.status, code=problem.code, fields=problem.fields, needs=problem.needs
    )


def base(scope: str) -> str:
    """The path under which a scope's runners and its installation stand."""
    return f"/repos/{scope}" if "/" in scope else f"/orgs/{scope}"


def wait_asked(response: httpx.Response, now: float) -> float | None:
    """How long GitHub asks us to wait, if a 403 or 429 is about its limits and not about rights.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if response.status_code not in (httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS):
        return None
    headers = response.headers
    if (asked := headers.get("retry-after", "")).isdigit():
        return max(1.0, float(asked))
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        return max(1.0, float(headers["x-ratelimit-reset"]) - now)
    limited = response.status_code == httpx.codes.TOO_MANY_REQUESTS or b"rate limit" in response.content.lower()
    return SECONDARY_WAIT if limited else None


def epoch(text: str) -> float:
    """A time of GitHub's in seconds since the epoch; 0, which is long past, for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
