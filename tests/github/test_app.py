"""A GitHub App as identity: what it asks for, how often, and what is said when GitHub refuses."""

import asyncio
import json
import logging

import httpx
import jwt
import pytest

from krs.errors import Throttled
from krs.github import AppAuth, Denied, GithubClient, Need
from krs.secret import Secret
from tests.contract.wire import Wire
from tests.github.keys import other_kinds, rsa_key

HOUR = "1970-01-01T01:00:00Z"
LONG = f"ghs_123456_{'e' * 700}.{'p' * 300}.{'s' * 342}"


class Github:
    """GitHub's side of an App: one installation, whose id and answers may change."""

    def __init__(self) -> None:
        self.installation = 7
        self.token = LONG
        self.refuse: httpx.Response | None = None
        self.now = 0.0
        self.wire = Wire(self.answer)
        self.auth = AppAuth(
            app_id="123456",
            private_key=Secret(rsa_key()),
            api_url="https://github.test",
            now=lambda: self.now,
            transport=httpx.MockTransport(self.later),
        )

    async def later(self, request: httpx.Request) -> httpx.Response:
        """The answer, after others had their turn."""
        await asyncio.sleep(0)
        return self.wire.transport.handle_request(request)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What GitHub says."""
        path = request.url.path
        if path.endswith("/installation"):
            found = self.installation
            return (
                httpx.Response(200, json={"id": found}) if found else httpx.Response(404, json={"message": "Not Found"})
            )
        if path == f"/app/installations/{self.installation}/access_tokens":
            return self.refuse or httpx.Response(201, json={"token": self.token, "expires_at": HOUR})
        if path.endswith("/access_tokens"):
            return httpx.Response(404, json={"message": "Not Found"})
        if request.headers["authorization"] != f"Bearer {self.token}":
            return httpx.Response(401, json={"message": "Bad credentials"})
        return httpx.Response(200, json={"total_count": 0, "runners": []})

    def asked(self, end: str) -> list[httpx.Request]:
        """The requests whose path ends like this."""
        return [request for request in self.wire.requests if request.url.path.endswith(end)]

    async def header(self, scope: str = "acme/api", need: Need = Need.RUNNERS_WRITE) -> str:
        """What a call would be sent with."""
        return await self.auth.header(scope, need)


async def test_a_token_of_any_form_is_sent_as_it_is() -> None:
    """Since 2026 it is `ghs_`, the App's id and a JWT of some hundred characters."""
    github = Github()
    assert await github.header() == f"Bearer {LONG}"


async def test_a_token_is_kept_until_five_minutes_before_its_end() -> None:
    """One question an hour for each need, with time to spare for the call itself."""
    github = Github()
    for github.now in (0.0, 1800.0, 3299.0):
        await github.header()
    assert len(github.asked("/access_tokens")) == 1
    github.now = 3300.0
    await github.header()
    assert len(github.asked("/access_tokens")) == 2
    assert len(github.asked("/installation")) == 1


async def test_a_burst_asks_once() -> None:
    """Fifty creates at a time share one token, two scopes do not wait for each other's."""
    github = Github()
    await asyncio.gather(*(github.header(f"acme/{name}") for name in ("api", "web") for _ in range(25)))
    assert len(github.asked("/access_tokens")) == 2


@pytest.mark.parametrize(
    ("scope", "need", "body"),
    [
        ("acme/api", Need.RUNNERS_WRITE, {"permissions": {"administration": "write"}, "repositories": ["api"]}),
        ("acme/api", Need.RUNNERS_READ, {"permissions": {"administration": "read"}, "repositories": ["api"]}),
        ("acme/api", Need.ACTIONS_READ, {"permissions": {"actions": "read"}, "repositories": ["api"]}),
        ("acme", Need.RUNNERS_WRITE, {"permissions": {"organization_self_hosted_runners": "write"}}),
    ],
)
async def test_a_token_is_narrowed_to_what_the_call_needs(scope: str, need: Need, body: dict[str, object]) -> None:
    """One permission, and one repository where the scope is one; another need has another token."""
    github = Github()
    await github.header(scope, need)
    (request,) = github.asked("/access_tokens")
    assert json.loads(request.content) == body
    (looked_up,) = github.asked("/installation")
    assert looked_up.url.path == ("/repos/acme/api/installation" if "/" in scope else "/orgs/acme/installation")
    await github.header(scope, Need.ACTIONS_READ if need is not Need.ACTIONS_READ else Need.RUNNERS_READ)
    assert len(github.asked("/access_tokens")) == 2


async def test_the_app_proves_itself_with_a_short_jwt() -> None:
    """Signed with its key, dated back a minute, valid for less than the ten minutes that GitHub allows."""
    github = Github()
    github.now = 1_000_000.0
    text = (await github.header("", Need.IDENTITY)).removeprefix("Bearer ")
    assert jwt.get_unverified_header(text)["alg"] == "RS256"
    claims = jwt.decode(text, options={"verify_signature": False})
    assert claims == {"iat": 999_940, "exp": 1_000_540, "iss": "123456"}


async def test_where_the_app_is_not_installed_the_line_says_so() -> None:
    """404 for the installation: install it, and where."""
    github = Github()
    github.installation = 0
    with pytest.raises(Denied, match="install the App for acme/api"):
        await github.header()
    github.installation = 9
    assert await github.header()


@pytest.mark.parametrize("status", [403, 422])
async def test_a_permission_that_the_app_lacks_is_named(status: int) -> None:
    """GitHub refuses the token: the line names the permission, from GitHub's header when there is one."""
    github = Github()
    message = "The permissions requested are not granted to this installation."
    github.refuse = httpx.Response(status, json={"message": message})
    with pytest.raises(Denied, match=r"not granted .*needs administration=write on acme/api") as problem:
        await github.header()
    assert problem.value.needs == "administration=write"
    github.refuse = httpx.Response(
        status, json={"message": message}, headers={"x-accepted-github-permissions": "administration=read"}
    )
    with pytest.raises(Denied, match="needs administration=read"):
        await github.header()


async def test_an_app_that_was_installed_again_is_looked_up_again() -> None:
    """404 for a known installation, or 401 for its token: the new one is found, at once or with the next call."""
    github = Github()
    await github.header()
    github.installation, github.now = 8, 3500.0
    assert await github.header()
    assert len(github.asked("/installation")) == 2
    client = GithubClient(
        auth=github.auth, api_url="https://github.test", now=lambda: github.now, transport=github.wire.transport
    )
    github.now = 0.0
    await client.list_runners("acme/api")
    github.installation, github.token = 9, "ghs_another"
    with pytest.raises(Denied):
        await client.list_runners("acme/api")
    assert await client.list_runners("acme/api") == ()


async def test_a_limit_is_no_denial() -> None:
    """A 403 that is about the rate is waited out, and the installation stays known."""
    github = Github()
    await github.header()
    github.now = 3500.0
    github.refuse = httpx.Response(403, json={"message": "secondary rate limit"}, headers={"retry-after": "30"})
    with pytest.raises(Throttled):
        await github.header()
    github.refuse = None
    await github.header()
    assert len(github.asked("/installation")) == 1


@pytest.mark.parametrize("kind", other_kinds())
def test_what_is_no_key_is_one_line_without_it(kind: str) -> None:
    """A public key, a locked one, one of another kind, half a file, a path, a token: none of it is shown."""
    key = other_kinds()[kind]
    with pytest.raises(ValueError, match="not an RSA private key") as problem:
        AppAuth(app_id=1, private_key=Secret(key), api_url="https://github.test", now=lambda: 0.0)
    text = str(problem.value)
    assert "\n" not in text
    assert not key or key not in text
    assert "BEGIN" not in text
    assert problem.value.__suppress_context__


def test_a_key_may_come_with_its_line_ends_written_out() -> None:
    """As environment files have it."""
    escaped = Secret(rsa_key().replace("\n", "\\n"))
    auth = AppAuth(app_id=1, private_key=escaped, api_url="https://github.test", now=lambda: 0.0)
    assert auth.probe == "/app"


async def test_no_secret_shows(caplog: pytest.LogCaptureFixture) -> None:
    """Neither in a repr nor in any line that is logged, at any level."""
    caplog.set_level(logging.DEBUG)
    github = Github()
    header = await github.header()
    shown = f"{github.auth!r} {vars(github.auth)!r} {caplog.text}"
    assert header.removeprefix("Bearer ") not in shown
    assert rsa_key().splitlines()[1] not in shown
