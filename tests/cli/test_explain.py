"""`krs config explain`: for labels right and wrong, what would happen and which setting is why."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from krs.cli.errors import CliError
from krs.cli.main import cli
from krs.core.explain import explain
from krs.core.policy import Policy, PoolRule
from tests.core.build import CATALOG, job, turn
from tests.core.build import swept as swept_world

FILE = """[github]
deny = ["Evil/*"]
[runners]
max_per_pool = 5
extra_labels = ["nightly"]
[[pools]]
repository = "nobody/*"
max = 1
[[pools]]
label = "koyeb-fra-*"
repository = "acme/*"
lifecycle = "ephemeral"
ttl = "30m"
extra_labels = ["fast"]
env = { LANG = "C" }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration, and no variable of the developer's."""
    monkeypatch.chdir(tmp_path)
    for name in ("KRS_CONFIG", "MODE", "PREFIX", "GITHUB_TOKEN", "KOYEB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "krs.toml").write_text(FILE)
    return tmp_path


def ask(labels: str, repository: str = "acme/api") -> dict[str, Any]:
    """The answer as JSON; the text form is made too."""
    arguments = ["config", "explain", labels, repository]
    text = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert (text.exit_code, text.output.count("\n\n") >= 2) == (0, True)
    found = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
    report: dict[str, Any] = json.loads(found.output)
    assert report["verdict"] in text.output.splitlines()[0]
    return report


@pytest.mark.parametrize(
    ("labels", "repository", "verdict", "reason"),
    [
        ("koyeb-fra-small", "acme/api", "served", None),
        ("KOYEB-Fra-Small,Self-Hosted,linux,X64", "acme/api", "served", None),
        ("koyeb-fra-small,fast,nightly", "acme/api", "served", None),
        ("koyeb-na-2-gpu-nvidia-a100", "acme/api", "served", None),
        ("koyeb-xyz-small", "acme/api", "unplaceable", "unknown_region"),
        ("koyeb-fra-gigantic", "acme/api", "unplaceable", "unknown_instance_type"),
        ("koyeb-sin-gpu-nvidia-a100", "acme/api", "unplaceable", "not_sold_in_region"),
        ("koyeb-fra-free", "acme/api", "unplaceable", "web_only"),
        ("koyeb-fra-small,koyeb-was-small", "acme/api", "unplaceable", "ambiguous_label"),
        ("koyeb-fra-small,gpu", "acme/api", "unplaceable", "label_not_covered"),
        ("koyeb-was-small,fast", "acme/api", "unplaceable", "label_not_covered"),
        ("koyeb-fra-small", "evil/api", "unplaceable", "repository_denied"),
        ("ubuntu-latest", "acme/api", "ignored", None),
    ],
)
def test_every_kind_of_job_is_explained(labels: str, repository: str, verdict: str, reason: str | None) -> None:
    """Served, ignored, or unplaceable with the code that the job would carry and what to do."""
    report = ask(labels, repository)
    assert (report["verdict"], report["reason"]) == (verdict, reason)
    assert bool(report["advice"]) is (verdict != "served")
    assert (report["pool"] is not None) is (verdict == "served")


def test_every_term_says_where_it_comes_from() -> None:
    """From the entry that holds, with its line; from a setting; by default."""
    report = ask("koyeb-fra-small,fast")
    assert report["entry"] == {"number": 2, "from": "krs.toml:9", "label": "koyeb-fra-*", "repository": "acme/*"}
    terms = report["terms"]
    assert terms["ttl"] == {"value": 1800.0, "from": "pools[2], krs.toml:13"}
    assert terms["max"] == {"value": 5, "from": "krs.toml:4"}
    assert terms["min_idle"] == {"value": 0, "from": "default"}
    assert terms["credential"] == {"value": "jit", "from": "fits the lifecycle"}
    assert terms["env"] == {"value": {"LANG": "C"}, "from": "pools[2], krs.toml:15"}
    assert report["limits"]["runners.max_total"] == {"value": 16, "from": "default"}
    assert (report["pool"], report["scope"]) == ("acme.api~koyeb-fra-small+fast", "acme/api")
    assert report["labels"][0]["price_hourly"] > 0
    assert report["admission"]["github.deny"]["from"] == "krs.toml:2"
    assert report["catalog"]


def test_without_an_entry_the_settings_hold() -> None:
    """A pool that no entry matches has none."""
    report = ask("koyeb-was-small")
    assert (report["entry"], report["terms"]["lifecycle"]["value"]) == (None, "reusable")


def test_in_organization_mode_the_owner_is_the_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the entry of a repository holds for all of the owner."""
    monkeypatch.setenv("MODE", "organization")
    report = ask("koyeb-fra-small")
    assert (report["scope"], report["pool"], report["entry"]["number"]) == ("acme", "acme~koyeb-fra-small", 2)


@pytest.mark.parametrize(
    ("label", "near"), [("koyeb-frx-small", "koyeb-fra-small"), ("koyeb-fra-smal", "koyeb-fra-small")]
)
def test_a_misspelt_label_is_told_the_nearest_one(label: str, near: str) -> None:
    """One that could be had."""
    assert f"did you mean {near}?" in ask(label)["labels"][0]["meaning"]


def test_a_machine_beyond_the_budget_is_said_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """No runner of that type fits below the ceiling, however long the job waits."""
    monkeypatch.setenv("KRS_RUNNERS_MAX_HOURLY_COST", "0.001")
    assert "runners.max_hourly_cost" in ask("koyeb-fra-small")["advice"]


@pytest.mark.parametrize(("labels", "repository"), [(" , ", "acme/api"), ("koyeb-fra-small", "acme"), ("l", "a/b/c")])
def test_what_cannot_be_asked_is_a_usage_error(labels: str, repository: str) -> None:
    """Exit 2, one line."""
    with pytest.raises(CliError) as problem:
        cli.main(["config", "explain", labels, repository], standalone_mode=False)
    assert problem.value.code == 2
    assert "\n" not in problem.value.message


@pytest.mark.parametrize(
    "labels", [("koyeb-fra-small",), ("KOYEB-fra-small", "Linux"), ("koyeb-fra-small", "gpu"), ("x",)]
)
def test_what_is_explained_is_what_the_scheduler_does(labels: tuple[str, ...]) -> None:
    """The verdict, the pool and the reason are those of a job that really comes."""
    policy = Policy(catalog=CATALOG, rules=(PoolRule(label="koyeb-fra-*", maximum=2),))
    found = explain(labels, "acme/api", policy)
    world, _ = turn(swept_world(policy), job(1, labels=labels), policy=policy)
    seen = world.jobs.get(1)  # type: ignore[call-overload]
    assert ((seen.pool, seen.reason) if seen else (None, None)) == (found.pool, found.reason)
