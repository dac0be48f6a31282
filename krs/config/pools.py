"""`[[pools]]`: reading the entries of the file, and which of them say nothing or can never match.

Entries are counted from 1, as a person counts them; `pools[2].ttl` is the key of a value in messages and origins.
"""

import difflib
import re
import typing
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from krs.config import values
from krs.config.settings import PoolEntry, Settings
from krs.core.vocabulary import Mode

PATTERNS = ("label", "repository")
GLOB = "*?["


def read(
    document: object, text: str, path: object, problems: list[str]
) -> tuple[tuple[PoolEntry, ...], dict[str, str]]:
    """The entries of a file's `pools`, and where each of their values stands; mistakes are added to `problems`."""
    if not isinstance(document, list) or not all(isinstance(entry, dict) for entry in document):
        line = next((n for n, row in enumerate(text.splitlines(), 1) if re.match(r"\s*\[?\s*pools\b", row)), 1)
        problems.append(f"{path}:{line}: pools is a list of tables: begin each entry with [[pools]]")
        return (), {}
    entries: list[PoolEntry] = []
    origins: dict[str, str] = {}
    places = _places(text)
    for number, rows in enumerate(document, 1):
        lines = places[number - 1] if number <= len(places) else {}
        where = {key: f"{path}:{lines.get(key, lines.get('', 1))}" for key in ("", *rows)}
        entries.append(_entry(f"pools[{number}]", rows, where, problems))
        origins |= {_key(f"pools[{number}]", name): place for name, place in where.items()}
    return tuple(entries), origins


def _key(entry: str, name: str) -> str:
    return f"{entry}.{name}" if name else entry


def _places(text: str) -> list[dict[str, int]]:
    """The line of each entry's head (under "") and of its keys."""
    places: list[dict[str, int]] = []
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*(\[\[?)\s*([\w.-]+)", line):
            table = head[2]
            if head[1] == "[[" and table == "pools":
                places.append({"": number})
            elif places and table.startswith("pools."):
                places[-1].setdefault(table.split(".")[1], number)
        elif places and table == "pools" and (found := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*[=.]", line)):
            places[-1].setdefault(found[1], number)
    return places


def _entry(name: str, rows: Mapping[str, object], where: Mapping[str, str], problems: list[str]) -> PoolEntry:
    hints = typing.get_type_hints(PoolEntry)
    fields: dict[str, object] = {}
    for key, value in rows.items():
        if key not in hints:
            close = difflib.get_close_matches(key, hints, n=1, cutoff=0.6)
            near = f"; did you mean {close[0]}?" if close else f": an entry has {', '.join(hints)}"
            problems.append(f"{where[key]}: {name}.{key} is not a setting{near}")
            continue
        try:
            fields[key] = values.parse(f"pools.{key}", hints[key], value)
        except ValueError as problem:
            problems.append(f"{where[key]}: {name}.{key}: {problem}")
    if not set(rows) - set(PATTERNS):
        others = ", ".join(key for key in hints if key not in PATTERNS)
        problems.append(f"{where['']}: {name} sets nothing: give it one of {others}, or take it away")
    return PoolEntry(**fields)  # type: ignore[arg-type]


def warnings(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    """What is allowed and surely not meant: entries that never match, or match more than they say."""
    for number, entry in enumerate(settings.pools, 1):
        where = f"{origins[f'pools[{number}]']}: pools[{number}]"
        earlier = enumerate(settings.pools[: number - 1], 1)
        shadow = next((n for n, other in earlier if _covers(other, entry, settings.github.mode)), None)
        if shadow is not None:
            yield f"{where} never matches: pools[{shadow}] takes all that it speaks of; move it before that one"
        yield from (f"{where} {text}" for text in _odd(entry, settings))


def _odd(entry: PoolEntry, settings: Settings) -> Iterator[str]:
    begin = f"{settings.runners.prefix}-".casefold()
    literal = re.split(r"[*?\[]", entry.label.casefold(), maxsplit=1)[0]
    if not (literal.startswith(begin) or (begin.startswith(literal) and literal != entry.label.casefold())):
        yield f"never matches: labels begin with {begin}, not as in {entry.label!r}"
    owner, slash, repository = entry.repository.partition("/")
    if settings.github.mode is Mode.ORGANIZATION and slash and repository != "*":
        yield f"holds for all repositories of {owner}: in organization mode they share their runners"
    if settings.github.mode is Mode.REPOSITORY and not slash and "*" not in owner:
        yield f"never matches: write {entry.repository}/* for the repositories of {entry.repository}"


def _covers(one: PoolEntry, other: PoolEntry, mode: Mode) -> bool:
    pairs = [(one.label, other.label), (one.repository, other.repository)]
    if mode is Mode.ORGANIZATION:
        pairs[1] = (one.repository.partition("/")[0], other.repository.partition("/")[0])
    return all(_wider(wide.casefold(), narrow.casefold()) for wide, narrow in pairs)


def _wider(wide: str, narrow: str) -> bool:
    """Whether a pattern surely matches all that another one does.

    A star swallows whatever the other pattern may stand for, its stars too. `?` and `[` match one character of a text,
    which says nothing of a pattern, so they count only between equals.
    """
    return wide == narrow or (not set(GLOB[1:]) & set(wide) and fnmatchcase(narrow, wide))
