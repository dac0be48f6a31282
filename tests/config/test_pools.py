"""`[[pools]]`: what an entry sets, what is wrong with it, and which entries never match."""

from pathlib import Path

import pytest

from krs.config import ConfigError, Loaded, load
from krs.config.describe import example
from krs.config.policy import policy_of
from krs.config.settings import PoolEntry
from krs.config.values import OUR_PREFIXES, OUR_VARIABLES
from krs.core.vocabulary import Credential, Lifecycle
from krs.github import bootstrap
from tests.core.build import CATALOG

GIVEN = """[runners]
ttl = "1h"

[[pools]]
label = "koyeb-FRA-*"
repository = "Acme/*"
lifecycle = "ephemeral"
max = 2
min_idle = 0
image = "ghcr.io/acme/runner:1"
extra_labels = ["Fast"]
docker = false

[pools.env]
HTTP_PROXY = "http://proxy:3128"

[[pools]]
ttl = "5m"
"""


def read(folder: Path, text: str, **environ: str) -> Loaded:
    """The settings of a file."""
    path = folder / "some.toml"
    path.write_text(text, encoding="utf-8")
    return load({}, environ, path)


def problems(folder: Path, text: str, **environ: str) -> list[str]:
    """What is said about a file that is wrong."""
    with pytest.raises(ConfigError) as wrong:
        read(folder, text, **environ)
    assert all("\n" not in line for line in wrong.value.problems)
    return wrong.value.problems


def test_an_entry_sets_the_terms_of_the_pools_that_it_matches(tmp_path: Path) -> None:
    """All keys reach the core; the first entry that matches holds alone, and the rest is as set elsewhere."""
    policy = policy_of(read(tmp_path, GIVEN).settings, CATALOG)
    terms = policy.terms("koyeb-fra-small", "acme/API")
    assert (terms.lifecycle, terms.credential, terms.ttl) == (Lifecycle.EPHEMERAL, Credential.JIT, 3600.0)
    assert (terms.maximum, terms.min_idle, terms.image, terms.docker) == (2, 0, "ghcr.io/acme/runner:1", False)
    assert terms.env == (("HTTP_PROXY", "http://proxy:3128"),)
    assert "fast" in policy.covered("koyeb-fra-small", "acme/api")
    other = policy.terms("koyeb-was-small", "acme/api")
    assert (other.lifecycle, other.ttl, other.maximum, other.env) == (Lifecycle.REUSABLE, 300.0, 16, ())
    assert "fast" not in policy.covered("koyeb-was-small", "acme/api")


def test_every_value_knows_its_line(tmp_path: Path) -> None:
    """An entry by its head, a value by its own line, a table of variables by its head."""
    origins = read(tmp_path, GIVEN).origins
    lines = {key: where.rpartition(":")[2] for key, where in origins.items() if key.startswith("pools")}
    assert lines["pools[1]"] == "4"
    assert (lines["pools[1].max"], lines["pools[1].env"]) == ("8", "14")
    assert (lines["pools[2]"], lines["pools[2].ttl"]) == ("17", "18")


def test_inline_entries_are_entries_too(tmp_path: Path) -> None:
    """TOML has two ways to write a list of tables."""
    loaded = read(tmp_path, 'pools = [{ label = "koyeb-*", max = 3 }]\n')
    assert loaded.settings.pools == (PoolEntry(label="koyeb-*", max=3),)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("imge = 'x'\nttl = '5m'", "some.toml:2: pools[1].imge is not a setting; did you mean image?"),
        ("credential = 'jit'\nttl = '5m'", "an entry has label, repository, lifecycle"),
        ("ttl = 'soon'", "some.toml:2: pools[1].ttl: 'soon' is not a duration"),
        ("max = 0", "pools[1].max: '0' is out of range"),
        ("max = true", "pools[1].max: 'true' is not a whole number"),
        ("min_idle = -1", "out of range"),
        ("image = 'koyeb/github runner'", "pools[1].image: 'koyeb/github runner' is not an image name"),
        ("image = 3", "pools[1].image: 3 is not a text"),
        ("label = 7\nmax = 1", "pools[1].label: 7 is not a text"),
        ("lifecycle = 'forever'", "neither reusable nor ephemeral"),
        ("extra_labels = [1]", "not all are texts"),
        ("docker = 'perhaps'", "neither true nor false"),
        ("env = 'A=b'", "pools[1].env: write a table of texts"),
        ("env = { A = 1 }", "A is not a text"),
        ("env = { 'A B' = 'x' }", "'A B' cannot name a variable"),
        ("env = { GITHUB_TOKEN = 'x' }", "GITHUB_TOKEN is given by krs itself"),
        ("env = { krs_name = 'x' }", "krs_name is given by krs itself"),
        ("label = 'koyeb-*'", "some.toml:1: pools[1] sets nothing: give it one of lifecycle, ttl, max"),
    ],
)
def test_each_mistake_of_an_entry_is_one_line_with_its_place(tmp_path: Path, body: str, words: str) -> None:
    """What, where, and what to write instead."""
    (line,) = problems(tmp_path, f"[[pools]]\n{body}\n")
    assert words in line


def test_all_mistakes_of_all_entries_are_found_at_once(tmp_path: Path) -> None:
    """And those of the rest of the file with them."""
    lines = problems(
        tmp_path, "[runners]\nttl = 'x'\n[[pools]]\nttl = 'y'\nmax = 'z'\n[[pools]]\nenv = { REPO_URL = 'u', B = 1 }\n"
    )
    assert [line.split(": ")[1] for line in lines] == ["pools[1].ttl", "pools[1].max", "pools[2].env", "runners.ttl"]
    assert "REPO_URL" in lines[2]
    assert "B is not a text" in lines[2]


@pytest.mark.parametrize("text", ["pools = 3\n", "[pools]\nttl = '5m'\n", "pools = ['koyeb-*']\n"])
def test_pools_must_be_a_list_of_tables(tmp_path: Path, text: str) -> None:
    """The line says how an entry begins."""
    (line,) = problems(tmp_path, text)
    assert "some.toml:1: pools is a list of tables: begin each entry with [[pools]]" in line


@pytest.mark.parametrize(
    ("first", "second", "shadowed"),
    [
        ("label = '*'", "label = 'koyeb-fra-*'", True),
        ("label = 'koyeb-*'", "label = 'KOYEB-fra-*-small'", True),
        ("label = 'koyeb-*'", "label = 'koyeb-*'", True),
        ("repository = 'acme/*'", "repository = 'Acme/api'", True),
        ("label = 'koyeb-fra-*'", "label = 'koyeb-*'", False),
        ("label = 'koyeb-fra-*'", "repository = 'acme/*'", False),
        ("label = 'koyeb-fra-????'", "label = 'koyeb-fra-a*bc'", False),
        ("label = 'koyeb-fra-[s*]mall'", "label = 'koyeb-fra-*mall'", False),
    ],
)
def test_an_entry_that_an_earlier_one_shadows_is_warned_of(
    tmp_path: Path, first: str, second: str, shadowed: bool
) -> None:
    """Only when it surely never matches; the file is taken all the same."""
    warnings = read(tmp_path, f"[[pools]]\n{first}\nmax = 1\n[[pools]]\n{second}\nmax = 2\n").warnings
    assert bool(warnings) is shadowed
    assert not shadowed or "some.toml:4: pools[2] never matches: pools[1] takes all" in warnings[0]


@pytest.mark.parametrize(
    ("pattern", "mode", "words"),
    [
        ("label = 'small'", "repository", "labels begin with koyeb-"),
        ("label = 'acme-*'", "repository", "labels begin with koyeb-"),
        ("label = 'koyeb'", "repository", "labels begin with koyeb-"),
        ("repository = 'acme'", "repository", "write acme/*"),
        ("repository = 'acme/api'", "organization", "holds for all repositories of acme"),
        ("label = '*-small'", "repository", None),
        ("label = 'ko*'", "repository", None),
        ("repository = 'acme/*'", "organization", None),
        ("repository = 'acme'", "organization", None),
    ],
)
def test_an_entry_that_matches_other_than_it_looks_is_warned_of(
    tmp_path: Path, pattern: str, mode: str, words: str | None
) -> None:
    """Labels of another prefix, an owner where a repository is meant, a repository where all share their runners."""
    warnings = read(tmp_path, f"[[pools]]\n{pattern}\nmax = 1\n", MODE=mode).warnings
    assert [words in line for line in warnings if words] == ([True] if words else [])
    assert bool(warnings) is bool(words)


def test_the_example_of_an_entry_can_be_taken_as_it_is(tmp_path: Path) -> None:
    """Uncommented, the block of the example file is a valid entry that uses every key."""
    _, _, block = example().partition("#[[pools]]\n")
    lines = ["[[pools]]", *(row.removeprefix("#") for row in block.splitlines() if not row.startswith("# "))]
    (entry,) = read(tmp_path, "\n".join(lines)).settings.pools
    untouched = PoolEntry()
    assert [key for key in PoolEntry.__struct_fields__ if getattr(entry, key) == getattr(untouched, key)] == []


@pytest.mark.parametrize("credential", Credential)
def test_no_variable_of_the_start_can_be_overwritten(credential: Credential) -> None:
    """Whatever a container is started with is refused as a name of an entry's variable."""
    start = bootstrap.start(
        credential,
        name="n",
        scope="acme/api",
        labels=("l",),
        web_url="https://github.com",
        controller="default",
        docker=False,
        lifecycle=Lifecycle.REUSABLE,
    )
    assert [key for key, _ in start.env if key not in OUR_VARIABLES and not key.startswith(OUR_PREFIXES)] == []


@pytest.mark.parametrize(
    ("credential", "text", "words"),
    [
        ("jit", "[[pools]]\nmax = 1\n", "runners.credential: jit cannot start runners of runners.lifecycle reusable"),
        (
            "github-token",
            "[[pools]]\nlifecycle = 'ephemeral'\n",
            "cannot start runners of pools[1].lifecycle ephemeral (",
        ),
    ],
)
def test_a_credential_that_cannot_start_a_lifecycle_is_refused(
    tmp_path: Path, credential: str, text: str, words: str
) -> None:
    """Also when only an entry asks for it."""
    (line,) = problems(tmp_path, text, KRS_RUNNERS_CREDENTIAL=credential)
    assert line.startswith("KRS_RUNNERS_CREDENTIAL: ")
    assert words in line
