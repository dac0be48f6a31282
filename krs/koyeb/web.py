"""A web service at Koyeb: what it is made of, making and changing it, how its deployment goes, its address."""

from typing import Any

import msgspec

from krs.errors import Refused
from krs.koyeb.client import KoyebClient
from krs.koyeb.models import App, EnvVar, OneServiceReply, Service


class ConfigFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that Koyeb puts into the container; it is readable by who may read the deployment."""

    path: str
    content: str


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """A disk that outlives the container: its id at Koyeb and where it is mounted."""

    id: str
    path: str


class WebService(msgspec.Struct, frozen=True, kw_only=True):
    """One container that is reached from outside at one port, and is healthy while `health` answers 200."""

    name: str
    region: str
    instance_type: str
    image: str
    entrypoint: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[EnvVar, ...]
    files: tuple[ConfigFile, ...]
    volumes: tuple[Volume, ...]
    port: int
    health: str
    grace: int
    """Seconds after its start before its health counts."""

    def definition(self) -> dict[str, Any]:
        """As Koyeb wants it. One instance: two would be two schedulers."""
        scope = [f"region:{self.region}"]
        check = {"port": self.port, "path": self.health, "method": "GET"}
        found: dict[str, Any] = {
            "name": self.name,
            "type": "WEB",
            "docker": {"image": self.image, "entrypoint": list(self.entrypoint), "args": list(self.args)},
            "env": [{"scopes": scope, **var.body()} for var in self.env],
            "regions": [self.region],
            "instance_types": [{"scopes": scope, "type": self.instance_type}],
            "scalings": [{"scopes": scope, "min": 1, "max": 1}],
            "ports": [{"port": self.port, "protocol": "http"}],
            "routes": [{"port": self.port, "path": "/"}],
            "health_checks": [
                {"grace_period": self.grace, "interval": 30, "restart_limit": 3, "timeout": 5, "http": check}
            ],
            "config_files": [
                {"path": file.path, "permissions": "0644", "content": file.content} for file in self.files
            ],
        }
        if self.volumes:
            found["volumes"] = [{"id": disk.id, "path": disk.path, "scopes": scope} for disk in self.volumes]
        return found


class Deployment(msgspec.Struct, frozen=True):
    """How the newest version of a service does. `status` is Koyeb's word; `definition` what it was made of."""

    id: str
    status: str = ""
    messages: list[str] | None = None
    definition: dict[str, Any] = {}


class DeploymentReply(msgspec.Struct, frozen=True):
    """The answer around one."""

    deployment: Deployment


class WebServices:
    """The web services of an organization."""

    def __init__(self, koyeb: KoyebClient) -> None:
        self._koyeb = koyeb

    async def create(self, app_id: str, web: WebService) -> Service:
        """Start one. Raises `NameTaken` or `QuotaExceeded` beside the usual errors."""
        body = {"app_id": app_id, "name": web.name, "definition": web.definition()}
        return (await self._koyeb.call("POST", "/v1/services", body=body)).decode(OneServiceReply).service.service()

    async def update(self, service_id: str, web: WebService) -> Service:
        """Replace what it is made of; a new deployment follows."""
        path, body = f"/v1/services/{service_id}", {"definition": web.definition()}
        return (await self._koyeb.call("PUT", path, body=body)).decode(OneServiceReply).service.service()

    async def deployment(self, service: Service) -> Deployment | None:
        """Its newest deployment; None while there is none."""
        if not service.latest_deployment_id:
            return None
        try:
            reply = await self._koyeb.call("GET", f"/v1/deployments/{service.latest_deployment_id}")
        except Refused as problem:
            if problem.status != 404:
                raise
            return None
        return reply.decode(DeploymentReply).deployment

    async def delete_app(self, app: App) -> None:
        """Take an app away, with all that is in it."""
        await self._koyeb.call("DELETE", f"/v1/apps/{app.id}")
