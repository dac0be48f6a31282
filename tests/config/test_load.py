"""Where settings come from, which beats which, and what is said about each mistake."""

from pathlib import Path

import pytest

from krs.config import ConfigError, load
from krs.config.load import missing
from krs.config.settings import ALIASES, keys, variable
from krs.core.vocabulary import Lifecycle, Mode

GO = {"KOYEB_TOKEN": "k", "GITHUB_TOKEN": "g", "API_SECRET": "s"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No krs.toml of the developer's gets in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(environ: dict[str, str], text: str = "", folder: Path | None = None) -> list[str]:
    """What is said about a configuration that is wrong."""
    path = None
    if text and folder is not None:
        path = folder / "some.toml"
        path.write_text(text)
    with pytest.raises(ConfigError) as wrong:
        load({}, environ, path)
    assert all("\n" not in line for line in wrong.value.problems)
    return wrong.value.problems


def test_the_go_programs_variables_work() -> None:
    """Every variable of Koyeb's Go scheduler keeps its meaning; durations are minutes."""
    environ = {
        **GO,
        "PORT": "8100",
        "RUNNERS_TTL": "1",
        "MODE": "organization",
        "PREFIX": "acme",
        "DISABLE_DOCKER_DAEMON": "true",
    }
    settings = load({}, environ).settings
    assert (settings.server.port, settings.runners.ttl, settings.github.mode) == (8100, 60.0, Mode.ORGANIZATION)
    assert (settings.runners.prefix, settings.runners.docker) == ("acme", False)
    assert settings.koyeb.token.reveal() == "k"
    assert missing(settings) == []


def test_defaults_are_those_of_the_design() -> None:
    """What is relied on from outside."""
    settings = load({}, {}).settings
    runners = settings.runners
    assert (settings.server.host, settings.server.port, settings.webhook.max_body) == ("0.0.0.0", 8000, 5 << 20)
    assert (runners.ttl, runners.surplus_ttl, runners.idle_confirm, runners.boot_timeout) == (7200, 300, 90, 600)
    assert (runners.max_per_pool, runners.max_total, runners.creates_per_hour, runners.min_idle) == (16, 16, 120, 0)
    assert (settings.koyeb.app, settings.koyeb.safety_ttl, settings.state.keep) == ("github-runner", 86_400, 604_800)
    assert settings.runners.lifecycle is Lifecycle.REUSABLE


def test_flags_beat_the_environment_which_beats_the_file(elsewhere: Path) -> None:
    """And each value knows where it came from; a setting's own variable beats its alias."""
    path = elsewhere / "some.toml"
    path.write_text('[server]\nport = 1\nhost = "127.0.0.1"\n[runners]\nttl = "3h"\nprefix = "file"\n')
    environ = {"PORT": "2", "KRS_RUNNERS_PREFIX": "own", "PREFIX": "alias"}
    loaded = load({"server.port": "3"}, environ, path)
    assert (loaded.settings.server.port, loaded.settings.runners.ttl) == (3, 3 * 3600)
    assert loaded.settings.runners.prefix == "own"
    assert loaded.origins["server.port"] == "--port"
    assert loaded.origins["runners.prefix"] == "KRS_RUNNERS_PREFIX"
    assert loaded.origins["runners.ttl"] == f"{path}:5"
    assert loaded.origins["log.level"] == "default"


def test_secrets_come_by_reference_and_never_show(elsewhere: Path) -> None:
    """env: and file: are followed; the settings print as stars."""
    (elsewhere / "token").write_text("from-file\n")
    environ = {"KRS_KOYEB_TOKEN": "file:token", "KRS_GITHUB_TOKEN": "env:OTHER", "OTHER": "from-env"}
    settings = load({}, environ).settings
    assert (settings.koyeb.token.reveal(), settings.github.token.reveal()) == ("from-file", "from-env")
    assert "from-" not in repr(settings)


def test_a_webhook_secret_may_hold_any_characters() -> None:
    """GitHub signs with its UTF-8 bytes, whatever they are."""
    assert load({}, {"API_SECRET": " gehe\u00efm "}).settings.webhook.secret.reveal() == " gehe\u00efm "


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"RUNNERS_TTL": "0"}, "RUNNERS_TTL: runners.ttl: '0' must be longer than nothing"),
        ({"RUNNERS_TTL": "abc"}, "RUNNERS_TTL: runners.ttl: 'abc' is not a duration"),
        ({"MODE": "enterprise"}, "MODE: github.mode: 'enterprise' is neither repository nor organization"),
        ({"PORT": "http"}, "PORT: server.port: 'http' is not a whole number"),
        ({"PORT": "70000"}, "out of range"),
        ({"KRS_RUNERS_TTL": "1"}, "KRS_RUNERS_TTL is not a setting; did you mean KRS_RUNNERS_TTL?"),
        ({"KRS_ADMIN_TOKEN": "short"}, "admin.token must have at least 16 characters"),
        ({"KRS_KOYEB_TOKEN": "env:NOPE"}, "no variable NOPE"),
        ({"KRS_KOYEB_TOKEN": "file:/nope"}, "cannot be read"),
        ({"KOYEB_TOKEN": "t\u00f6ken"}, "characters that no token has"),
        ({"KOYEB_TOKEN": "two\nlines"}, "characters that no token has"),
        ({"DISABLE_AUTH": "true"}, "only on a loopback address"),
        ({"KOYEB_API_URL": "koyeb"}, "is not an http"),
        ({"KRS_RUNNERS_LIFECYCLE": "forever"}, "neither reusable nor ephemeral"),
        ({"KRS_LOG_LEVEL": "loud"}, "is none of debug, info, warning, error"),
        ({"DISABLE_DOCKER_DAEMON": "perhaps"}, "neither true nor false"),
        ({"PREFIX": "my runners"}, "cannot begin a label"),
        ({"KRS_RUNNERS_IMAGE": "koyeb/github runner"}, "is not an image name"),
        ({"KRS_RUNNERS_FOLDER": "home/runner"}, "is not a folder"),
        ({"KRS_RUNNERS_FOLDER": "/home/o'neill"}, "is not a folder"),
        ({"KRS_CONFIG": "nope.toml"}, "there is no such file"),
        ({"KRS_WEBHOOK_MAX_BODY": "5 furlongs"}, "is not a size"),
        ({"KRS_RUNNERS_MAX_HOURLY_COST": "-1"}, "not an amount"),
    ],
)
def test_each_mistake_is_one_line_that_says_where(environ: dict[str, str], words: str) -> None:
    """What, where, and what to write instead."""
    (line,) = problems(environ)
    assert words in line


def test_mistakes_in_a_file_are_found_all_at_once_with_their_lines(elsewhere: Path) -> None:
    """An unknown key, an unknown table and a wrong value, each with the nearest known name or the reason."""
    text = '[runners]\nmax_perpool = 3\nttl = "soon"\n[servr]\nport = 1\n'
    lines = problems({}, text, elsewhere)
    assert len(lines) == 3
    assert any(
        "some.toml:2: runners.max_perpool is not a setting; did you mean runners.max_per_pool?" in x for x in lines
    )
    assert any("some.toml:3: runners.ttl: 'soon' is not a duration" in x for x in lines)
    assert any("some.toml:5: servr.port is not a setting; did you mean server.port?" in x for x in lines)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[server\n", 1, "it is not TOML: Expected ']'"),
        ("[server]\nport = 1\nport = 2\n", 3, "it is not TOML: Cannot overwrite a value"),
        ('[server]\nhost = """x', 2, "it is not TOML: Unterminated string"),
        ("[[server]]\nport = 1\n", 1, "[[server]] is no table: begin it with [server]"),
        ("\nserver = 1\n", 2, "server is no table"),
        ("\nport = 1\n", 2, "port stands outside a table; did you mean"),
        ("\n[servr]\n", 2, "servr is not a table of settings; did you mean server?"),
        ("\nserver.prot = 1\n", 2, "server.prot is not a setting; did you mean server.port?"),
        ("\nserver = { port = 'x' }\n", 2, "server.port: 'x' is not a whole number"),
        ("\n['server']\n\n\"port\" = 1.5\n", 4, "server.port: '1.5' is not a whole number"),
        ("[server.port]\nx = 1\n", 1, "server.port: a table does not fit here"),
    ],
)
def test_a_file_of_nonsense_says_which_line(elsewhere: Path, text: str, line: int, words: str) -> None:
    """What is no TOML, and TOML that is written in unusual ways."""
    (found,) = problems({}, text, elsewhere)
    assert f"some.toml:{line}: " in found
    assert words in found


def test_a_file_that_cannot_be_read_is_one_line(elsewhere: Path) -> None:
    """A folder, bytes that are no text, and a file that is named and missing, unless it is about to be made."""
    (elsewhere / "bytes.toml").write_bytes(b"\xff\xfe")
    for name, words in (("", "Is a directory"), ("bytes.toml", "not UTF-8"), ("nope.toml", "no such file")):
        with pytest.raises(ConfigError) as wrong:
            load({}, {}, elsewhere / name)
        (line,) = wrong.value.problems
        assert words in line
    assert load({}, {}, elsewhere / "nope.toml", new=True).settings.server.port == 8000


def test_what_a_daemon_lacks_is_named_by_variable() -> None:
    """An empty API_SECRET is a missing one."""
    lacks = missing(load({}, {"API_SECRET": ""}).settings)
    assert [name for name in ("KOYEB_TOKEN", "GITHUB_TOKEN", "API_SECRET") for line in lacks if name in line] == list(
        GO
    )


def test_unsigned_deliveries_need_a_loopback_address() -> None:
    """For local tests alone."""
    settings = load({"server.host": "127.0.0.1"}, {"DISABLE_AUTH": "true"}).settings
    assert settings.webhook.disable_auth


def test_every_alias_means_a_setting_and_every_setting_has_a_variable() -> None:
    """The tables of names fit each other."""
    assert set(ALIASES.values()) <= set(keys())
    assert variable("runners.ttl") == "KRS_RUNNERS_TTL"


def test_an_owner_where_repositories_are_matched_is_warned_of() -> None:
    """`acme` would serve nobody and keep nobody out; patterns that can match are not spoken of."""
    environ = {**GO, "KRS_GITHUB_ALLOW": "acme,web/*,*", "KRS_GITHUB_DENY": "evil,*-old,a/b"}
    assert load({}, environ).warnings == (
        "KRS_GITHUB_ALLOW: github.allow 'acme' matches no repository: write acme/*",
        "KRS_GITHUB_DENY: github.deny 'evil' matches no repository: write evil/*",
    )
