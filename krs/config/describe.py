"""The settings in words: what `config.example.toml` and the reference page are made of, read from their docstrings."""

import ast
import inspect
from enum import Enum
from pathlib import Path

import msgspec

from krs.config import settings as module
from krs.config.settings import ALIASES, CHOICES, PoolEntry, variable
from krs.config.values import DURATIONS
from krs.secret import Secret

EMPTY = '""'
POOL_EXAMPLE = {
    "label": '"koyeb-fra-*"',
    "repository": '"acme/*"',
    "lifecycle": '"ephemeral"',
    "ttl": '"30m"',
    "max": "4",
    "min_idle": "1",
    "image": '"ghcr.io/acme/runner:1"',
    "extra_labels": '["fast"]',
    "docker": "false",
    "env": '{ HTTP_PROXY = "http://proxy:3128" }',
}
"""Values of an entry of `[[pools]]`, which has no defaults of its own."""


class Setting(msgspec.Struct, frozen=True):
    """One setting. `default` is as written in TOML, empty when there is none."""

    key: str
    text: str
    default: str
    variables: tuple[str, ...]


def tables() -> dict[str, tuple[str, list[Setting]]]:
    """Every table with its own text and its settings, in order."""
    texts = _docstrings()
    found: dict[str, tuple[str, list[Setting]]] = {}
    for name, struct in module.tables().items():
        rows = [
            _setting(f"{name}.{field.name}", texts[struct.__name__, field.name], field.default)
            for field in msgspec.structs.fields(struct)
        ]
        found[name] = (_summary(struct), rows)
    return found


def pool_rows() -> list[tuple[str, str, str]]:
    """Each key of an entry of `[[pools]]` with an example and its text."""
    texts = _docstrings()
    return [(key, value, texts[PoolEntry.__name__, key]) for key, value in POOL_EXAMPLE.items()]


def _summary(struct: type[msgspec.Struct]) -> str:
    return " ".join((struct.__doc__ or "").split())


def _setting(key: str, text: str, default: object) -> Setting:
    aliases = tuple(name for name, target in ALIASES.items() if target == key)
    if key in CHOICES and "`" not in text:
        text = f"{text} One of {', '.join(CHOICES[key])}."
    return Setting(key, text, _toml(key, default), tuple(dict.fromkeys((*aliases, variable(key)))))


def _docstrings() -> dict[tuple[str, str], str]:
    """The text under each field, by class and field."""
    texts: dict[tuple[str, str], str] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for field, text in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                texts[node.name, field.target.id] = str(ast.literal_eval(text.value))
    return texts


def _toml(key: str, default: object) -> str:  # noqa: PLR0911 - one row a type
    match default:
        case None | Secret():
            return ""
        case bool():
            return str(default).lower()
        case Enum():
            return f'"{default.value}"'
        case float() if key in DURATIONS:
            return f'"{span(default)}"'
        case str() | Path():
            return f'"{default}"'
        case tuple():
            return "[]"
        case _:
            return str(default)


def span(seconds: float) -> str:
    """A duration as it is written in the file."""
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds % size == 0 and seconds > size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def example() -> str:
    """`config.example.toml`: every setting with its text and default, commented out."""
    lines = [
        "# krs.toml: every setting with its default. Uncomment what you change.",
        "# Flags beat environment variables, which beat this file. Secrets may be env:NAME or file:PATH.",
    ]
    for name, (text, rows) in tables().items():
        lines += ["", f"# {text}", f"[{name}]"]
        for row in rows:
            lines += [f"# {row.text}", f"#{row.key.partition('.')[2]} = {row.default or EMPTY}"]
    lines += [
        "",
        f"# {_summary(PoolEntry)}",
        "# With examples, not defaults; one such table for each entry.",
        "#[[pools]]",
    ]
    for key, value, text in pool_rows():
        lines += [f"# {text}", f"#{key} = {value}"]
    return "\n".join(lines) + "\n"


def reference() -> str:
    """The body of `docs/reference/configuration.md`."""
    lines: list[str] = []
    for name, (text, rows) in tables().items():
        lines += ["", f"## {name}", "", text, "", "| setting | default | variables | meaning |", "|---|---|---|---|"]
        lines += [_row(row) for row in rows]
    lines += ["", "## pools", "", _summary(PoolEntry), "", "| setting | example | meaning |", "|---|---|---|"]
    lines += [f"| `pools.{key}` | `{value}` | {text} |" for key, value, text in pool_rows()]
    return "\n".join(lines) + "\n"


def _row(row: Setting) -> str:
    default = f"`{row.default}`" if row.default else ""
    variables = ", ".join(f"`{name}`" for name in row.variables)
    return f"| `{row.key}` | {default} | {variables} | {row.text} |"
