"""`krs config explain`: what would happen to a job, and which setting is why. Asks nobody; needs no token."""

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from krs.cli.daemon import read_settings
from krs.cli.errors import USAGE, CliError
from krs.cli.options import CONFIG
from krs.config import Loaded
from krs.config.describe import span
from krs.config.policy import policy_of
from krs.core.admission import allowed_by, denied_by
from krs.core.explain import EXAMPLE_JOB, Explanation, Verdict
from krs.core.explain import explain as explained
from krs.core.names import is_repository
from krs.core.policy import Policy
from krs.core.vocabulary import PublicRepositories

TERMS = {
    "lifecycle": ("lifecycle", "runners.lifecycle"),
    "credential": ("credential", "runners.credential"),
    "ttl": ("ttl", "runners.ttl"),
    "max": ("maximum", "runners.max_per_pool"),
    "min_idle": ("min_idle", "runners.min_idle"),
    "image": ("image", "runners.image"),
    "docker": ("docker", "runners.docker"),
    "env": ("env", ""),
}
"""What an entry of `[[pools]]` may set: the field of the pool's terms, and the setting that holds otherwise."""

LIMITS = (
    "runners.max_total",
    "runners.creates_per_hour",
    "runners.max_hourly_cost",
    "runners.surplus_ttl",
    "runners.boot_timeout",
    "runners.max_age",
)
PUBLIC = {
    PublicRepositories.ALLOW: "allow: no matter whether it is public or a fork",
    PublicRepositories.WARN: "warn: served as well if it is public or a fork, with a warning",
    PublicRepositories.DENY: "deny: unplaceable (public_repository) if it is public or a fork",
}
Rows = dict[str, dict[str, Any]]


@click.command()
@click.argument("labels")
@click.argument("repository")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def explain(labels: str, repository: str, path: Path | None, as_json: bool) -> None:
    """Say what would happen to a job with LABELS (a,b,c) in REPOSITORY (owner/repo), and why."""
    from krs.koyeb.catalog import fallback

    words = [label.strip() for label in labels.split(",") if label.strip()]
    if not words:
        raise CliError("LABELS is empty: write koyeb-fra-small, or more with commas between", USAGE)
    if not is_repository(repository):
        raise CliError(f"{repository!r} is not owner/repo", USAGE)
    loaded = read_settings(path, {})
    policy = policy_of(loaded.settings, fallback())
    report = _report(explained(words, repository, policy), policy, loaded)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else "\n".join(_text(report)))


def _report(found: Explanation, policy: Policy, loaded: Loaded) -> dict[str, Any]:
    """Everything there is to say, as the JSON form has it."""
    report: dict[str, Any] = {
        **msgspec.to_builtins(found),
        "admission": _admission(found.repository, policy, loaded.origins),
        "catalog": policy.catalog.as_of,
    }
    del report["rule"]
    report["entry"] = None
    if found.rule is not None:
        entry = loaded.settings.pools[found.rule - 1]
        where = loaded.origins[f"pools[{found.rule}]"]
        report["entry"] = {
            "number": found.rule,
            "from": where,
            "label": entry.label,
            "repository": entry.repository,
        }
    report["terms"] = _terms(found, loaded.origins) if found.terms is not None else None
    report["limits"] = _limits(loaded)
    return report


def _admission(repository: str, policy: Policy, origins: dict[str, str]) -> Rows:
    denied, allowed = denied_by(repository, policy), allowed_by(repository, policy)
    texts = {
        "github.deny": f"refuses it: {denied}" if denied else "does not name it",
        "github.allow": f"lets it in: {allowed}" if allowed else "does not name it" if policy.allow else "is empty",
        "policy.public_repositories": PUBLIC[policy.public_repositories],
    }
    return {key: {"value": text, "from": origins[key]} for key, text in texts.items()}


def _terms(found: Explanation, origins: dict[str, str]) -> Rows:
    values = {key: getattr(found.terms, field) for key, (field, _) in TERMS.items()}
    values["env"] = dict(values["env"])
    return {
        key: {"value": msgspec.to_builtins(value), "from": _origin(key, TERMS[key][1], found, origins)}
        for key, value in values.items()
    }


def _origin(key: str, setting: str, found: Explanation, origins: dict[str, str]) -> str:
    """Where a term comes from: the entry that holds, else its setting."""
    entry = f"pools[{found.rule}]"
    if f"{entry}.{key}" in origins:
        return f"{entry}, {origins[f'{entry}.{key}']}"
    where = origins.get(setting, "default")
    return "fits the lifecycle" if key == "credential" and where == "default" else where


def _limits(loaded: Loaded) -> Rows:
    runners = loaded.settings.runners
    return {key: {"value": getattr(runners, key.partition(".")[2]), "from": loaded.origins[key]} for key in LIMITS}


def _text(report: dict[str, Any]) -> list[str]:
    labels = ", ".join(row["label"] for row in report["labels"])
    reason = f" ({report['reason']})" if report["reason"] else ""
    why = f": {report['advice']}" if report["advice"] else ""
    lines = [f"a job with [{labels}] in {report['repository']} is {report['verdict']}{reason}{why}", "", "labels"]
    lines += _columns([(row["label"], row["meaning"], _price(row)) for row in report["labels"]])
    lines += ["", "repository", *_rows(report["admission"])]
    if report["verdict"] == Verdict.SERVED:
        lines += [
            "",
            "pool",
            *_columns(_pool(report)),
            "",
            "terms",
            *_rows(report["terms"]),
            "",
            "limits",
            *_rows(report["limits"]),
        ]
    return [
        *lines,
        "",
        f"catalog: the table of {report['catalog']} in krs itself; a daemon reads Koyeb's own every day",
    ]


def _pool(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    entry = report["entry"]
    rows = [("pool", report["pool"], ""), ("scope", report["scope"], f"runners register at this {_kind(report)}")]
    rows.append(("runner", report["runner"], f"named for job {EXAMPLE_JOB}"))
    if entry is None:
        return [*rows, ("[[pools]]", "no entry matches", "")]
    said = f"entry {entry['number']}: label {entry['label']}, repository {entry['repository']}"
    return [*rows, ("[[pools]]", said, entry["from"])]


def _kind(report: dict[str, Any]) -> str:
    return "repository" if "/" in report["scope"] else "organization"


def _price(label: dict[str, Any]) -> str:
    if not label["region"]:
        return ""
    return "price not known" if label["price_hourly"] is None else f"{label['price_hourly']:.4f} USD an hour"


def _rows(rows: Rows) -> list[str]:
    return _columns([(key, _value(key, row["value"]), row["from"]) for key, row in rows.items()])


def _value(key: str, value: Any) -> str:  # noqa: ANN401 - any setting's type
    if isinstance(value, float) and not key.endswith("cost"):
        return span(value)
    if isinstance(value, dict):
        return " ".join(f"{name}={text}" for name, text in value.items()) or "-"
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _columns(rows: list[tuple[str, str, str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [f"  {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() for row in rows]
