"""The reference and the code say the same: nothing is missing, nothing is invented."""

import re
from pathlib import Path

import click
import pytest

from krs.cli.main import COMMANDS, cli
from krs.config.describe import example, reference
from krs.config.settings import ALIASES, PoolEntry, keys, variable
from krs.core.vocabulary import CheckName, EventKind, Reason
from krs.http.metrics import Metrics
from tests.core.build import POLICY, at, swept

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def named(page: str) -> set[str]:
    """What stands in the first column of a page's tables."""
    return set(re.findall(r"^\| `([^`]+)`", (REFERENCE / page).read_text(encoding="utf-8"), re.MULTILINE))


def test_the_example_file_is_made_from_the_settings() -> None:
    """config.example.toml is what `krs config init` writes."""
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example()


def test_every_setting_and_variable_is_in_the_reference() -> None:
    """The tables are those of the settings, and name every variable."""
    page = (REFERENCE / "configuration.md").read_text(encoding="utf-8")
    assert reference() in page
    assert named("configuration.md") == set(keys()) | {f"pools.{field}" for field in PoolEntry.__struct_fields__}
    for name in (*ALIASES, *(variable(key) for key in keys())):
        assert f"`{name}`" in page


def test_every_event_kind_is_in_the_reference() -> None:
    """Kinds are forever, so each has its line."""
    assert named("events.md") == {kind.value for kind in EventKind}


def test_every_reason_code_is_in_the_reference() -> None:
    """Codes are forever, so each has its line."""
    assert named("reasons.md") == {reason.value for reason in Reason}


def test_every_check_of_the_doctor_is_in_the_reference() -> None:
    """Names are forever, so each has its line."""
    assert named("doctor.md") == {name.value for name in CheckName}


@pytest.mark.parametrize("words", [EventKind, Reason])
def test_every_word_is_used(words: type[EventKind | Reason]) -> None:
    """What the reference explains can happen: each kind and code stands in the code beyond its definition."""
    sources = [path for path in (ROOT / "krs").rglob("*.py") if path.name != "vocabulary.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert [word.name for word in words if f"{words.__name__}.{word.name}" not in text] == []


def test_every_metric_is_in_the_reference() -> None:
    """What /metrics can show is what the page lists."""
    from krs.core.snapshot import snapshot

    metrics = Metrics("test")
    metrics.mirror(lambda: snapshot(swept(), at(0), POLICY, seq=0, version="test", counters={}), lambda: 0)
    shown = re.findall(r"^# TYPE (\S+) \w+$", metrics.render().decode(), re.MULTILINE)
    assert named("metrics.md") == {name for name in shown if not name.endswith("_created")}


def test_every_route_is_in_the_reference() -> None:
    """The admin API's paths, each with its method."""
    from krs.http.routes import ENDPOINTS

    routes = {name for name in named("api.md") if name.startswith(("GET", "POST"))}
    assert routes == {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS}


def test_every_action_of_the_console_is_in_the_reference() -> None:
    """Keys are bound to ids that people write into their files."""
    from tui.keymap import ACTIONS

    assert named("console.md") == {action.id for action in ACTIONS}


def options(command: click.Command) -> list[str]:
    """The long options of a command."""
    return [name for option in command.params for name in option.opts if name.startswith("--") and name != "--help"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_reference(name: str) -> None:
    """A command's line names each of its options and subcommands."""
    (line,) = re.findall(
        rf"^\| `krs {name}` .*$", (REFERENCE / "commands.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    words = list(command.commands) if isinstance(command, click.Group) else options(command)
    assert [word for word in words if f"`{word}" not in line] == []


def test_no_command_is_invented() -> None:
    """The page lists the commands that exist."""
    found = re.findall(r"^\| `krs (\w+)`", (REFERENCE / "commands.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(found) == set(COMMANDS)


def test_links_lead_somewhere() -> None:
    """Every relative link in the documentation is a file."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
