"""The command line as it is used: output, exit codes, one-line errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("KRS_")}
FULL = {"KOYEB_TOKEN": "koyeb-secret", "GITHUB_TOKEN": "github-secret", "API_SECRET": "webhook-secret"}


def krs(*arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder."""
    command = [sys.executable, "-m", "krs", *arguments]
    return subprocess.run(command, cwd=folder, env={**CLEAN, **environ}, capture_output=True, text=True, check=False)


def test_help_names_every_command_and_imports_none(tmp_path: Path) -> None:
    """The overview comes from a table; neither Tornado nor Textual is loaded for it."""
    shown = krs("--help", folder=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert {"daemon", "demo", "simulate", "config"} <= set(shown.stdout.split())
    code = "import sys; from click.testing import CliRunner; from krs.cli.main import cli\n"
    code += (
        "CliRunner().invoke(cli, ['--help']); print([m for m in ('tornado', 'textual', 'httpx') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


def test_the_daemon_never_loads_the_console(tmp_path: Path) -> None:
    """Importing all of the daemon brings no Textual."""
    code = "import sys, krs.daemon; print([m for m in sys.modules if m.split('.')[0] in ('textual', 'tui')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


def test_a_daemon_without_its_secrets_says_which(tmp_path: Path) -> None:
    """Three lines, exit 2, no traceback."""
    refused = krs("daemon", folder=tmp_path)
    assert refused.returncode == 2
    assert [line.split()[1] for line in refused.stderr.splitlines()] == [
        "koyeb.token",
        "github.token",
        "webhook.secret",
    ]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"RUNNERS_TTL": "abc"}, "is not a duration"),
        ({"MODE": "x"}, "neither repository nor organization"),
        ({"KRS_STATE": "/proc/nope/state.db"}, "set state.path"),
        ({"KRS_RUNNERS_TTLL": "1"}, "did you mean KRS_RUNNERS_TTL"),
    ],
)
def test_a_daemon_that_cannot_start_says_why_in_one_line(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    """Exit 2, one line, and no secret in it."""
    refused = krs("daemon", folder=tmp_path, **FULL, **environ)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert words in refused.stderr
    assert "secret" not in refused.stderr


def test_config_show_masks_secrets_and_tells_where_values_come_from(tmp_path: Path) -> None:
    """As text and as JSON."""
    shown = krs("config", "show", "--json", folder=tmp_path, **FULL, PORT="8123")
    values = json.loads(shown.stdout)
    assert values["server.port"] == {"value": 8123, "from": "PORT"}
    assert values["koyeb.token"] == {"value": "***", "from": "KOYEB_TOKEN"}
    assert "-secret" not in shown.stdout + krs("config", "show", folder=tmp_path, **FULL).stdout


def test_config_init_and_check_go_together(tmp_path: Path) -> None:
    """A fresh file is private and valid; it is never overwritten; what is missing is named."""
    assert krs("config", "init", folder=tmp_path).returncode == 0
    assert (tmp_path / "krs.toml").stat().st_mode & 0o777 == 0o600
    again = krs("config", "init", folder=tmp_path)
    assert (again.returncode, "exists already" in again.stderr) == (1, True)
    (tmp_path / "krs.toml").write_text("nonsense")
    assert krs("config", "init", "--force", folder=tmp_path).returncode == 0
    assert krs("config", "check", folder=tmp_path).returncode == 2
    assert krs("config", "check", folder=tmp_path, **FULL).returncode == 0


def test_config_check_finds_what_is_wrong_and_what_is_missing_at_once(tmp_path: Path) -> None:
    """Each with its line; a key that was given wrongly is not called missing as well."""
    (tmp_path / "krs.toml").write_text('[server]\nport = "x"\n[koyeb]\ntoken = "env:NOPE"\n[runers]\nttl = "1h"\n')
    refused = krs("config", "check", folder=tmp_path, KRS_STAT="x")
    assert refused.returncode == 2
    found = [line.removeprefix("krs: ") for line in refused.stderr.splitlines()]
    assert sorted(line.split()[0] for line in found) == sorted(
        ["krs.toml:2:", "krs.toml:4:", "krs.toml:6:", "KRS_STAT", "github.token", "webhook.secret"]
    )


def test_config_show_takes_the_daemons_flags(tmp_path: Path) -> None:
    """What a daemon started with them would do, and each by its own name."""
    shown = krs("config", "show", "--json", "--runners-ttl", "1h", "--disable-docker-daemon", folder=tmp_path)
    values = json.loads(shown.stdout)
    assert values["runners.ttl"] == {"value": 3600.0, "from": "--runners-ttl"}
    assert values["runners.docker"] == {"value": False, "from": "--disable-docker-daemon"}


@pytest.mark.parametrize("command", [("daemon",), ("config", "check")])
def test_a_private_key_that_is_none_is_one_line_without_it(tmp_path: Path, command: tuple[str, ...]) -> None:
    """At the start and in the check, by the name of its setting."""
    (tmp_path / "key.pem").write_text("-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n")
    environ = {"KOYEB_TOKEN": "k", "API_SECRET": "s", "KRS_GITHUB_APP_ID": "1"}
    refused = krs(*command, folder=tmp_path, **environ, KRS_GITHUB_PRIVATE_KEY="file:key.pem")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "github.private_key: it is not an RSA private key" in refused.stderr
    assert "c2VjcmV0" not in refused.stderr


def test_config_check_and_show_know_the_pools(tmp_path: Path) -> None:
    """A shadowed entry is a warning and no failure; every value of an entry is shown with its line."""
    (tmp_path / "krs.toml").write_text("[[pools]]\nmax = 1\n[[pools]]\nlabel = 'koyeb-*'\nttl = '5m'\n")
    checked = krs("config", "check", folder=tmp_path, **FULL)
    assert (checked.returncode, len(checked.stderr.splitlines())) == (0, 1)
    assert checked.stderr.startswith("krs: warning: krs.toml:3: pools[2] never matches")
    values = json.loads(krs("config", "show", "--json", folder=tmp_path, **FULL).stdout)
    assert values["pools[2].ttl"] == {"value": 300.0, "from": "krs.toml:5"}


def test_an_unknown_command_is_a_usage_error(tmp_path: Path) -> None:
    """Exit 2, one line."""
    refused = krs("deamon", folder=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.startswith("krs: ")


def test_the_demo_ends_with_nothing_left(tmp_path: Path) -> None:
    """A short demo serves jobs, and as many runners are deleted as were started."""
    done = krs("demo", "--headless", "--for", "4s", "--speed", "300", folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    words = done.stdout.replace(";", "").replace(",", "").split()
    assert int(words[words.index("served") + 1]) > 0
    assert words[words.index("started") + 1] == words[words.index("deleted") + 1] != "0"
