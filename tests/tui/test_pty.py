"""The console on a real terminal: hang-up, a terminal that stops reading, SIGTERM, a crash. The loop outlives all."""

import fcntl
import os
import re
import signal
import struct
import termios
import time
from pathlib import Path

import msgspec
import pytest

from tests.tui.terminal import PATIENCE, OpenTerminal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the console says how it ended."""
    return tmp_path / "result.json"


def test_quit_restores_the_terminal(path: Path, open_terminal: OpenTerminal) -> None:
    """`q` leaves the alternate screen and ends as a wish of the person."""
    terminal = open_terminal(path)
    terminal.until("Runners 12")
    terminal.type(b"q")
    data = b""
    while terminal.process.poll() is None:
        data += terminal.read(0.1)
    data += terminal.read(0.1)
    assert b"\x1b[?1049l" in data
    assert terminal.end()["ending"] == "QUIT"


def test_sigterm_ends_cleanly(path: Path, open_terminal: OpenTerminal) -> None:
    """SIGTERM restores the terminal and is reported to the caller."""
    terminal = open_terminal(path)
    terminal.until("Runners 12")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end()["ending"] == "TERMINATED"


def test_hang_up_does_not_kill_the_process(path: Path, open_terminal: OpenTerminal) -> None:
    """When the terminal goes away the console ends, and the loop it ran in goes on."""
    terminal = open_terminal(path)
    terminal.until("Runners 12")
    os.close(terminal.master)
    terminal.process.wait(PATIENCE)
    assert terminal.process.returncode == 0
    assert msgspec.json.decode(path.read_bytes())["ending"] == "HUNG_UP"


@pytest.mark.slow
def test_a_stalled_terminal_does_not_stop_the_loop(path: Path, open_terminal: OpenTerminal) -> None:
    """A terminal that reads nothing for seconds, at 50 frames a second, delays nobody; then all is painted again."""
    terminal = open_terminal(path, "busy")
    terminal.until("Runners 12")
    time.sleep(4)  # reading nothing is what is tested
    terminal.until("event 7")
    terminal.type(b"q")
    ended = terminal.end()
    assert ended["ending"] == "QUIT"
    assert isinstance(ended["longest"], float)
    assert ended["longest"] < 1.0


@pytest.mark.slow
def test_quit_while_stalled(path: Path, open_terminal: OpenTerminal) -> None:
    """A console whose terminal does not read can still be ended, at once."""
    terminal = open_terminal(path, "busy")
    terminal.until("Runners 12")
    time.sleep(2)  # as above
    terminal.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert msgspec.json.decode(path.read_bytes())["ending"] == "TERMINATED"
    terminal.read(1.0)
    terminal.end()


def test_a_crash_shows_no_values(path: Path, open_terminal: OpenTerminal) -> None:
    """A bug ends the console with a report of places only, and the loop goes on."""
    terminal = open_terminal(path, "crash")
    terminal.until("Runners 12")
    seen = b""
    while terminal.process.poll() is None:
        seen += terminal.read(0.1)
    seen += terminal.read(0.1)
    ended = terminal.end()
    assert ended["ending"] == "CRASHED"
    assert b"ZeroDivisionError" in seen
    assert b"hunter2" not in seen
    assert "hunter2" not in str(ended["crashes"])
    assert "ZeroDivisionError" in str(ended["crashes"])


def test_no_color_is_colourless(path: Path, open_terminal: OpenTerminal) -> None:
    """With NO_COLOR no colour is ever sent; the cursor is still seen, in reverse video."""
    terminal = open_terminal(path, NO_COLOR="1")
    data = b""
    while b"Runners 12" not in data:
        data += terminal.read(0.1)
    data += terminal.read(0.5)
    assert b"\x1b[38;" not in data
    assert b"\x1b[48;" not in data
    assert re.search(rb"\x1b\[(?:\d+;)*7[;m]", data)
    terminal.type(b"q")
    terminal.end()


def test_resize_to_nothing_and_back(path: Path, open_terminal: OpenTerminal) -> None:
    """A terminal of 40x10 gets one honest line, and the whole screen when it grows again."""
    terminal = open_terminal(path, size=(120, 40))
    terminal.until("Runners 12")
    for columns, lines, text in ((40, 10, "too small"), (120, 40, "Runners 12")):
        fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        terminal.process.send_signal(signal.SIGWINCH)
        terminal._screen.resize(lines, columns)
        terminal._screen.reset()
        terminal.until(text)
    terminal.type(b"q")
    terminal.end()
