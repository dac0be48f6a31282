"""What the commands need to know of this installation: names, addresses and how a runner's container is made up."""

import msgspec

from krs.core.facts import Adoptable, ServiceSeen
from krs.core.model import Instant, Name, Scope
from krs.core.names import is_owner, is_repository
from krs.core.vocabulary import Credential, Lifecycle
from krs.koyeb import Definition, Service

"""Every service of ours, and of the Go program, is named like this; others are never looked into."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The installation. `web_url` is GitHub's address for people, without a slash at its end."""

    app: str
    controller: str
    web_url: str
    safety_ttl: float
    folder: str
    """Where the runners' image keeps actions/runner."""


def seen(service: Service) -> ServiceSeen:
    """A service as the core sees it."""
    deletes_at = service.created_at + service.delete_after_create if service.delete_after_create else None
    return ServiceSeen(
        id=service.id,
        name=Name(service.name),
        status=service.status,
        created_at=Instant(service.created_at),
        deletes_at=Instant(deletes_at) if deletes_at is not None else None,
        messages=service.messages,
    )


def adoptable(service: Service, definition: Definition, site: Site) -> Adoptable | None:
    """What a service says of itself, if it is a runner of this controller or of the Go program; else None.

    The Go program sets REPO_URL and RUNNER_LABELS and knows no controller. A kind of runner that we do not know is not
    ours.
    """
    env = definition.env
    url, labels = env.get("REPO_URL", ""), env.get("RUNNER_LABELS", "")
    scope = url.removeprefix(f"{site.web_url}/").strip("/")
    if env.get("KRS_CONTROLLER", site.controller) != site.controller:
        return None
    if not labels or scope == url or not (is_owner(scope) or is_repository(scope)):
        return None
    try:
        lifecycle, credential = _kind(env)
    except ValueError:
        return None
    return Adoptable(
        service=seen(service),
        scope=Scope(scope),
        labels=tuple(label.strip() for label in labels.split(",") if label.strip()),
        lifecycle=lifecycle,
        credential=credential,
    )


def _kind(env: dict[str, str]) -> tuple[Lifecycle, Credential]:
    if "GITHUB_TOKEN" in env:
        return Lifecycle.REUSABLE, Credential.GITHUB_TOKEN
    credential = Credential(env.get("KRS_CREDENTIAL", Credential.REGISTRATION_TOKEN))
    return Lifecycle(env.get("KRS_LIFECYCLE", Lifecycle.REUSABLE)), credential
