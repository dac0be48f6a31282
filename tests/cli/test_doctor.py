"""`krs doctor`: whom it asks, what it prints, how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from krs.cli import doctor, remote
from krs.cli.doctor import lines
from krs.cli.errors import CliError
from krs.cli.main import cli
from krs.client import ApiClient
from krs.core.model import Instant
from krs.core.views import Check, Diagnosis
from krs.core.vocabulary import CheckName, Finding
from krs.secret import Secret

FINE = Check(name=CheckName.CLOCK, finding=Finding.OK, message="at most 1s ahead of koyeb")
LONG = "add one at https://github.com/acme/api/settings/hooks: the address of this daemon and so on and so forth"
WORSE = Check(name=CheckName.WEBHOOK, finding=Finding.FAIL, subject="acme/api", message="missing", advice=LONG)

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command with nothing configured, against a daemon that finds these checks, or against none."""

    def invoke(*words: str, checks: tuple[Check, ...] | None = None, **environ: str) -> Result:
        def answer(request: httpx.Request) -> httpx.Response:
            if checks is None:
                raise httpx.ConnectError("nobody listens")
            return httpx.Response(200, content=msgspec.json.encode(Diagnosis(at=Instant(0), checks=checks)))

        def client(url: str, token: str) -> ApiClient:
            address, found = remote._resolved(url, token)
            return ApiClient(address, Secret(found), transport=httpx.MockTransport(answer))

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(remote, "client", client)
        clean: dict[str, Any] = dict.fromkeys(("KRS_URL", "KRS_TOKEN", "KRS_PROFILE", "KOYEB_TOKEN", "GITHUB_TOKEN"))
        clean |= {"KRS_PROFILES": str(tmp_path / "console.toml"), "KRS_STATE": str(tmp_path / "state.db")}
        return CliRunner().invoke(cli, ["doctor", *words], env=clean | environ, standalone_mode=False)

    return invoke


@pytest.mark.parametrize(("checks", "code"), [((FINE,), 0), ((FINE, WORSE), 1)])
def test_it_fails_when_a_check_does(run: Run, checks: tuple[Check, ...], code: int) -> None:
    """Exit 0 or 1; what to do stands under what was found."""
    shown = run(checks=checks)
    assert shown.exit_code == code
    assert shown.output.splitlines()[0].split() == ["ok", "clock", "at", "most", "1s", "ahead", "of", "koyeb"]
    assert ("-> add one at" in shown.output) is (code == 1)
    assert shown.output.splitlines()[-1] == ("1 ok" if code == 0 else "1 ok, 1 fail")


def test_json_is_the_diagnosis(run: Run) -> None:
    """One document, the same fields as the API's, and the same exit code."""
    shown = run("--json", checks=(WORSE,))
    assert shown.exit_code == 1
    assert json.loads(shown.output)["checks"][0]["advice"] == LONG


@pytest.mark.parametrize("environ", [{"KRS_URL": "http://krs.test"}, {"KRS_URL": "http://krs.test:8000"}])
def test_a_daemon_that_was_named_must_answer(run: Run, environ: dict[str, str]) -> None:
    """The configuration here says nothing about a daemon elsewhere: exit 4, one line."""
    problem = run(**environ).exception
    assert isinstance(problem, CliError)
    assert problem.code == 4
    assert "not reached" in problem.message


@pytest.mark.parametrize("words", [(), ("--offline",)])
def test_without_a_daemon_the_configuration_is_checked(run: Run, words: tuple[str, ...]) -> None:
    """Nothing is set here: the tokens fail, what only a daemon knows is skipped, and nobody is called."""
    shown = run(*words)
    assert shown.exit_code == 1
    assert ("not reached" in shown.output) is (not words)
    findings = {
        line.split()[1]: line.split()[0] for line in shown.output.splitlines() if line[:1] in "ofsw" and line[3:]
    }
    assert (findings["koyeb_token"], findings["github_credential"], findings["pools"]) == ("fail", "fail", "skipped")
    assert "KOYEB_TOKEN" in shown.output


def test_a_bad_key_of_an_app_is_a_mistake_of_the_configuration(run: Run) -> None:
    """One line, exit 2, without the key."""
    problem = run("--offline", KRS_GITHUB_APP_ID="1", KRS_GITHUB_PRIVATE_KEY="hunter2").exception
    assert isinstance(problem, CliError)
    assert problem.code == 2
    assert "github.private_key" in problem.message
    assert "hunter2" not in problem.message


def test_long_lines_are_wrapped_under_their_message() -> None:
    """Nothing is cut, no line is longer than the terminal, down to a readable least, and addresses stay whole."""
    indent = " " * (doctor.NAME_WIDTH + doctor.FINDING_WIDTH)
    for width in (40, 80, 120):
        told = lines(WORSE, width)
        room = max(width, doctor.NARROWEST + len(indent))
        assert all(len(line) <= room or line.strip().startswith("https://") for line in told)
        assert all(line.startswith(indent) for line in told[1:])
        assert LONG in " ".join(line.strip() for line in told)
    assert "\x1b" not in "".join(lines(WORSE, 80))


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_only_on_a_terminal_that_wants_it(
    monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    """NO_COLOR is honoured; the word stands there all the same."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", no_color)
    (line, *_) = lines(FINE, 80)
    assert ("\x1b" in line) is coloured
    assert "ok" in line
