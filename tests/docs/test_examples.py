"""What the documentation tells people to type or to read is run or looked up: it works, and nothing is invented."""

import itertools
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from krs.cli.main import cli
from krs.config import ConfigError, load
from krs.config.settings import ALIASES, OTHER_VARIABLES, PoolEntry, keys, tables, variable
from krs.core.vocabulary import EventKind, Reason
from tests.docs import moves
from tests.docs.pictures import FOLDER, PICTURES, picture

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
METRICS = set(
    re.findall(r"^\| `(krs_\w+)`", (DOCS / "reference" / "metrics.md").read_text(encoding="utf-8"), re.MULTILINE)
)
page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def blocks(path: Path, *languages: str) -> list[str]:
    """The fenced blocks of a page in some languages, without the indent of a list."""
    found = re.findall(r"^( *)```(\w+)\n(.*?)^\1```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [
        "\n".join(line.removeprefix(indent) for line in text.splitlines())
        for indent, language, text in found
        if language in languages
    ]


def spans(path: Path) -> list[str]:
    """What stands in backticks within lines."""
    text = re.sub(r"^ *```.*?^ *```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", text)


def commands(path: Path) -> Iterator[list[str]]:
    """The words of every `krs ...` that a page shows, in blocks and in lines."""
    lines = [line for block in blocks(path, "sh", "console") for line in block.replace("\\\n", " ").splitlines()]
    for line in (*lines, *spans(path)):
        if not re.search(r"(^|[ /])krs ", line):
            continue
        words = shlex.split(line, comments=True)
        for command in ("krs", ".venv/bin/krs"):
            if command in words:
                tail = words[words.index(command) + 1 :]
                yield list(itertools.takewhile(lambda word: word not in ("&&", "|", ">", "2>", "&"), tail))


def unknown(words: list[str]) -> str | None:
    """What of a command line does not exist: a command, a subcommand or an option."""
    command: click.Command = cli
    context = click.Context(cli)
    for word in words:
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            options = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
            if name not in options | {"--help", "-h", "--version"}:
                return f"{command.name} has no {name}"
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None and command is cli and re.fullmatch(r"[a-z]+", word):
                return f"there is no krs {word}"
            command = found or command
    return None


@page
def test_every_command_that_is_shown_exists(path: Path) -> None:
    """Commands, subcommands and options of every example."""
    assert [problem for words in commands(path) if (problem := unknown(words))] == []


@page
def test_every_configuration_that_is_shown_is_one(path: Path, tmp_path: Path) -> None:
    """Each TOML block is a file that krs takes; what it refers to is there."""
    environ = {"GITHUB_TOKEN": "g", "KOYEB_TOKEN": "k", "API_SECRET": "s"}
    for block in blocks(path, "toml"):
        file = tmp_path / "krs.toml"
        file.write_text(block.replace("file:/etc/krs/app.private-key.pem", "env:GITHUB_TOKEN"), encoding="utf-8")
        assert [line for line in mistakes(file, environ) if "private_key" not in line and "app_id" not in line] == []


def mistakes(file: Path, environ: dict[str, str]) -> tuple[str, ...]:
    """What krs says of a configuration."""
    try:
        load({}, environ, file)
    except ConfigError as problem:
        return tuple(problem.problems)
    return ()


@page
def test_every_name_that_is_shown_exists(path: Path) -> None:
    """Settings, variables, metrics and event kinds in backticks are those of the code."""
    settings = set(keys()) | {f"pools.{field}" for field in PoolEntry.__struct_fields__}
    variables = {*ALIASES, *OTHER_VARIABLES, *(variable(key) for key in keys())}
    kinds = {kind.value for kind in EventKind}
    families = {kind.partition(".")[0] for kind in kinds}
    for span in spans(path):
        table, dot, key = span.partition(".")
        if dot and re.fullmatch(r"[a-z_]+", key) and table in {*tables(), *families, "pools"}:
            assert span in settings | kinds, span
        for name in re.findall(r"\bKRS_[A-Z_]+\b", span):
            assert name in variables or name in INSIDE, name
        if re.fullmatch(r"krs_[a-z_]+", span):
            assert span in METRICS, span


def _inside() -> set[str]:
    """Variables of runners' containers and of the tests."""
    paths = [ROOT / "krs" / "github" / "bootstrap.py", *(ROOT / "tests").rglob("*.py")]
    read = re.compile(r'(?:environ(?:\.get)?[\[(]|\()"(KRS_[A-Z_]+)"')
    return {name for path in paths for name in read.findall(path.read_text(encoding="utf-8"))}


INSIDE = _inside()


def test_every_reason_that_troubleshooting_explains_exists() -> None:
    """The first column of its first table holds codes."""
    text = (DOCS / "how-to" / "troubleshooting.md").read_text(encoding="utf-8")
    table = text.partition("| reason |")[2].partition("\n\n")[0]
    codes = {code for line in table.splitlines() for code in re.findall(r"`(\w+)`", line.partition(" | ")[0])}
    assert codes
    assert codes <= {reason.value for reason in Reason}


@pytest.mark.parametrize("name", ["alerts.yml", "grafana-dashboard.json"])
def test_dashboards_and_alerts_ask_for_metrics_that_exist(name: str) -> None:
    """Each metric in an expression is one that /metrics shows."""
    text = (DOCS / "monitoring" / name).read_text(encoding="utf-8")
    asked = {re.sub(r"_(bucket|count|sum)$", "", metric) for metric in re.findall(r"\bkrs_\w+", text)}
    assert asked
    assert asked <= METRICS
    if name.endswith(".json"):
        panels = json.loads(text)["panels"]
        assert all(target["expr"] for panel in panels for target in panel["targets"])


def test_every_alert_is_explained() -> None:
    """The how-to's table names each rule, and no other."""
    rules = set(re.findall(r"alert: (\w+)", (DOCS / "monitoring" / "alerts.yml").read_text(encoding="utf-8")))
    named = re.findall(r"`(Krs\w+)`", (DOCS / "how-to" / "monitoring.md").read_text(encoding="utf-8"))
    assert rules == set(named)


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
async def test_pictures_show_the_console_as_it_is(name: str) -> None:
    """Drawn again, a picture is the same; else: `python -m tests.docs.pictures`."""
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == await picture(name) + "\n"


def test_the_states_are_drawn_from_the_tables() -> None:
    """The page is what `python -m tests.docs.moves` writes."""
    assert moves.PAGE.read_text(encoding="utf-8") == moves.page()


def test_every_page_is_reached_from_the_index() -> None:
    """docs/README.md links to every page, so that none is lost."""
    linked = {
        (DOCS / target).resolve()
        for target in re.findall(r"\]\(([^)#]+)\)", (DOCS / "README.md").read_text(encoding="utf-8"))
    }
    assert [path for path in DOCS.rglob("*.md") if path.resolve() not in linked | {DOCS / "README.md"}] == []
