"""A terminal driver that cannot block the loop, because the loop may be the scheduler's.

Textual writes through a thread with a bounded queue and waits when it is full: a terminal that stops reading (a
stalled ssh, a frozen emulator) would freeze every webhook after some 30 frames. Here frames are dropped instead, and
the whole screen is painted again once the terminal reads.
"""

import contextlib
import queue

from textual.drivers.linux_driver import LinuxDriver

JOIN = 0.3
"""Seconds the writer is given to finish when the console ends; a stalled terminal gets no more."""


class StallSafeDriver(LinuxDriver):
    """Drops output while the terminal does not read."""

    _stalled = False

    def write(self, data: str) -> None:
        """Queue output, or drop it."""
        if self._writer_thread is None:
            return
        waiting = self._writer_thread._queue  # noqa: SLF001 - the only way past its blocking put
        if self._stalled:
            if not waiting.empty():
                return
            self._stalled = False
            self._app.call_later(self._app.refresh, layout=True)
        try:
            waiting.put_nowait(data)
        except queue.Full:
            self._stalled = True

    def _run_input_thread(self) -> None:
        """Read keys; a terminal that went away ends the console quietly."""
        try:
            self.run_input_thread()
        except OSError:
            self._app.call_later(self._app.exit)

    def close(self) -> None:
        """End the writer, without waiting for a terminal that does not read."""
        if self._writer_thread is None:
            return
        with contextlib.suppress(queue.Full):
            self._writer_thread._queue.put_nowait(None)  # noqa: SLF001 - as above
        self._writer_thread.join(JOIN)
