"""Standing warnings: what an operator should mend, said once in the log and shown as long as it holds."""

import logging

log = logging.getLogger(__name__)


class Notices:
    """Warnings by key; a later one of the same key replaces the earlier."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def warn(self, key: str, text: str) -> None:
        """Say it once, show it from now on."""
        if self._texts.get(key) != text:
            log.warning("%s", text)
        self._texts[key] = text

    def clear(self, key: str) -> None:
        """It holds no longer."""
        self._texts.pop(key, None)

    def texts(self) -> tuple[str, ...]:
        """What holds now."""
        return tuple(self._texts.values())
