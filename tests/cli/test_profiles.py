"""Named daemons, and which one a command asks."""

from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from krs.cli import remote
from krs.cli.main import cli
from krs.client import ApiClient
from krs.profiles import Profile, ProfileError, Profiles


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of its own."""
    found = tmp_path / "deep" / "console.toml"
    monkeypatch.setenv("KRS_PROFILES", str(found))
    for name in ("KRS_URL", "KRS_TOKEN", "KRS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return found


def test_profiles_are_added_listed_chosen_and_removed(path: Path) -> None:
    """The first becomes the default; the file is private; other tables in it stay."""
    run = CliRunner().invoke
    assert run(cli, ["config", "profile", "add", "prod", "--url", "https://p", "--token", "env:T"]).exit_code == 0
    path.write_text(path.read_text() + '[keys]\n"kill" = "x"\n')
    run(cli, ["config", "profile", "add", "dev", "--url", "http://d"])
    assert run(cli, ["config", "profile", "list"]).output == "  dev\thttp://d\n* prod\thttps://p\n"
    run(cli, ["config", "profile", "use", "dev"])
    run(cli, ["config", "profile", "remove", "prod"])
    assert run(cli, ["config", "profile", "list"]).output == "* dev\thttp://d\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "[keys]" in path.read_text()


def test_an_unknown_profile_names_the_known_ones(path: Path) -> None:
    """One line; so does a broken file."""
    Profiles(path).add("prod", Profile(url="https://p"))
    with pytest.raises(ProfileError, match="known: prod"):
        Profiles(path).get("prd")
    path.write_text("[")
    with pytest.raises(ProfileError, match=r"console\.toml"):
        Profiles(path)


@pytest.mark.parametrize(
    ("arguments", "environ", "url", "token"),
    [
        ([], {}, "http://default", "t0"),
        (["--profile", "other"], {}, "http://other", "t1"),
        ([], {"KRS_PROFILE": "other"}, "http://other", "t1"),
        (["--url", "http://given"], {}, "http://given", ""),
        (["--url", "http://given", "--token", "t2"], {}, "http://given", "t2"),
        (["--profile", "other", "--token", "t2"], {}, "http://other", "t2"),
        (["--profile", "other", "--url", "http://elsewhere"], {}, "http://elsewhere", ""),
        ([], {"KRS_PROFILE": "other", "KRS_URL": "http://elsewhere"}, "http://elsewhere", ""),
    ],
)
def test_a_command_asks_the_daemon_it_was_told(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environ: dict[str, str],
    url: str,
    token: str,
) -> None:
    """Address and token given beat the profile, which beats the default profile; no profile's token goes elsewhere."""
    Profiles(path).add("first", Profile(url="http://default", token="t0"))
    Profiles(path).add("other", Profile(url="http://other", token="t1"))
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=[])

    original = ApiClient
    monkeypatch.setattr(
        remote, "ApiClient", lambda *args, **rest: original(*args, **rest, transport=httpx.MockTransport(answer))
    )
    for command in (
        ["jobs", *arguments],
        ["pools", *arguments, "resume", "all"],
        ["pools", "resume", "all", *arguments],
    ):
        asked.clear()
        CliRunner().invoke(cli, command, env=environ)
        assert str(asked[0].url).startswith(url), command
        assert asked[0].headers.get("authorization", "") == (f"Bearer {token}" if token else "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    """Each shell's own script, for the name krs."""
    shown = CliRunner().invoke(cli, ["completion", shell])
    assert shown.exit_code == 0
    assert "_KRS_COMPLETE" in shown.output
