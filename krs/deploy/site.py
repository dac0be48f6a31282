"""What is at Koyeb now: the app, the daemon's service, its newest deployment, its address."""

import msgspec

from krs.config.load import is_loopback
from krs.deploy.wanted import Choice
from krs.koyeb import App, KoyebClient, Service
from krs.koyeb.web import Deployment, WebServices

REGION, INSTANCE = "fra", "eco-nano"
"""Where and on what the daemon runs if nobody says: the smallest type that never sleeps; krs needs 70 MB."""


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """How the deployment is called at Koyeb, and what was asked for; empty where nothing was."""

    app: str
    service: str
    image: str = ""
    region: str = ""
    instance_type: str = ""
    volume: str = ""


class Found(msgspec.Struct, frozen=True):
    """What is there."""

    app: App | None
    service: Service | None = None
    deployment: Deployment | None = None

    @property
    def definition(self) -> dict[str, object]:
        """What the service is made of; empty when there is none."""
        return self.deployment.definition if self.deployment is not None else {}

    @property
    def image(self) -> str:
        """The container image that runs."""
        docker = self.definition.get("docker")
        return str(docker.get("image", "")) if isinstance(docker, dict) else ""

    @property
    def region(self) -> str:
        """Where it runs."""
        return _first(self.definition.get("regions"))

    @property
    def instance_type(self) -> str:
        """On what it runs."""
        return _first(self.definition.get("instance_types"), "type")

    @property
    def volume(self) -> str:
        """The disk that keeps its state file."""
        return _first(self.definition.get("volumes"), "id")

    @property
    def url(self) -> str:
        """Its public address; empty while it has none."""
        names = [domain.name for domain in (self.app.domains if self.app else None) or () if domain.name]
        if not names:
            return ""
        return f"{'http' if is_loopback(names[0].partition(':')[0]) else 'https'}://{names[0]}"


def _first(rows: object, field: str = "") -> str:
    row = rows[0] if isinstance(rows, list) and rows else None
    found = row.get(field) if isinstance(row, dict) else row
    return found if isinstance(found, str) else ""


async def look(koyeb: KoyebClient, names: Names) -> Found:
    """Ask Koyeb. Raises a `CallError`."""
    app = await koyeb.find_app(names.app)
    service = await koyeb.find_service(app.id, names.service) if app is not None else None
    deployment = await WebServices(koyeb).deployment(service) if service is not None else None
    return Found(app, service, deployment)


def choice(names: Names, found: Found) -> Choice:
    """What was asked for, else what is there, else what is usual. Raises `ValueError` without an image."""
    image = names.image or found.image
    if not image:
        raise ValueError("no image is known yet: build the Dockerfile, push it, and say --image REGISTRY/krs:TAG")
    return Choice(
        app=names.app,
        service=names.service,
        image=image,
        region=names.region or found.region or REGION,
        instance_type=names.instance_type or found.instance_type or INSTANCE,
        volume=names.volume or found.volume,
    )
