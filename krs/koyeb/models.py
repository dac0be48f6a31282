"""What Koyeb sends and is sent.

Replies are read tolerantly: fields may be absent or null, enums may grow, 64-bit integers may be strings, fields we do
not know are ignored. What we send is exact (checked against the OpenAPI description in the tests).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from krs.core.catalog import Catalog, InstanceType


def epoch(text: str | None) -> float:
    """Seconds since the epoch of an RFC 3339 time; 0 when it is missing or not one."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else 0.0
    except ValueError:
        return 0.0


def integer(value: int | str | None) -> int:
    """An integer that Koyeb may send as a string; 0 when it is missing or not one."""
    return whole(value) or 0


def whole(value: int | str | None) -> int | None:
    """An integer that Koyeb may send as a string; None when it is missing or not one."""
    try:
        return int(value) if value is not None else None
    except ValueError:
        return None


PAGE = 100
"""Koyeb's largest page."""


class Domain(msgspec.Struct, frozen=True):
    """A name under which an app is reached from outside."""

    name: str = ""
    status: str = ""


class App(msgspec.Struct, frozen=True):
    """An app; `organization_id` is the only known way to learn whose token this is."""

    id: str
    name: str | None = None
    organization_id: str | None = None
    domains: list[Domain] | None = None


class LifeCycle(msgspec.Struct, frozen=True):
    """Koyeb's own end of a service, in seconds after its creation."""

    delete_after_create: int | str | None = None


class ServiceReply(msgspec.Struct, frozen=True):
    """A service as Koyeb sends it, in lists and alone."""

    id: str
    name: str | None = None
    app_id: str | None = None
    status: str | None = None
    created_at: str | None = None
    latest_deployment_id: str | None = None
    messages: list[str] | None = None
    life_cycle: LifeCycle | None = None

    def service(self) -> "Service":
        """The same without holes; a missing status is no proof of any, so it reads UNKNOWN."""
        return Service(
            id=self.id,
            name=self.name or "",
            app_id=self.app_id or "",
            status=self.status or "UNKNOWN",
            created_at=epoch(self.created_at),
            latest_deployment_id=self.latest_deployment_id or "",
            delete_after_create=integer(self.life_cycle.delete_after_create) if self.life_cycle else 0,
            messages=tuple(self.messages or ()),
        )


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service. `created_at` in seconds since the epoch, `delete_after_create` in seconds, 0 when off."""

    id: str
    name: str
    app_id: str
    status: str
    created_at: float
    latest_deployment_id: str = ""
    delete_after_create: int = 0
    messages: tuple[str, ...] = ()


class PageReply(msgspec.Struct, frozen=True):
    """What the pages of all lists share; the catalog's and the instances' have no `has_next`."""

    count: int | str | None = None
    has_next: bool | None = None

    @property
    def rows(self) -> Sequence[object]:
        """What is on this page: the one list that each kind of page adds to the fields here."""
        return getattr(self, self.__struct_fields__[-1]) or ()

    def more(self, read: int, rows: int) -> bool:
        """Whether another page follows `read` rows, `rows` of them on this page."""
        total = whole(self.count)
        if total is None and self.has_next is None:
            return rows >= PAGE
        return bool(self.has_next) or (total is not None and read < total)


class AppsReply(PageReply, frozen=True):
    """One page of apps."""

    apps: list[App] | None = None


class AppReply(msgspec.Struct, frozen=True):
    """One app."""

    app: App


class ServicesReply(PageReply, frozen=True):
    """One page of services."""

    services: list[ServiceReply] | None = None


class OneServiceReply(msgspec.Struct, frozen=True):
    """One service."""

    service: ServiceReply


class Instance(msgspec.Struct, frozen=True):
    """One container of a service; a restart is another one. `messages` say why it failed, if it did."""

    id: str
    status: str | None = None
    region: str | None = None
    created_at: str | None = None
    messages: list[str] | None = None


class InstancesReply(PageReply, frozen=True):
    """One page of instances."""

    instances: list[Instance] | None = None


class EnvReply(msgspec.Struct, frozen=True):
    """One variable of a definition."""

    key: str = ""
    value: str | None = None


class DefinitionReply(msgspec.Struct, frozen=True):
    """A definition, as far as it tells whose runner it is."""

    env: list[EnvReply] | None = None


class DeploymentBody(msgspec.Struct, frozen=True):
    """A deployment, as far as it holds a definition."""

    definition: DefinitionReply | None = None


class DeploymentReply(msgspec.Struct, frozen=True):
    """One deployment."""

    deployment: DeploymentBody


class Definition(msgspec.Struct, frozen=True):
    """The plain environment of a service's container; references to secrets are left out."""

    env: dict[str, str]


class CatalogRow(msgspec.Struct, frozen=True):
    """One instance type as Koyeb sends it; prices are decimal strings in USD."""

    id: str
    status: str | None = None
    regions: list[str] | None = None
    service_types: list[str] | None = None
    price_hourly: str | float | None = None
    price_per_second: str | float | None = None
    vcpu_shares: float | None = None
    memory: str | None = None

    def instance_type(self) -> InstanceType:
        """The same for the core. `free` is sold to web services only, whatever the list says."""
        worker = self.service_types is None or not self.service_types or "worker" in self.service_types
        return InstanceType(
            id=self.id.casefold(),
            regions=frozenset(region.casefold() for region in self.regions or ()),
            worker=worker and self.id.casefold() != "free",
            price_hourly=self._price(),
            vcpu=f"{self.vcpu_shares:g}" if self.vcpu_shares else "",
            memory=self.memory or "",
        )

    def _price(self) -> float | None:
        for value, factor in ((self.price_hourly, 1.0), (self.price_per_second, 3600.0)):
            try:
                price = float(value) if value is not None else 0.0
            except ValueError:
                continue
            if price > 0:
                return round(price * factor, 6)
        return 0.0 if self.id.casefold() == "free" else None


class CatalogReply(PageReply, frozen=True):
    """One page of instance types."""

    instances: list[CatalogRow] | None = None


class RegionRow(msgspec.Struct, frozen=True):
    """One region as Koyeb sends it."""

    id: str
    status: str | None = None


class RegionsReply(PageReply, frozen=True):
    """One page of regions."""

    regions: list[RegionRow] | None = None


NOT_SOLD = frozenset({"COMING_SOON"})


def catalog_of(rows: list[CatalogRow], regions: list[RegionRow], as_of: str) -> Catalog:
    """The catalog of what is sold now; RESTRICTED rows stay, since the plan decides about them."""
    kinds = [row.instance_type() for row in rows if row.status not in NOT_SOLD]
    return Catalog(
        regions=frozenset(row.id.casefold() for row in regions if row.status not in NOT_SOLD),
        instance_types={kind.id: kind for kind in kinds},
        as_of=as_of,
    )


class EnvVar(msgspec.Struct, frozen=True, kw_only=True):
    """One variable of a container."""

    key: str
    value: str = ""
    secret: str = ""
    """The name of a Koyeb secret that holds the value."""
    credential: bool = False
    """Whether the value is cut out of what Koyeb says about it."""

    def body(self) -> dict[str, str]:
        """As Koyeb wants it."""
        return {"key": self.key, "secret": self.secret} if self.secret else {"key": self.key, "value": self.value}

    def __repr__(self) -> str:
        """The key alone: a value may be a credential."""
        return f"EnvVar(key={self.key!r}, value=***)"


class RunnerService(msgspec.Struct, frozen=True, kw_only=True):
    """The service that Koyeb is asked to run. An empty entrypoint leaves the image its own."""

    name: str
    region: str
    instance_type: str
    image: str
    privileged: bool
    entrypoint: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[EnvVar, ...]
    delete_after_create: int | None

    def body(self, app_id: str) -> dict[str, Any]:
        """The body of `POST /v1/services`.

        The name stands twice since `definition.name` is deprecated but read by older servers. One instance, never
        scaled: capacity is named services. The private network is off, so that jobs cannot reach each other.
        """
        scope = [f"region:{self.region}"]
        docker: dict[str, Any] = {"image": self.image, "privileged": self.privileged}
        if self.entrypoint:
            docker |= {"entrypoint": list(self.entrypoint), "args": list(self.args)}
        definition = {
            "name": self.name,
            "type": "WORKER",
            "docker": docker,
            "env": [{"scopes": scope, **var.body()} for var in self.env],
            "regions": [self.region],
            "instance_types": [{"scopes": scope, "type": self.instance_type}],
            "scalings": [{"scopes": scope, "min": 1, "max": 1}],
            "mesh": "DEPLOYMENT_MESH_DISABLED",
        }
        body: dict[str, Any] = {"app_id": app_id, "name": self.name, "definition": definition}
        if self.delete_after_create is not None:
            body["life_cycle"] = {"delete_after_create": self.delete_after_create}
        return body


class SecretRow(msgspec.Struct, frozen=True):
    """A secret, without its value."""

    id: str
    name: str


class SecretReply(msgspec.Struct, frozen=True):
    """One secret."""

    secret: SecretRow


class SecretsReply(PageReply, frozen=True):
    """One page of secrets."""

    secrets: list[SecretRow] | None = None
