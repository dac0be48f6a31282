"""A GitHub App in the configuration: instead of a token, whole or not at all."""

from pathlib import Path

import pytest

from krs.config import ConfigError, load
from krs.config.load import missing

APP = {"KRS_GITHUB_APP_ID": "123456", "KRS_GITHUB_PRIVATE_KEY": "env:KEY", "KEY": "-----BEGIN\nabc\n-----END"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No krs.toml of the developer's gets in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_app_takes_the_place_of_the_token(elsewhere: Path) -> None:
    """By variables or by file, as a number or a client ID; the key keeps its lines and prints as stars."""
    settings = load({}, {**APP, "KOYEB_TOKEN": "k", "API_SECRET": "s"}).settings
    assert missing(settings) == []
    assert settings.github.private_key.reveal().count("\n") == 2
    assert "BEGIN" not in repr(settings)
    (elsewhere / "key.pem").write_text(APP["KEY"] + "\n")
    (elsewhere / "krs.toml").write_text('[github]\napp_id = 123456\nprivate_key = "file:key.pem"\n')
    github = load({}, {}).settings.github
    assert (github.app_id, github.private_key.reveal()) == ("123456", APP["KEY"])
    assert load({}, {**APP, "KRS_GITHUB_APP_ID": "Iv23liABC.1"}).settings.github.app_id == "Iv23liABC.1"


def test_without_either_both_are_named() -> None:
    """Whoever has no token may have an App."""
    (line,) = [line for line in missing(load({}, {}).settings) if "github" in line]
    assert "GITHUB_TOKEN" in line
    assert "github.app_id and github.private_key" in line


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"KRS_GITHUB_APP_ID": "1"}, "KRS_GITHUB_APP_ID: github.app_id needs github.private_key beside it"),
        ({"KRS_GITHUB_PRIVATE_KEY": "x"}, "KRS_GITHUB_PRIVATE_KEY: github.private_key needs github.app_id beside it"),
        ({**APP, "GITHUB_TOKEN": "g"}, "GITHUB_TOKEN, KRS_GITHUB_APP_ID: both github.token and github.app_id are set"),
        ({**APP, "KRS_GITHUB_APP_ID": "my app"}, "neither the App ID nor the client ID"),
        ({**APP, "KRS_GITHUB_PRIVATE_KEY": "file:/nope.pem"}, "the file /nope.pem cannot be read"),
        (
            {**APP, "KRS_RUNNERS_CREDENTIAL": "github-token"},
            "KRS_RUNNERS_CREDENTIAL: runners.credential: github-token needs github.token, and a GitHub App has none",
        ),
    ],
)
def test_half_an_app_or_too_much_is_one_line(environ: dict[str, str], words: str) -> None:
    """What, where, and what to do."""
    with pytest.raises(ConfigError) as wrong:
        load({}, environ)
    assert any(words in line for line in wrong.value.problems)
    assert "BEGIN" not in str(wrong.value)
