"""A simulated Koyeb: apps, services and their deployments, with statuses that change over time."""

import math
import random
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from krs.core.catalog import Catalog
from krs.koyeb.catalog import fallback
from krs.sim.agenda import Agenda
from krs.sim.moods import Moods

ORGANIZATION = "5b3f4c9e-3a41-4b0e-9a35-1d0a6e9c2f10"
PULL = (3.0, 15.0)
"""Seconds from a service's creation to its container's start, at least and at most."""
STOP = (1.0, 5.0)
NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
"""What an app may be called, as Koyeb's console has it."""


class Failure(Exception):
    """An answer that is an error, in Koyeb's shape."""

    def __init__(self, status: int, code: str, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"status": status, "code": code, "message": message}
        if fields:
            self.body["fields"] = [{"field": name, "description": text} for name, text in fields.items()]


class Service(msgspec.Struct):
    """A service and the container it runs."""

    id: str
    app_id: str
    name: str
    definition: dict[str, Any]
    created_at: float
    status: str = "STARTING"
    delete_after_create: int = 0
    deleted_at: float | None = None
    deployment_id: str = ""
    log: list[tuple[float, str]] = []
    env: dict[str, str] = {}
    """The container's environment, once it was started."""


def rfc3339(instant: float) -> str:
    """A time as both APIs write it."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Cloud:
    """The state. `booted` and `stopped` tell the other side of the simulation about containers."""

    def __init__(self, agenda: Agenda, dice: random.Random) -> None:
        self.agenda = agenda
        self.moods = Moods()
        self.apps: dict[str, str] = {}
        self.services: dict[str, Service] = {}
        self.secrets: dict[str, tuple[str, str]] = {}
        """Id and value by name."""
        self.created = 0
        self.deleted = 0
        self.booted: Callable[[Service], None] = lambda service: None  # noqa: ARG005 - replaced by who listens
        self.stopped: Callable[[Service], None] = lambda service: None  # noqa: ARG005 - replaced by who listens
        self._dice = dice

    def catalog(self) -> Catalog:
        """What is sold: the table that krs falls back to."""
        return fallback()

    def alive(self) -> list[Service]:
        """Services that are not deleted."""
        return [service for service in self.services.values() if service.deleted_at is None]

    def create_app(self, name: str) -> str:
        """A new app's id."""
        if not NAME.fullmatch(name):
            raise Failure(400, "invalid_argument", "Validation error", {"name": "is not a valid name"})
        if name in (*self.apps, *self.moods.koyeb_taken):
            raise Failure(400, "invalid_argument", "Validation error", {"name": "already exists"})
        self.apps[name] = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
        return self.apps[name]

    def create_service(self, body: dict[str, Any]) -> Service:
        """A new service; its container starts after the image was pulled."""
        if body.get("app_id") not in self.apps.values():
            raise Failure(400, "invalid_argument", "Validation error", {"app_id": "is not an app"})
        service = self.planned(body)
        self.services[service.id] = service
        self.created += 1
        self.agenda.after(self._dice.uniform(*PULL), lambda: self._boot(service))
        self._plan_end(service)
        return service

    def planned(self, body: dict[str, Any]) -> Service:
        """A service as it would be, in whatever app. Raises `Failure` when it could not be made."""
        name, definition = body.get("name") or "", body["definition"]
        self._check(body, name, definition)
        return Service(
            id=str(uuid.UUID(int=self._dice.getrandbits(128), version=4)),
            app_id=body["app_id"],
            name=name,
            definition=definition,
            created_at=self.agenda.now(),
            delete_after_create=int((body.get("life_cycle") or {}).get("delete_after_create") or 0),
            deployment_id=str(uuid.UUID(int=self._dice.getrandbits(128), version=4)),
        )

    def _check(self, body: dict[str, Any], name: str, definition: dict[str, Any]) -> None:
        if any(service.name == name and service.app_id == body["app_id"] for service in self.alive()):
            raise Failure(400, "invalid_argument", "Validation error", {"name": "already exists"})
        if len(self.alive()) >= self.moods.quota:
            raise Failure(
                400, "invalid_argument", f"You cannot have more than {self.moods.quota} services due to your quota."
            )
        if self.moods.koyeb_no_plan:
            text = "not available with current plan"
            raise Failure(400, "invalid_argument", "Validation error", {"definition.instance_types": text})
        if self.moods.life_cycle_refused and body.get("life_cycle"):
            raise Failure(
                400, "invalid_argument", "Validation error", {"life_cycle.delete_after_create": "not allowed"}
            )
        kinds = self.catalog().instance_types
        for row in definition.get("instance_types", []):
            if row["type"] not in kinds:
                raise Failure(400, "invalid_argument", "Validation error", {"definition.instance_types": "unknown"})

    def _boot(self, service: Service) -> None:
        if service.deleted_at is not None or service.status != "STARTING":
            return
        rows = service.definition.get("env", [])
        if any(row.get("secret", "") not in ("", *self.secrets) for row in rows):
            service.status = "ERROR"
            return
        service.env = {
            row["key"]: self.secrets[row["secret"]][1] if row.get("secret") else row.get("value", "") for row in rows
        }
        service.status = "HEALTHY"
        self.booted(service)

    def _plan_end(self, service: Service) -> None:
        """Koyeb's own deletion, at the moment that holds when it comes."""
        if not service.delete_after_create:
            return

        def end() -> None:
            due = service.created_at + service.delete_after_create
            if service.deleted_at is None and service.delete_after_create and self.agenda.now() >= due - 0.5:
                self.delete_service(service.id)

        self.agenda.after(max(0.0, service.created_at + service.delete_after_create - self.agenda.now()), end)

    def delete_service(self, service_id: str) -> None:
        """Stop the container at once; the service is shown as deleting for a while."""
        service = self.find(service_id)
        if service.status == "DELETING":
            return
        service.status = "DELETING"
        self.stopped(service)
        self.agenda.after(self._dice.uniform(*STOP), lambda: self._deleted(service))

    def _deleted(self, service: Service) -> None:
        service.status, service.deleted_at = "DELETED", self.agenda.now()
        self.deleted += 1

    def redefine(self, service_id: str, definition: dict[str, Any]) -> Service:
        """Replace what a service is made of: its container starts anew."""
        service = self.find(service_id)
        service.definition, service.status = definition, "STARTING"
        service.deployment_id = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
        self.agenda.after(self._dice.uniform(*PULL), lambda: self._boot(service))
        return service

    def delete_app(self, app_id: str) -> None:
        """Take an app away, and its services with it. Raises `Failure` (404)."""
        name = next((name for name, key in self.apps.items() if key == app_id), None)
        if name is None:
            raise Failure(404, "unknown_resource", "App not found")
        for service in self.alive():
            if service.app_id == app_id:
                self.delete_service(service.id)
        self.apps.pop(name)

    def find(self, service_id: str) -> Service:
        """A service that is not deleted. Raises `Failure` (404)."""
        service = self.services.get(service_id)
        if service is None or service.deleted_at is not None:
            raise Failure(404, "unknown_resource", "Service not found")
        return service

    def say(self, service_id: str, text: str) -> None:
        """A container writes a line."""
        service = self.services.get(service_id)
        if service is not None:
            service.log.append((self.agenda.now(), text))

    def set_life_cycle(self, service_id: str, seconds: int) -> Service:
        """Another end."""
        service = self.find(service_id)
        service.delete_after_create = seconds
        self._plan_end(service)
        return service

    def cost(self) -> float:
        """USD that all services cost so far."""
        prices = self.catalog()
        total = 0.0
        for service in self.services.values():
            end = service.deleted_at if service.deleted_at is not None else self.agenda.now()
            kind = service.definition["instance_types"][0]["type"]
            total += (end - service.created_at) / 3600 * (prices.price(kind) or 0.0)
        return math.ceil(total * 10_000) / 10_000
