"""What of a service is not as it is to be. Pure.

Koyeb adds fields and scopes to what it was given, and may change the order of lists: what we ask for is looked for in
what is there, and what is there beyond that is not minded.
"""

import re
from typing import Any

IGNORED = frozenset({"scopes"})
KEYED = ("key", "path", "port", "id", "type")
"""Fields that tell the rows of a list apart."""


REFERENCE = re.compile(r"\{\{\s*secret\.([\w-]+)\s*\}\}")
"""Koyeb's other way to refer to a secret, into which its control panel turns the one that we use."""


def differences(now: dict[str, Any], wanted: dict[str, Any]) -> tuple[str, ...]:
    """The parts of a definition that differ, by their names in it."""
    changed = [name for name, value in wanted.items() if not _holds(now.get(name), value)]
    gone = [name for name in ("env", "volumes", "config_files") if now.get(name) and not wanted.get(name)]
    return tuple(dict.fromkeys((*changed, *gone)))


def _holds(there: Any, value: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        there = _plain(there) if isinstance(there, dict) else {}
        return all(_holds(there.get(name), inner) for name, inner in value.items() if name not in IGNORED)
    if isinstance(value, list):
        there = there if isinstance(there, list) else []
        return len(there) == len(value) and all(map(_holds, _ordered(there), _ordered(value)))
    return bool(there == value)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose reference to a secret stands where ours does."""
    found = REFERENCE.fullmatch(str(row.get("value", "")))
    return {**row, "secret": found[1]} if found else row


def _ordered(rows: list[Any]) -> list[Any]:
    """Rows of a keyed list by their keys; any other list as it is, since its order means something."""
    if rows and all(isinstance(row, dict) for row in rows):
        return sorted(rows, key=lambda row: [str(row.get(name, "")) for name in KEYED])
    return rows
