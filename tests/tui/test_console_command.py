"""`krs console`: where it is refused, and that its scheduler outlives its screen."""

import http.client
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from krs.cli.console import console
from krs.cli.errors import USAGE, CliError
from tests.tui.terminal import PATIENCE, OpenTerminal, Terminal

EMBEDDED = Path(__file__).parent / "embedded.py"


def test_refused_without_a_terminal() -> None:
    """Without a terminal: one line, exit 2, nothing started."""
    result = CliRunner().invoke(console, [], standalone_mode=False)
    assert isinstance(result.exception, CliError)
    assert result.exception.code == USAGE
    assert "needs a terminal" in result.exception.message
    assert "\n" not in result.exception.message


def test_refused_on_a_dumb_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """TERM=dumb: one line that says so."""
    from krs.cli import console as module

    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(CliError, match="'dumb'"):
        module.refuse_without_terminal()


def test_import_loads_no_textual() -> None:
    """The command's module costs no Textual until a console is shown."""
    code = "import sys, krs.cli.console; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def alive(port: int) -> bool:
    """Whether the daemon answers."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/healthz")
        with connection.getresponse() as answer:
            return answer.status == 200


def opened(open_terminal: OpenTerminal, home: Path) -> tuple[Terminal, int]:
    """A `krs console` in a pty, and its port."""
    path = home / "port"
    terminal = open_terminal(path, script=EMBEDDED, XDG_CONFIG_HOME=str(home), XDG_STATE_HOME=str(home))
    terminal.until("1 Runners")
    return terminal, int(path.read_text())


def ended(terminal: Terminal) -> int:
    """Send SIGTERM, and give the exit code."""
    terminal.process.send_signal(signal.SIGTERM)
    return terminal.process.wait(PATIENCE)


def test_hang_up_leaves_the_scheduler_running(tmp_path: Path, open_terminal: OpenTerminal) -> None:
    """The terminal goes away: webhooks are still answered, and SIGTERM still stops it cleanly."""
    terminal, port = opened(open_terminal, tmp_path)
    assert alive(port)
    os.close(terminal.master)
    for _ in range(10):
        assert alive(port)
        time.sleep(0.1)  # spread over the moments in which the console ends
    assert ended(terminal) == 0


def test_console_only(tmp_path: Path, open_terminal: OpenTerminal) -> None:
    """`q c` leaves the screen, says where it goes on, and schedules on."""
    terminal, port = opened(open_terminal, tmp_path)
    terminal.type(b"q")
    terminal.until("Console only")
    terminal.type(b"c")
    terminal.until("goes on without a console")
    assert alive(port)
    assert ended(terminal) == 0


def test_stop(tmp_path: Path, open_terminal: OpenTerminal) -> None:
    """`q s` stops the scheduler and ends with 0."""
    terminal, _ = opened(open_terminal, tmp_path)
    terminal.type(b"q")
    terminal.until("Console only")
    terminal.type(b"s")
    while terminal.process.poll() is None:
        terminal.read(0.1)
    assert terminal.process.returncode == 0
