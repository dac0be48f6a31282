"""What the daemon's service is to be, as a function of the settings. Pure.

The settings go into a file in the container, and each secret into a Koyeb secret that a variable refers to: whoever
may read the deployment reads no secret, and a change of either is a change of the definition.
"""

import hashlib
import json
import re
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from krs.config.describe import span
from krs.config.settings import PoolEntry, Settings, keys, tables, variable
from krs.config.values import DURATIONS
from krs.core.names import LIMIT, RUNNER_PREFIX, digest
from krs.koyeb.models import EnvVar
from krs.koyeb.web import ConfigFile, Volume, WebService
from krs.secret import Secret

PORT = 8000
FOLDER = "/var/lib/krs"
"""Where the image keeps the state file, and where a volume is mounted."""
FILE = "/etc/krs/krs.toml"
GRACE = 60
NOT_THERE = frozenset({"server.host", "server.port", "state.path", "webhook.disable_auth"})
"""Settings of this machine, which are not those of the container."""
SECRET_KEYS = tuple(
    f"{table}.{field.name}"
    for table, struct in tables().items()
    for field in msgspec.structs.fields(struct)
    if isinstance(field.default, Secret)
)
"""The settings that hold secrets."""
NAME_START = 40
"""Characters that a name which is too long keeps of its beginning."""
INTERPOLATED = "{{"
"""Koyeb replaces what stands in such braces, in files too."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What is chosen for the deployment: names at Koyeb, the container image, where and on what it runs."""

    app: str
    service: str
    image: str
    region: str
    instance_type: str
    volume: str = ""
    """The id of a Koyeb volume; without one the state file ends with the container."""


class Wanted(msgspec.Struct, frozen=True):
    """The service, and the values of the secrets that it refers to, by name."""

    service: WebService
    secrets: dict[str, Secret]


def wanted(settings: Settings, choice: Choice) -> Wanted:
    """What is to be at Koyeb. Raises `ValueError` for a runner's name, or a setting that Koyeb would change."""
    if choice.service.startswith(RUNNER_PREFIX):
        raise ValueError(f"--service {choice.service}: names that begin with {RUNNER_PREFIX} are those of runners")
    given = {key: getattr(getattr(settings, key.partition(".")[0]), key.partition(".")[2]) for key in keys()}
    secret = {key: value for key, value in given.items() if isinstance(value, Secret) and value}
    names = {key: secret_name(choice.app, choice.service, key) for key in secret}
    values = {names[key]: value for key, value in secret.items()}
    plain = {key: value for key, value in given.items() if not isinstance(value, Secret) and key not in NOT_THERE}
    text = f"# The secrets: {_fingerprint(values)}\n{_toml(plain, settings.pools)}"
    if INTERPOLATED in text:
        raise ValueError(f"a setting holds {INTERPOLATED}, which Koyeb would replace: write it another way")
    return Wanted(
        WebService(
            name=choice.service,
            region=choice.region,
            instance_type=choice.instance_type,
            image=choice.image,
            entrypoint=("krs",),
            args=("daemon", "--config", FILE, "--port", str(PORT), "--state", f"{FOLDER}/state.db"),
            env=tuple(EnvVar(key=variable(key), secret=name) for key, name in sorted(names.items())),
            files=(ConfigFile(path=FILE, content=text),),
            volumes=(Volume(id=choice.volume, path=FOLDER),) if choice.volume else (),
            port=PORT,
            health="/healthz",
            grace=GRACE,
        ),
        values,
    )


def secret_name(app: str, service: str, key: str) -> str:
    """The name of a setting's Koyeb secret: of `[a-z0-9-]`, at most 63, one for each service of each app."""
    name = re.sub(r"[^a-z0-9-]+", "-", f"{app}-{service}-{key}".casefold())
    return name if len(name) <= LIMIT else f"{name[:NAME_START]}-{digest(name, 12)}"


def _fingerprint(secrets: dict[str, Secret]) -> str:
    """Changes with any secret. The keys of two clouds are in it, so that no weak one can be guessed from it."""
    content = json.dumps(sorted((name, secret.reveal()) for name, secret in secrets.items()))
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _toml(plain: dict[str, Any], pools: tuple[PoolEntry, ...]) -> str:
    """The settings that are not as they are by default."""
    default = Settings()
    found: dict[str, Any] = {}
    for key, value in plain.items():
        table, _, name = key.partition(".")
        if value is not None and value != getattr(getattr(default, table), name):
            found.setdefault(table, {})[name] = _value(key, value)
    if pools:
        found["pools"] = [_entry(entry) for entry in pools]
    return tomli_w.dumps(found)


def _entry(entry: PoolEntry) -> dict[str, Any]:
    blank = PoolEntry()
    given = {name: getattr(entry, name) for name in entry.__struct_fields__}
    return {name: _value(f"pools.{name}", value) for name, value in given.items() if value != getattr(blank, name)}


def _value(key: str, value: Any) -> Any:  # noqa: ANN401 - any setting's type
    match value:
        case Enum():
            return value.value
        case Path():
            return str(value)
        case tuple():
            return list(value)
        case float() if key in DURATIONS:
            return span(value)
        case _:
            return value
