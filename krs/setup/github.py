"""GitHub: whether the credential is one, and what it may do where runners are to register."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

import httpx

from krs.config.policy import policy_of
from krs.config.settings import Settings
from krs.core.admission import refusal
from krs.core.vocabulary import Mode
from krs.errors import CallError, Refused
from krs.github import GithubClient, Hooks
from krs.github.auth import signer
from krs.koyeb.catalog import fallback
from krs.setup.report import Line, fail, failed_call, ok

TOKENS_PAGE = "https://github.com/settings/personal-access-tokens"
WHERE = "github.api_url"


def key_problem(settings: Settings) -> str:
    """What is wrong with an App's private key; empty when nothing is, or there is no App."""
    if not settings.github.app_id:
        return ""
    try:
        signer(settings.github.app_id, settings.github.private_key)
    except ValueError as problem:
        return str(problem)
    return ""


async def check_identity(github: GithubClient, settings: Settings) -> Line:
    """Whether GitHub knows the credential."""
    app_id = settings.github.app_id
    subject = "github.app_id" if app_id else "github.token"
    todo = f"make one at {TOKENS_PAGE} and give it as GITHUB_TOKEN or --github-token"
    if app_id:
        todo = "check github.app_id, github.private_key and this machine's clock"
    try:
        await github.check_token()
    except CallError as problem:
        return failed_call(subject, problem, todo=todo, where=WHERE)
    return ok(subject, f"GitHub knows the App {app_id}" if app_id else "GitHub knows the token")


async def check_scope(github: GithubClient, scope: str, settings: Settings, *, hooks: bool, write: bool) -> Line:
    """Whether runners can register here and jobs be seen, and with `hooks` whether the webhook can be made.

    To `write` is to ask for a registration token, which registers nothing by itself.
    """
    asked: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("read runners", lambda: github.list_runners(scope)),
    ]
    if write:
        asked.append(("register runners", lambda: github.registration_token(scope)))
    if settings.github.mode is Mode.REPOSITORY:
        asked.append(("read jobs", lambda: github.list_runs(scope, "queued")))
    if hooks:
        asked.append(("read webhooks", lambda: Hooks(github).list(scope)))
    problems: dict[str, Refused] = {}
    for what, call in asked:
        try:
            await call()
        except Refused as problem:
            problems[what] = problem
        except CallError as problem:
            return failed_call(scope, problem, todo="", where=WHERE)
    if not problems:
        return ok(scope, f"the {_who(settings)} may {', '.join(what for what, _ in asked)}")
    return _lacking(scope, settings, problems, len(asked))


def refused(scopes: Sequence[str], settings: Settings) -> list[Line]:
    """Repositories whose jobs the configuration itself refuses."""
    policy = policy_of(settings, fallback())
    found = [scope for scope in scopes if "/" in scope and refusal(scope, policy, outside=False)]
    todo = "change these settings, or leave it out"
    return [fail(scope, "github.allow or github.deny refuses its jobs", todo) for scope in found]


def _lacking(scope: str, settings: Settings, problems: dict[str, Refused], asked: int) -> Line:
    """One line about all that was refused."""
    gone = [problem for problem in problems.values() if problem.status == httpx.codes.NOT_FOUND]
    if len(gone) == asked:
        kind = "repository" if "/" in scope else "organization"
        text = f"the {kind} does not exist, or is not yours: the {_who(settings)} does not see it (404)"
        return fail(scope, text, _let_in(scope, settings))
    needs = "; ".join(_named(need) for need in _needs(problems.values(), scope))
    text = f"the {_who(settings)} may not {', '.join(problems)} ({next(iter(problems.values())).message})"
    return fail(scope, text, f"give it {needs or 'these permissions'}, then run krs setup again")


def _needs(problems: Iterable[Refused], scope: str) -> list[str]:
    """The permissions that GitHub names, the strongest of each; of alternatives (`;`) that of this kind of scope."""
    found: dict[str, str] = {}
    for problem in problems:
        alternatives = [part.strip() for part in problem.needs.split(";") if part.strip()]
        fit = [part for part in alternatives if part.startswith("organization_") is not ("/" in scope)]
        for need in (fit or alternatives or [""])[0].split(","):
            name, _, access = need.strip().partition("=")
            if name and found.get(name) != "write":
                found[name] = access
    return [f"{name}={access}" for name, access in found.items()]


NAMES = {
    "administration": "Administration",
    "actions": "Actions",
    "repository_hooks": "Webhooks",
    "organization_hooks": "Webhooks (organization)",
    "organization_self_hosted_runners": "Self-hosted runners (organization)",
}
"""Permissions as the page where they are given calls them
(https://docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens)."""


def _named(permission: str) -> str:
    """A permission to give: krs writes in the end what it reads at first, but for jobs."""
    name = permission.partition("=")[0]
    return f"{NAMES.get(name, name)}: {'read' if name == 'actions' else 'read and write'} ({permission})"


def _who(settings: Settings) -> str:
    return "App" if settings.github.app_id else "token"


def _let_in(scope: str, settings: Settings) -> str:
    if settings.github.app_id:
        return f"install the App for {scope}"
    place = "its repository access" if "/" in scope else "its resource owner"
    return f"check the spelling, and {place} at {TOKENS_PAGE}"
