"""From text to values: durations, sizes, choices, secrets. Each raises `ValueError` with the end of one clear line."""

import os
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import EnumType
from pathlib import Path
from typing import Any

from krs.secret import Secret

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
SIZES = {"": 1, "b": 1, "kib": 1024, "mib": 1024**2, "kb": 1000, "mb": 1000**2}
DURATIONS = frozenset(
    {
        "koyeb.safety_ttl",
        "pools.ttl",
        "runners.ttl",
        "runners.surplus_ttl",
        "runners.idle_confirm",
        "runners.boot_timeout",
        "runners.max_age",
        "state.keep",
    }
)
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")
COUNTS_FROM_ZERO = frozenset({"pools.min_idle", "runners.min_idle", "server.port"})
HIGHEST_PORT = 65_535
OUR_VARIABLES = frozenset({"REPO_URL", "RUNNER_LABELS", "GITHUB_TOKEN", "DISABLE_DOCKER_DAEMON"})
OUR_PREFIXES = ("KRS_", "ACTIONS_RUNNER_INPUT_")
"""Variables of a container that krs, the image or the runner gives a meaning."""


def duration(text: str) -> float:
    """Seconds of `90s`, `10m`, `2h`, `1d`; a bare number is minutes, as it was in the Go program."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is not a duration: write 90s, 10m, 2h or a number of minutes")
    seconds = float(found[1]) * UNITS[found[2] or "m"]
    if seconds <= 0:
        raise ValueError(f"{text!r} must be longer than nothing")
    return seconds


def size(text: str) -> int:
    """Bytes of `5 MiB`, `100 KiB` or a bare number."""
    found = re.fullmatch(r"(\d+)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in SIZES or int(found[1]) == 0:
        raise ValueError(f"{text!r} is not a size: write 5 MiB, 100 KiB or a number of bytes")
    return int(found[1]) * SIZES[found[2]]


def boolean(text: str) -> bool:
    """True or false in the usual spellings."""
    word = text.strip().lower()
    if word not in (*TRUE, *FALSE):
        raise ValueError(f"{text!r} is neither true nor false")
    return word in TRUE


def secret(text: str, environ: Mapping[str, str]) -> Secret:
    """A secret in plain, or by reference: `env:NAME`, `file:PATH`."""
    return Secret(_dereferenced(text, environ))


def token(text: str, environ: Mapping[str, str]) -> Secret:
    """A secret that goes into an HTTP header: without blanks around it, and nothing that a header cannot hold."""
    value = _dereferenced(text, environ).strip()
    if not value.isascii() or not value.isprintable():
        raise ValueError("it holds characters that no token has: copy it again")
    return Secret(value)


def _dereferenced(text: str, environ: Mapping[str, str]) -> str:
    kind, _, name = text.partition(":")
    if kind == "env":
        if name not in environ:
            raise ValueError(f"the environment has no variable {name}")
        return environ[name]
    if kind == "file":
        try:
            return Path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise ValueError(f"the file {name} cannot be read: {problem}") from None
    return text


def whole(key: str, text: str) -> int:
    """A whole number; a port, or a count."""
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None
    lowest = 0 if key in COUNTS_FROM_ZERO else 1
    if number < lowest or (key == "server.port" and number > HIGHEST_PORT):
        raise ValueError(f"{text!r} is out of range")
    return number


def money(text: str) -> float | None:
    """USD an hour, or off."""
    if text.strip().lower() in ("off", ""):
        return None
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not 0 < amount < float("inf"):
        raise ValueError(f"{text!r} is not an amount of USD an hour, or off")
    return amount


def words(text: str) -> tuple[str, ...]:
    """A list, separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def choice(kind: EnumType, text: str) -> Any:  # noqa: ANN401 - a member of that enum
    """A member of an enum by its value."""
    try:
        return kind(text.strip().lower())
    except ValueError:
        names = " nor ".join(str(value) for value in kind._value2member_map_)
        raise ValueError(f"{text!r} is neither {names}") from None


def url(text: str) -> str:
    """An address without a slash at its end."""
    if not re.match(r"https?://[^/\s]+", text):
        raise ValueError(f"{text!r} is not an http:// or https:// address")
    return text.rstrip("/")


def page(text: str) -> str:
    """An address as it is written, or none."""
    return text.strip() if not text.strip() or url(text.strip()) else ""


def image(text: str) -> str:
    """The name of a container image."""
    name = text.strip()
    if not name or re.search(r"\s", name):
        raise ValueError(f"{text!r} is not an image name")
    return name


def app_id(text: str) -> str:
    """The number or the client ID of a GitHub App; empty for none."""
    if not re.fullmatch(r"[A-Za-z0-9.]*", text.strip()):
        raise ValueError(f"{text!r} is neither the App ID nor the client ID of a GitHub App")
    return text.strip()


def variables(table: Mapping[str, object]) -> dict[str, str]:
    """Variables of a container; all that are wrong are named at once."""
    wrong = [problem for name, value in table.items() for problem in _wrong_variable(name, value)]
    if wrong:
        raise ValueError("; ".join(wrong))
    return {name: str(value) for name, value in table.items()}


def _wrong_variable(name: str, value: object) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        yield f"{name!r} cannot name a variable"
    if name.upper() in OUR_VARIABLES or name.upper().startswith(OUR_PREFIXES):
        yield f"{name} is given by krs itself"
    if not isinstance(value, str):
        yield f"{name} is not a text: put it in quotes"


def parse(key: str, hint: Any, value: object, environ: Mapping[str, str] = os.environ) -> Any:  # noqa: ANN401 - the key's type
    """A value of the key's type from text, or from what TOML gave. Raises `ValueError`."""
    if isinstance(value, list):
        if _plain(hint) is not tuple or not all(isinstance(item, str) for item in value):
            raise ValueError("a list of texts does not fit here" if _plain(hint) is not tuple else "not all are texts")
        return tuple(value)
    if (_plain(hint) is dict) is not isinstance(value, dict):
        raise ValueError("a table does not fit here" if isinstance(value, dict) else "write a table of texts")
    if isinstance(value, dict):
        return variables(value)
    if _plain(hint) is str and key != "github.app_id" and not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text: put it in quotes")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _reader(key, hint, environ)(text)


def _plain(hint: Any) -> Any:  # noqa: ANN401 - a type
    """The type itself of `X | None` and `tuple[X, ...]`."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return _plain(next(part for part in typing.get_args(hint) if part is not type(None)))
    return typing.get_origin(hint) or hint


def _reader(key: str, hint: Any, environ: Mapping[str, str]) -> Callable[[str], Any]:  # noqa: ANN401 - a type
    kind = _plain(hint)
    by_key: dict[str, Callable[[str], Any]] = {
        "webhook.max_body": size,
        "webhook.secret": lambda text: secret(text, environ),
        "github.app_id": app_id,
        "github.private_key": lambda text: secret(text, environ),
        "runners.max_hourly_cost": money,
        **dict.fromkeys(DURATIONS, duration),
        **dict.fromkeys(("runners.image", "pools.image"), image),
        **dict.fromkeys(("github.api_url", "github.web_url", "koyeb.api_url"), url),
        "webhook.url": page,
    }
    by_type: dict[Any, Callable[[str], Any]] = {
        bool: boolean,
        int: lambda text: whole(key, text),
        tuple: words,
        Secret: lambda text: token(text, environ),
        Path: lambda text: Path(text).expanduser(),
        str: str.strip,
    }
    if key in by_key:
        return by_key[key]
    return by_type.get(kind) or (lambda text: choice(kind, text))
