"""Bringing the sources together; every mistake is found at once, each as one line that says where it stands."""

import difflib
import ipaddress
import re
import typing
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from krs.config import pools, values
from krs.config.file import Document, line_of
from krs.config.file import read as read_file
from krs.config.settings import ALIASES, CHOICES, INVERTED, OTHER_VARIABLES, PoolEntry, Settings, keys, tables, variable
from krs.core.vocabulary import Credential, Lifecycle, Mode

SHORTEST_TOKEN = 16
DEFAULT_FILE = Path("krs.toml")


class ConfigError(Exception):
    """The configuration is wrong; `problems` are one line each, and so is what a daemon would `lack` beside them."""

    def __init__(self, problems: list[str], lacks: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.lacks = lacks


class Given(msgspec.Struct, frozen=True):
    """A value somebody gave, and where: `--port`, `KRS_SERVER_PORT`, `krs.toml:3`."""

    value: object
    where: str


class Loaded(msgspec.Struct, frozen=True):
    """The settings, and for each key where its value comes from (`default` when nobody gave one).

    Origins know the entries of `[[pools]]` too: `pools[1]` and `pools[1].ttl`. `warnings` are one line each.
    """

    settings: Settings
    origins: dict[str, str]
    warnings: tuple[str, ...] = ()


def load(
    flags: Mapping[str, str | Given], environ: Mapping[str, str], path: Path | None = None, *, new: bool = False
) -> Loaded:
    """Read every source. `flags` map keys to text, or to text and the flag's name. Raises `ConfigError` with all wrong.

    Completeness is not asked here: what a daemon needs is `missing`. A file that is named must exist, unless it may be
    `new`.
    """
    problems: list[str] = []
    named = path is not None or bool(environ.get("KRS_CONFIG"))
    document = _document(path_of(environ, path), problems, required=named and not new)
    entries: tuple[PoolEntry, ...] = ()
    places: dict[str, str] = {}
    if document is not None and "pools" in document.tables:
        entries, places = pools.read(document.tables["pools"], document.text, document.path, problems)
    given = dict(_from_file(document, problems)) if document is not None else {}
    given |= dict(_from_environment(environ, problems))
    given |= {key: value if isinstance(value, Given) else Given(value, _flag(key)) for key, value in flags.items()}
    settings = replace(_build(given, environ, problems), pools=entries)
    problems += _contradictions(settings, given)
    problems += _credentials(settings, {key: value.where for key, value in given.items()} | places)
    if problems:
        raise ConfigError(problems, missing(settings, given))
    origins = {key: given[key].where if key in given else "default" for key in keys()} | places
    warnings = (*_idle_patterns(settings, origins), *pools.warnings(settings, origins))
    return Loaded(settings, origins, warnings)


def _idle_patterns(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    """An owner alone is no repository: as `allow` it would serve nobody, as `deny` it would keep nobody out."""
    for key, patterns in (("github.allow", settings.github.allow), ("github.deny", settings.github.deny)):
        for pattern in patterns:
            if not set(pattern) & set("/*?["):
                yield f"{origins[key]}: {key} {pattern!r} matches no repository: write {pattern}/*"


def _flag(key: str) -> str:
    return f"--{key.rpartition('.')[2].replace('_', '-')}"


def missing(settings: Settings, given: Collection[str] = ()) -> list[str]:
    """What a daemon cannot do without, one line each; keys that were `given` some value are not missing."""
    lacks = []
    if not settings.koyeb.token and "koyeb.token" not in given:
        lacks.append("koyeb.token is missing: set KOYEB_TOKEN to an API key of your Koyeb organization")
    if not settings.github.token and not settings.github.app_id and not {"github.token", "github.app_id"} & set(given):
        lacks.append(
            "github.token is missing: set GITHUB_TOKEN to a token that may administer runners, "
            "or github.app_id and github.private_key to those of a GitHub App"
        )
    if not settings.webhook.secret and not settings.webhook.disable_auth and "webhook.secret" not in given:
        lacks.append("webhook.secret is missing or empty: set API_SECRET to the secret of your GitHub webhook")
    return lacks


def path_of(environ: Mapping[str, str], path: Path | None) -> Path:
    """The file that is meant: the one that is named, or the one that may lie in this folder."""
    return path or Path(environ.get("KRS_CONFIG") or DEFAULT_FILE)


def _document(path: Path, problems: list[str], *, required: bool) -> Document | None:
    """What the file says; the one named must exist, the one that merely may be there need not."""
    if not path.exists():
        if required:
            problems.append(f"{path}: there is no such file")
        return None
    try:
        return read_file(path)
    except ValueError as problem:
        problems.append(str(problem))
        return None


def _from_file(document: Document, problems: list[str]) -> Iterator[tuple[str, Given]]:
    path, text, known = document.path, document.text, keys()
    for table, rows in document.tables.items():
        if table == "pools":
            continue
        if not isinstance(rows, dict):
            place = line_of(text, table, "") if table in tables() else line_of(text, "", table)
            problems.append(f"{path}:{place}: {_no_table(table, rows, known)}")
            continue
        if table not in tables() and not rows:
            where = f"{path}:{line_of(text, table, '')}"
            problems.append(f"{where}: {table} is not a table of settings{_near(table, tables())}")
        for name, value in rows.items():
            key, where = f"{table}.{name}", f"{path}:{line_of(text, table, name)}"
            if key in known:
                yield key, Given(value, where)
            else:
                problems.append(f"{where}: {key} is not a setting{_near(key, known)}")


def _no_table(name: str, value: object, known: Mapping[str, object]) -> str:
    """What stands where a table should."""
    if name in tables():
        written = f"[[{name}]]" if isinstance(value, list) else name
        return f"{written} is no table: begin it with [{name}]"
    bare = {key.partition(".")[2]: key for key in known}
    close = difflib.get_close_matches(name, bare, n=1, cutoff=0.8)
    meant = " or ".join(key for key in known if close and key.endswith(f".{close[0]}"))
    return f"{name} stands outside a table{f'; did you mean {meant}?' if meant else _near(name, known)}"


def _near(key: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> Iterator[tuple[str, Given]]:
    own = {variable(key): key for key in keys()}
    for name, key in ALIASES.items():
        if environ.get(name):
            yield key, Given(_inverted(name, environ[name], problems), name)
    for name, key in own.items():
        if environ.get(name) and name not in ALIASES:
            yield key, Given(environ[name], name)
    unknown = {name for name in environ if name.startswith("KRS_")} - own.keys() - ALIASES.keys() - OTHER_VARIABLES
    problems.extend(f"{name} is not a setting{_near(name, {**own, **ALIASES})}" for name in sorted(unknown))


def _inverted(name: str, text: str, problems: list[str]) -> str:
    if name not in INVERTED:
        return text
    try:
        return str(not values.boolean(text)).lower()
    except ValueError as problem:
        problems.append(f"{name}: {problem}")
        return "true"


def _build(given: Mapping[str, Given], environ: Mapping[str, str], problems: list[str]) -> Settings:
    found: dict[str, dict[str, Any]] = {}
    for key, struct in keys().items():
        if key not in given:
            continue
        table, _, name = key.partition(".")
        try:
            value = values.parse(key, typing.get_type_hints(struct)[name], given[key].value, environ)
            if key in CHOICES and value not in CHOICES[key]:
                raise ValueError(f"{value!r} is none of {', '.join(CHOICES[key])}")  # noqa: TRY301 - one message for both
        except ValueError as problem:
            problems.append(f"{given[key].where}: {key}: {problem}")
            continue
        found.setdefault(table, {})[name] = value
    filled: dict[str, Any] = {name: struct(**found[name]) for name, struct in tables().items() if name in found}
    return Settings(**filled)


def _contradictions(settings: Settings, given: Mapping[str, Given]) -> Iterator[str]:
    for key, token in (("admin.token", settings.admin.token), ("admin.read_token", settings.admin.read_token)):
        if token and len(token.reveal()) < SHORTEST_TOKEN:
            yield f"{given[key].where}: {key} must have at least {SHORTEST_TOKEN} characters"
    if settings.admin.token and settings.admin.token == settings.admin.read_token:
        yield "admin.token and admin.read_token must differ"
    if settings.webhook.disable_auth and not is_loopback(settings.server.host):
        where = given["webhook.disable_auth"].where
        yield f"{where}: unsigned deliveries are accepted only on a loopback address: set server.host to 127.0.0.1"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", settings.runners.prefix):
        yield f"{given['runners.prefix'].where}: runners.prefix: {settings.runners.prefix!r} cannot begin a label"
    github = settings.github
    for scope in github.scopes:
        if ("/" in scope) is not (github.mode is Mode.REPOSITORY):
            yield f"{given['github.scopes'].where}: github.scopes: {scope!r} does not go with mode {github.mode.value}"
    if bool(github.app_id) is not bool(github.private_key):
        one, other = ("app_id", "private_key") if github.app_id else ("private_key", "app_id")
        yield f"{given[f'github.{one}'].where}: github.{one} needs github.{other} beside it"
    if github.app_id and github.token:
        both = f"{given['github.token'].where}, {given['github.app_id'].where}"
        yield f"{both}: both github.token and github.app_id are set: take one of them away"


def _credentials(settings: Settings, where: Mapping[str, str]) -> Iterator[str]:
    """Credentials that cannot start a runner of that kind, or that nobody has."""
    credential, runners = settings.runners.credential, settings.runners
    if credential is None:
        return
    begin = f"{where['runners.credential']}: runners.credential: {credential.value}"
    if credential is Credential.GITHUB_TOKEN and settings.github.app_id:
        yield f"{begin} needs github.token, and a GitHub App has none to give: leave runners.credential out"
    unfit = {Credential.JIT: Lifecycle.REUSABLE, Credential.GITHUB_TOKEN: Lifecycle.EPHEMERAL}.get(credential)
    found = {f"pools[{number}].lifecycle": entry.lifecycle for number, entry in enumerate(settings.pools, 1)}
    for key, lifecycle in {"runners.lifecycle": runners.lifecycle, **found}.items():
        if unfit is not None and lifecycle is unfit:
            at = f" ({where[key]})" if key in where else ""
            yield f"{begin} cannot start runners of {key} {unfit.value}{at}: leave runners.credential out"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
