"""Writes what is shown to a file: CSV, JSON or text by the file's ending."""

import csv
import io
from pathlib import Path

import msgspec

from tui import format as fmt

Rows = list[dict[str, object]]


def save(stem: str, content: Rows | str, path: str, now: float) -> str:
    """Write a file and say where, or why not. Without a path the name is made of the time, in the working folder."""
    ending = ".txt" if isinstance(content, str) else ".csv"
    target = Path(path).expanduser() if path else Path(f"krs-{stem}-{_stamp(now)}{ending}")
    try:
        with target.open("x", encoding="utf-8", newline="") as file:
            file.write(_text(content, target.suffix))
    except FileExistsError:
        return f"refused: {target} exists already"
    except OSError as problem:
        return f"refused: {target}: {problem.strerror}"
    return f"saved {target.resolve()}"


def _text(content: Rows | str, suffix: str) -> str:
    if isinstance(content, str):
        return content
    if suffix == ".json":
        return msgspec.json.format(msgspec.json.encode(content)).decode() + "\n"
    out = io.StringIO()
    if content:
        writer = csv.DictWriter(out, fieldnames=list(content[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in content)
    return out.getvalue()


def _cell(value: object) -> object:
    """A value for a spreadsheet: text that would be read as a formula is quoted."""
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else value
    return f"'{text}" if isinstance(text, str) and text[:1] in {"=", "+", "-", "@"} else text


def _stamp(now: float) -> str:
    return fmt.date(now).replace("-", "").replace(":", "").replace(" ", "-")
