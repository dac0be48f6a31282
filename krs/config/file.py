"""A configuration file as text: reading it, where its keys stand, and setting some of them without losing a comment."""

import copy
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

HEAD = re.compile(r"\s*\[+\s*([\w.\"'-]+)")
"""The beginning of a table."""
COMMENTED_HEAD = re.compile(r"\s*#\s*\[")


class Document(msgspec.Struct, frozen=True):
    """A configuration file: where it is, its text, and what it says."""

    path: Path
    text: str
    tables: dict[str, Any]


def read(path: Path) -> Document:
    """Read a file. Raises `ValueError`, one line that names the file and the line where its TOML breaks."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise ValueError(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise ValueError(f"{path}: it is not UTF-8 text: {problem.reason} at byte {problem.start}") from None
    try:
        return Document(path, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as problem:
        raise ValueError(f"{path}:{_broken_line(str(problem), text)}: it is not TOML: {problem}") from None


def _broken_line(problem: str, text: str) -> int:
    """The line that the parser's words name; the last one when it got to the end."""
    found = re.search(r"at line (\d+)", problem)
    return int(found[1]) if found else max(1, len(text.splitlines()))


def line_of(text: str, table: str, name: str) -> int:
    """Where a key stands; its table's line when it is written in some unusual way, 1 when that is not found either.

    An empty `name` asks for the table, an empty `table` for a key outside all tables.
    """
    whole = re.compile(rf"\s*[\"']?{re.escape(table)}[\"']?\s*[.=]") if table else None
    current, fallback = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        if found := HEAD.match(line):
            current = found[1].strip("\"'")
            if current == table or current.startswith(f"{table}."):
                fallback = number
                if not name:
                    break
        elif current == table and re.match(rf"\s*[\"']?{re.escape(name)}[\"']?\s*[=.]", line):
            return number
        elif not current and whole is not None and whole.match(line):
            fallback = number
            if re.match(rf"\s*[\"']?{re.escape(table)}[\"']?\s*\.\s*[\"']?{re.escape(name)}[\"']?\s*[=.]", line):
                return number
    return fallback


def edit(text: str, changes: Mapping[str, object]) -> str:
    """The file with some keys `table.name` set, None for not set; all else, comments too, stays as it is.

    A key that stands there as a comment is written in that place. Raises `ValueError` that names the keys when the file
    is written in a way that cannot be edited line by line.
    """
    lines = text.splitlines()
    for key, value in changes.items():
        table, _, name = key.partition(".")
        _set(lines, table, name, value)
    edited = "\n".join(lines) + "\n"
    if not _says(edited, tomllib.loads(text), changes):
        raise ValueError(f"it is written in a way that cannot be edited: set {', '.join(changes)} in it yourself")
    return edited


def _says(edited: str, before: dict[str, Any], changes: Mapping[str, object]) -> bool:
    """Whether a file says what it said before, with the changes; empty tables say nothing."""
    expected = copy.deepcopy(before)
    for key, value in changes.items():
        table, _, name = key.partition(".")
        rows = expected.setdefault(table, {})
        if not isinstance(rows, dict):
            return False
        rows.pop(name, None)
        if value is not None:
            rows[name] = value
    try:
        found = tomllib.loads(edited)
    except tomllib.TOMLDecodeError:
        return False
    said, wanted = ({name: rows for name, rows in tables.items() if rows != {}} for tables in (found, expected))
    return said == wanted


def _set(lines: list[str], table: str, name: str, value: object) -> None:
    written = [] if value is None else [f"{name} = {_toml(value)}"]
    heads = [number for number, line in enumerate(lines) if re.match(rf"\s*\[\s*{re.escape(table)}\s*\]", line)]
    if not heads:
        lines += ["", f"[{table}]", *written] if written else []
        return
    first = heads[0] + 1
    rest = range(first, len(lines))
    last = next((n for n in rest if HEAD.match(lines[n]) or COMMENTED_HEAD.match(lines[n])), len(lines))
    key = rf"[\"']?{re.escape(name)}[\"']?\s*="
    given = next((n for n in range(first, last) if re.match(rf"\s*{key}", lines[n])), None)
    commented = next((n for n in range(first, last) if re.match(rf"\s*#\s*{key}", lines[n])), None)
    if given is not None:
        end = _end_of(lines, given, last)
        lines[given:end] = written or [f"#{line}" for line in lines[given:end]]
    elif commented is not None:
        lines[commented : commented + 1] = written or lines[commented : commented + 1]
    else:
        lines[first:first] = written


def _end_of(lines: list[str], first: int, last: int) -> int:
    """Where a value that may take several lines ends."""
    for end in range(first + 1, last + 1):
        try:
            tomllib.loads("\n".join(lines[first:end]))
        except tomllib.TOMLDecodeError:
            continue
        return end
    return first + 1


def _toml(value: object) -> str:
    """A value on one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return tomli_w.dumps({"value": value}).partition("=")[2].strip()
