"""A simulated GitHub App: where it is installed, which tokens it was given, and what each of them may do.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

import base64
import random
import re
from typing import Any

import msgspec

from krs.sim.agenda import Agenda

TOKEN_FOR = 3600.0
JWT_FOR = 600.0
"""Seconds ahead that a JWT may end."""
LEVELS = ("read", "write")
PERMISSIONS = {
    "actions": "read",
    "administration": "write",
    "metadata": "read",
    "organization_self_hosted_runners": "write",
}
AREAS = {
    "repos": {"runners": "administration", "jobs": "actions", "runs": "actions", "hooks": "repository_hooks"},
    "orgs": {"runners": "organization_self_hosted_runners", "hooks": "organization_hooks"},
}
"""Parts of the API and the permission that each takes, of a repository and of an organization."""
SCOPED = re.compile(r"/(repos|orgs)/([^/]+)(?:/([^/]+))?/(?:actions/)?(runners|jobs|runs|hooks)\b")


class Installation(msgspec.Struct):
    """The App in one account; `repositories` None for all."""

    id: int
    owner: str
    permissions: dict[str, str]
    repositories: frozenset[str] | None = None


class Grant(msgspec.Struct, frozen=True):
    """What a token may do; `repositories` None for all of the installation."""

    installation: int
    permissions: dict[str, str]
    repositories: frozenset[str] | None
    expires_at: float


class App:
    """The state. It is installed in every account that is asked for, unless that one took it away."""

    def __init__(self, agenda: Agenda, dice: random.Random, *, app_id: str, private_key: str) -> None:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        self.id = app_id
        self.permissions = dict(PERMISSIONS)
        self.removed: set[str] = set()
        self.grants: dict[str, Grant] = {}
        self.asked = 0
        """How often a token was asked for."""
        self._key: Any = load_pem_private_key(private_key.encode(), None)
        self._agenda = agenda
        self._dice = dice
        self._installations: dict[str, Installation] = {}

    def speaks(self, jwt_text: str) -> bool:
        """Whether a JWT is this App's: signed with its key, not older than it may be."""
        import jwt

        now = self._agenda.now()
        try:
            claims = jwt.decode(
                jwt_text,
                self._key.public_key(),
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False},  # they go by the simulation's clock, below
            )
        except jwt.PyJWTError:
            return False
        in_time = claims.get("iat", now + 1) <= now < claims.get("exp", 0) <= now + JWT_FOR
        return str(claims.get("iss")) == self.id and in_time

    def installation(self, owner: str) -> Installation | None:
        """The App in an account."""
        if owner in self.removed:
            return None
        if owner not in self._installations:
            self._installations[owner] = Installation(self._dice.getrandbits(30), owner, self.permissions)
        return self._installations[owner]

    def by_id(self, key: int) -> Installation | None:
        """An installation by its id."""
        return next((found for found in self._installations.values() if found.id == key), None)

    def remove(self, owner: str) -> None:
        """An account takes the App away; its tokens are worth nothing from then on."""
        self.removed.add(owner)
        self._installations.pop(owner, None)

    def install(self, owner: str) -> None:
        """An account installs it again, under another id."""
        self.removed.discard(owner)

    def grant(self, found: Installation, permissions: dict[str, str], repositories: frozenset[str] | None) -> str:
        """A token, in the long form that GitHub gives since 2026: `ghs_`, the App's id, a JWT."""
        words = (self._dice.randbytes(size) for size in (40, 300, 256))
        token = f"ghs_{self.id}_{'.'.join(base64.urlsafe_b64encode(word).decode().rstrip('=') for word in words)}"
        self.grants[token] = Grant(found.id, permissions, repositories, self._agenda.now() + TOKEN_FOR)
        return token

    def refusal(self, token: str, method: str, path: str) -> tuple[int, str] | None:
        """Why a token may not make this call: status and message; None when it may."""
        grant = self.grants.get(token)
        home = self.by_id(grant.installation) if grant is not None else None
        if grant is None or home is None or grant.expires_at <= self._agenda.now():
            return 401, "Bad credentials"
        asked = SCOPED.match(path)
        if asked is None:
            return None
        kind, owner, repository, _ = asked.groups()
        if owner != home.owner or (kind == "repos" and grant.repositories and repository not in grant.repositories):
            return 404, "Not Found"
        name, access = required(method, path)
        return None if holds(grant.permissions, name, access) else (403, "Resource not accessible by integration")


def required(method: str, path: str) -> tuple[str, str]:
    """The permission that a call takes, and whether to read or to write; empty for one that takes none.

    https://docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
    """
    asked = SCOPED.match(path)
    if asked is None:
        return "", ""
    kind, _, _, area = asked.groups()
    reads = method == "GET" or (kind == "repos" and path.endswith("/pings"))
    return AREAS[kind].get(area, ""), "read" if reads else "write"


def holds(permissions: dict[str, str], name: str, access: str) -> bool:
    """Whether a set of permissions has this one, or more."""
    had = permissions.get(name, "")
    return had in LEVELS and access in LEVELS and LEVELS.index(had) >= LEVELS.index(access)
