"""Many rows in one statement.

Python's sqlite3 takes the interpreter's lock back after every row it steps over. With the loop's thread busy each of
those costs a wait; one statement that takes all rows as one JSON document costs one.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


def bulk_insert(columns: str, count: int) -> str:
    """The statement that inserts (or replaces) rows of `table(columns)`, given as the document of `document`."""
    fields = ", ".join(f"json_extract(value, '$[{index}]')" for index in range(count))
    return f"INSERT OR REPLACE INTO {columns} SELECT {fields} FROM json_each(?)"  # noqa: S608 - our own names


def document(rows: Iterable[tuple[Any, ...]]) -> str:
    """Rows as one JSON document; structs inside them become JSON text in the table."""
    return _encode(list(rows)).decode()
