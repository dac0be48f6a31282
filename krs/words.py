"""How quantities and lists are written in the sentences of commands and of the doctor."""

from collections.abc import Sequence
from datetime import UTC, datetime


def ago(seconds: float | None) -> str:
    """A span in two units: 41s, 12m41s, 3h05m, 2d04h."""
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    for unit, size, lesser, part in (("d", 86_400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // part:02d}{lesser}"
    return f"{whole}s"


def when(instant: float | None) -> str:
    """An instant of seconds since the epoch, for people: 2026-01-31 14:05:09+00:00."""
    return "-" if instant is None else datetime.fromtimestamp(instant, UTC).isoformat(" ", "seconds")


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 job, 2 jobs, 2 deliveries."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Names with commas; those beyond the first few are counted."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
