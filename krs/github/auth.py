"""Who we are at GitHub: a token, or a GitHub App that asks for a small token for each need.

A credential leaves this module only as the value of an Authorization header.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

import httpx

from krs.errors import Refused
from krs.github.models import InstallationReply, RegistrationToken, TokenReply
from krs.github.wire import HEADERS, Denied, base, epoch, sharpen, wait_asked
from krs.rest import Observer, Reply, Rest, unobserved
from krs.secret import Secret

__all__ = ["AppAuth", "Auth", "Need", "Secret", "TokenAuth", "identity"]

JWT_BACK = 60
"""Seconds by which a JWT is dated back, for clocks that differ."""
JWT_LIFE = 9 * 60
"""Seconds that a JWT is valid; GitHub allows ten minutes."""
TOKEN_LEFT = 5 * 60.0
"""Seconds that a cached installation token must still be valid."""
OF_REPOSITORY = {"runners": "administration", "hooks": "repository_hooks"}
OF_ORGANIZATION = {"runners": "organization_self_hosted_runners", "hooks": "organization_hooks"}
"""What GitHub calls our needs."""


class Need(Enum):
    """What a call wants to do; IDENTITY is to prove who we are, which is all that an App's own hook takes."""

    IDENTITY = "identity"
    RUNNERS_READ = "runners:read"
    RUNNERS_WRITE = "runners:write"
    ACTIONS_READ = "actions:read"
    HOOKS_READ = "hooks:read"
    HOOKS_WRITE = "hooks:write"


class Auth(Protocol):
    """Gives the credential for calls about a scope. `probe` is a path that any valid credential may GET."""

    @property
    def probe(self) -> str:
        """The path to check the credential with."""

    async def header(self, scope: str, need: Need) -> str:
        """The value of the Authorization header. Raises a `CallError` if asking for it fails."""

    def forget(self, scope: str) -> None:
        """GitHub does not take a credential of this scope any more (401): the next call needs another."""

    async def aclose(self) -> None:
        """Close what was opened."""


class TokenAuth:
    """A fine-grained or classic personal access token, for every scope and need alike."""

    probe = "/rate_limit"

    def __init__(self, token: Secret) -> None:
        self._token = token

    async def header(self, scope: str, need: Need) -> str:
        """The value of the Authorization header."""
        return f"Bearer {self._token.reveal()}"

    def forget(self, scope: str) -> None:
        """There is no other."""

    async def aclose(self) -> None:
        """Nothing was opened."""


class AppAuth:
    """A GitHub App: installation tokens narrowed to one permission, and to one repository if the scope is one.

    Raises `ValueError`, one line without the key, when the key is none or the extra `app` is not installed.
    https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
    """

    probe = "/app"

    def __init__(
        self,
        *,
        app_id: int | str,
        private_key: Secret,
        api_url: str,
        now: Callable[[], float],
        observe: Observer = unobserved,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 15.0,
    ) -> None:
        self._sign = signer(str(app_id), private_key)
        self._now = now
        self._http = httpx.AsyncClient(
            base_url=api_url.rstrip("/"), headers=HEADERS, timeout=timeout, transport=transport, trust_env=False
        )
        self._rest = Rest(
            self._http, service="github", wait_asked=lambda response: wait_asked(response, now()), observe=observe
        )
        self._installations: dict[str, int] = {}
        self._tokens: dict[tuple[int, str, str], RegistrationToken] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def header(self, scope: str, need: Need) -> str:
        """The value of the Authorization header. Raises `Denied` where the App is not installed or lacks the right."""
        if need is Need.IDENTITY:
            return f"Bearer {self._sign(self._now())}"
        found = self._cached(scope, need)
        if found is None:
            # One at a time in a scope: a burst of creates would otherwise ask for the same token once each.
            async with self._asking[scope]:
                found = self._cached(scope, need) or await self._ask(scope, need)
        return f"Bearer {found.token.reveal()}"

    def forget(self, scope: str) -> None:
        """The App was removed, and perhaps installed again: look it up anew."""
        gone = self._installations.pop(scope, None)
        self._tokens = {key: kept for key, kept in self._tokens.items() if key[0] != gone}

    def _cached(self, scope: str, need: Need) -> RegistrationToken | None:
        installation = self._installations.get(scope)
        if installation is None:
            return None
        found = self._tokens.get((installation, *grant(scope, need)))
        return found if found is not None and self._lasts(found) else None

    def _lasts(self, token: RegistrationToken) -> bool:
        return token.expires_at - self._now() > TOKEN_LEFT

    async def _ask(self, scope: str, need: Need) -> RegistrationToken:
        permission, repository = grant(scope, need)
        known = scope in self._installations
        try:
            installation, made = await self._token(scope, permission, repository)
        except Refused as problem:
            self.forget(scope)
            if problem.status != httpx.codes.NOT_FOUND or not known:
                raise
            # 404 for an installation known from before: it may be there again, under another id.
            installation, made = await self._token(scope, permission, repository)
        token = RegistrationToken(Secret(made.token), epoch(made.expires_at))
        self._tokens = {key: kept for key, kept in self._tokens.items() if self._lasts(kept)}
        self._tokens[installation, permission, repository] = token
        return token

    async def _token(self, scope: str, permission: str, repository: str) -> tuple[int, TokenReply]:
        installation = await self._installation(scope)
        name, _, access = permission.partition("=")
        body: dict[str, object] = {"permissions": {name: access}}
        if repository:
            body["repositories"] = [repository]
        try:
            reply = await self._call("POST", f"/app/installations/{installation}/access_tokens", body)
        except Refused as problem:
            text = f"{problem.message} (needs {problem.needs or permission} on {scope})"
            raise Denied(text, status=problem.status, code=problem.code, needs=problem.needs or permission) from None
        return installation, reply.decode(TokenReply)

    async def _installation(self, scope: str) -> int:
        if scope in self._installations:
            return self._installations[scope]
        try:
            reply = await self._call("GET", f"{base(scope)}/installation")
        except Refused as problem:
            if problem.status != httpx.codes.NOT_FOUND:
                raise sharpen(problem) from None
            raise Denied(f"{problem.message} (install the App for {scope})", status=problem.status) from None
        self._installations[scope] = reply.decode(InstallationReply).id
        return self._installations[scope]

    async def _call(self, method: str, path: str, body: object = None) -> Reply:
        headers = {"authorization": f"Bearer {self._sign(self._now())}"}
        return await self._rest.call(method, path, body=body, headers=headers)


def identity(
    *,
    token: Secret,
    app_id: str,
    private_key: Secret,
    api_url: str,
    now: Callable[[], float],
    observe: Observer = unobserved,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Auth:
    """Who we are at GitHub: the App if one is named, else the token's owner. Raises `ValueError` as `AppAuth` does."""
    if not app_id:
        return TokenAuth(token)
    return AppAuth(
        app_id=app_id, private_key=private_key, api_url=api_url, now=now, observe=observe, transport=transport
    )


def grant(scope: str, need: Need) -> tuple[str, str]:
    """The narrowest (permission, repository) for a need; no repository when the scope is an organization.

    https://docs.github.com/rest/authentication/permissions-required-for-github-apps
    """
    what, _, access = need.value.partition(":")
    repository = scope.partition("/")[2]
    what = (OF_REPOSITORY if repository else OF_ORGANIZATION).get(what, what)
    return f"{what}={access}", repository


def signer(app_id: str, private_key: Secret) -> Callable[[float], str]:
    """What makes the App's JWT of an instant. Raises `ValueError`, one line without the key.

    A key that came by environment may write its line ends as a backslash and an n.
    """
    try:
        import jwt
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise ValueError("a GitHub App needs PyJWT, which is not installed: pip install 'PyJWT[crypto]'") from None

    def sign(now: float) -> str:
        claims = {"iat": int(now) - JWT_BACK, "exp": int(now) + JWT_LIFE, "iss": app_id}
        return jwt.encode(claims, key, algorithm="RS256")

    try:
        # Read once: that checks the key, which takes fifty times as long as to sign with it.
        key: Any = load_pem_private_key(private_key.reveal().replace("\\n", "\n").encode(), None)
        sign(0.0)
    except (jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, AttributeError):
        raise ValueError(
            "it is not an RSA private key in PEM form: give the file that GitHub made, as file:PATH"
        ) from None
    return sign
