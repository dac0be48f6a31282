"""Logging to standard error: a readable line per record, or a JSON object; known secrets are masked in all of it."""

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from krs.secret import Secret

SHORTEST = 4
"""Secrets shorter than this are not masked: they would blacken ordinary words."""


LINE = 32
"""Characters from which a line of a secret of many lines is masked by itself."""


def forms(secret: str) -> Iterator[str]:
    """A secret as it is and as `repr` writes it, and its lines, of which a traceback may quote one."""
    for text in (secret, *(line for line in secret.splitlines() if len(line) >= LINE)):
        yield from (text, repr(text)[1:-1])


class Redacted(logging.Formatter):
    """Formats a record, then masks every known secret in the result, tracebacks included."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        super().__init__()
        known = {form for secret in secrets for form in forms(secret.reveal()) if len(form) >= SHORTEST}
        self._secrets = sorted(known, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return self.line(record, datetime.fromtimestamp(record.created, UTC))

    def masked(self, text: str) -> str:
        """A text without the known secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def line(self, record: logging.LogRecord, at: datetime) -> str:
        """The line, masked."""
        event: Any = getattr(record, "event", None)
        kind = f"{event.kind.value:<21} " if event is not None else ""
        reason = f" ({event.reason.value})" if event is not None and event.reason else ""
        problem = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return self.masked(f"{at:%H:%M:%S} {record.levelname.lower():<7} {kind}{record.getMessage()}{reason}{problem}")


class JsonLines(Redacted):
    """One JSON object a line; an event's fields are spelt out."""

    def line(self, record: logging.LogRecord, at: datetime) -> str:
        """The object; its texts are masked before JSON writes their marks in its own way."""
        row: dict[str, Any] = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        event: Any = getattr(record, "event", None)
        if event is not None:
            names = ("seq", "kind", "reason", "runner", "job", "pool", "repo", "by")
            row |= {name: getattr(event, name) for name in names if getattr(event, name) is not None}
        if record.exc_info:
            row["problem"] = self.formatException(record.exc_info)
        shown = {key: self.masked(value) if isinstance(value, str) else value for key, value in row.items()}
        return json.dumps(shown, ensure_ascii=False)


def set_up(level: str, form: str, secrets: Iterable[Secret]) -> None:
    """Send all logging to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((JsonLines if form == "json" else Redacted)(secrets))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "tornado.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
