"""A process on a real terminal (a pty), and the screen it draws there."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyte

SHOW = Path(__file__).parent / "show.py"
PATIENCE = 25.0
"""Seconds until a console that does not come up or go down fails the test."""


def _sit_down() -> None:
    """Take the terminal, and hear its ctrl-c, which whatever a shell starts in the background ignores."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A console in a pty, and the screen it draws."""

    def __init__(
        self, result: Path, *words: str, size: tuple[int, int] = (100, 30), script: Path = SHOW, **environ: str
    ) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self._result = result
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        base = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "TEXTUAL_THEME"}}
        self.process = subprocess.Popen(
            [sys.executable, str(script), *words],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, close_fds=True,
            preexec_fn=_sit_down,  # noqa: PLW1509 - no threads here
            env={**base, "TERM": "xterm-256color", "COLORTERM": "truecolor", "SHOW_RESULT": str(result), **environ},
        )  # fmt: skip
        os.close(slave)

    def close(self) -> None:
        """Let go of the pty, and of a process that is still there."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self.master)

    def read(self, seconds: float) -> bytes:
        """What the terminal is sent within some time."""
        data, end = b"", time.monotonic() + seconds
        while (wait := end - time.monotonic()) > 0 and select.select([self.master], [], [], wait)[0]:
            try:
                data += os.read(self.master, 65_536)
            except OSError:
                break
        self._stream.feed(data)
        return data

    @property
    def display(self) -> list[str]:
        """The lines of the screen."""
        return list(self._screen.display)

    def until(self, text: str) -> None:
        """Read until the screen shows a text."""
        end = time.monotonic() + PATIENCE
        while text not in "\n".join(self.display):
            assert time.monotonic() < end, "\n".join(self.display)
            self.read(0.05)

    def type(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self.master, keys)

    def end(self) -> dict[str, object]:
        """Wait for the process and say how it ended."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, "the console does not end"
            self.read(0.05)
        assert self.process.returncode == 0
        decoded: dict[str, object] = msgspec.json.decode(self._result.read_bytes())
        return decoded


OpenTerminal = Callable[..., Terminal]
