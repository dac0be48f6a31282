"""A state file that cannot be written: said once where operators look, and taken back when it can be again."""

import logging
from collections.abc import Callable

from krs.core.model import Event, Instant
from krs.core.vocabulary import EventKind, Level
from krs.daemon.notices import Notices
from krs.store import StoreError

log = logging.getLogger(__name__)


class DiskWatch:
    """Hears of the store's trouble and of its end. `problem` is what holds now, empty when nothing does.

    The journal gets both events once there is room for them; `show` tells the metrics whether the file can be written.
    """

    def __init__(
        self,
        *,
        now: Callable[[], Instant],
        notices: Notices,
        note: Callable[[Event], None],
        show: Callable[[bool], None],
    ) -> None:
        self.problem = ""
        self._now = now
        self._notices = notices
        self._note = note
        self._show = show
        self._since = Instant(0)

    def __call__(self, problem: StoreError | None) -> None:
        """The store cannot be written since now, or (None) can again."""
        self._show(problem is None)
        if problem is not None:
            self.problem, self._since = str(problem), self._now()
            message = f"{problem} (nothing is started, and deliveries are answered 503, until it can be written)"
            self._notices.warn("store", message)
            self._note(Event(kind=EventKind.STORE_LOST, at=self._since, message=message, level=Level.ERROR))
            return
        seconds = round(self._now() - self._since)
        message = f"the state file can be written again after {seconds} s; GitHub shows what was refused as failed"
        self.problem = ""
        self._notices.clear("store")
        log.warning("%s", message)
        self._note(Event(kind=EventKind.STORE_BACK, at=self._now(), message=message, level=Level.WARN))
