"""The simulated GitHub's routes for an App: who it is, where it is installed, tokens for its installations."""

import random
from typing import Any

import msgspec

from krs.sim.github import Forge
from krs.sim.github_app import PERMISSIONS, App, Installation, holds
from krs.sim.github_http import Failure, GithubHandler
from krs.sim.github_runs import account_body
from krs.sim.koyeb import rfc3339

EVENTS = ["workflow_job"]


class AppHandler(GithubHandler):
    """What they share: they take the App's JWT and nothing else."""

    def authorize(self) -> None:
        """Check the JWT."""
        scheme, _, sent = self.request.headers.get("Authorization", "").partition(" ")
        if self.forge.app is None or scheme != "Bearer" or not self.forge.app.speaks(sent):
            raise Failure(401, "A JSON web token could not be decoded")

    @property
    def app(self) -> App:
        """The App that asks."""
        assert self.forge.app is not None
        return self.forge.app


class SelfHandler(AppHandler):
    """`/app`."""

    def get(self) -> None:
        """The App itself."""
        born = rfc3339(0.0)
        self.answer(
            {
                "id": 1,
                "slug": "krs",
                "node_id": "A_1",
                "owner": account_body("acme"),
                "name": "krs",
                "description": None,
                "external_url": "https://krs.test",
                "html_url": "https://github.com/apps/krs",
                "created_at": born,
                "updated_at": born,
                "permissions": self.app.permissions,
                "events": EVENTS,
            }
        )


class InstallationHandler(AppHandler):
    """`{base}/installation`."""

    def get(self, scope: str) -> None:
        """Where the App is in this account."""
        owner, _, repository = scope.partition("/")
        found = self.app.installation(owner)
        if found is None or (repository and found.repositories and repository not in found.repositories):
            raise Failure(404, "Not Found")
        self.answer(installation_body(found))


class AccessHandler(AppHandler):
    """`/app/installations/{id}/access_tokens`."""

    def post(self, key: str) -> None:
        """A token for an hour, with no more than what was asked for."""
        self.app.asked += 1
        found = self.app.by_id(int(key))
        if found is None:
            raise Failure(404, "Not Found")
        asked = msgspec.json.decode(self.request.body or b"{}", type=dict[str, Any])
        permissions: dict[str, str] = asked.get("permissions", found.permissions)
        if not all(holds(found.permissions, name, access) for name, access in permissions.items()):
            raise Failure(422, "The permissions requested are not granted to this installation.")
        named = frozenset(asked["repositories"]) if "repositories" in asked else None
        if named and found.repositories is not None and not named <= found.repositories:
            text = (
                "There is at least one repository that does not exist or is not accessible to the parent installation."
            )
            raise Failure(422, text)
        token = self.app.grant(found, permissions, named)
        body = {
            "token": token,
            "expires_at": rfc3339(self.app.grants[token].expires_at),
            "permissions": permissions,
            "repository_selection": "selected" if named else "all",
        }
        self.answer(body, 201)


def installation_body(found: Installation) -> dict[str, Any]:
    """An installation as GitHub shows it."""
    url = f"https://api.github.com/app/installations/{found.id}"
    return {
        "id": found.id,
        "account": account_body(found.owner),
        "repository_selection": "selected" if found.repositories else "all",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": "https://api.github.com/installation/repositories",
        "html_url": f"https://github.com/organizations/{found.owner}/settings/installations/{found.id}",
        "app_id": 1,
        "app_slug": "krs",
        "target_id": 1,
        "target_type": "Organization",
        "permissions": {name: found.permissions[name] for name in PERMISSIONS if name in found.permissions},
        "events": EVENTS,
        "created_at": rfc3339(0.0),
        "updated_at": rfc3339(0.0),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }


def routes(forge: Forge, dice: random.Random) -> list[tuple[str, type[AppHandler], dict[str, Any]]]:
    """The routes."""
    given = {"forge": forge, "dice": dice}
    return [
        (r"/app", SelfHandler, given),
        (r"/repos/([^/]+/[^/]+)/installation", InstallationHandler, given),
        (r"/orgs/([^/]+)/installation", InstallationHandler, given),
        (r"/app/installations/(\d+)/access_tokens", AccessHandler, given),
    ]
