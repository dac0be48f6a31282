"""What the daemon's service is to be, and what differs from what is there."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from krs.config import load
from krs.config.settings import Admin, Github, Koyeb, PoolEntry, Runners, Settings, Webhook
from krs.core.vocabulary import Lifecycle, Mode
from krs.deploy.differences import differences
from krs.deploy.wanted import Choice, secret_name, wanted
from krs.secret import Secret

CHOICE = Choice(app="krs", service="krs", image="acme/krs:1", region="fra", instance_type="eco-nano")
SETTINGS = Settings(
    koyeb=Koyeb(token=Secret("k0yeb-t0ken"), safety_ttl=7200.0),
    github=Github(token=Secret("g1thub-t0ken"), mode=Mode.ORGANIZATION, allow=("acme/*",)),
    webhook=Webhook(secret=Secret("s3cr3t-of-the-hook")),
    admin=Admin(token=Secret("adm1n-t0ken-of-16")),
    runners=Runners(lifecycle=Lifecycle.EPHEMERAL, max_total=4, max_hourly_cost=1.5),
    pools=(PoolEntry(label="koyeb-fra-*", ttl=600.0, env={"A": "b"}), PoolEntry(docker=False)),
)


def test_the_environment_holds_references_only() -> None:
    """Each secret is a variable that names a Koyeb secret; no value stands anywhere in the definition."""
    plan = wanted(SETTINGS, CHOICE)
    definition = plan.service.definition()
    assert {row["key"]: row["secret"] for row in definition["env"]} == {
        "KRS_ADMIN_TOKEN": "krs-krs-admin-token",
        "KRS_GITHUB_TOKEN": "krs-krs-github-token",
        "KRS_KOYEB_TOKEN": "krs-krs-koyeb-token",
        "KRS_WEBHOOK_SECRET": "krs-krs-webhook-secret",
    }
    assert all("value" not in row for row in definition["env"])
    for secret in plan.secrets.values():
        assert secret.reveal() not in str(definition)


def test_the_file_in_the_container_says_what_was_set(tmp_path: Path) -> None:
    """Read with the secrets' variables, it gives the settings again."""
    plan = wanted(SETTINGS, CHOICE)
    file = tmp_path / "krs.toml"
    file.write_text(plan.service.files[0].content, encoding="utf-8")
    environ = {var.key: plan.secrets[var.secret].reveal() for var in plan.service.env}
    assert load({}, environ, file).settings == SETTINGS


def test_what_belongs_to_this_machine_stays_here() -> None:
    """Address, port and state file are those of the container."""
    here = replace(
        SETTINGS,
        server=replace(SETTINGS.server, port=9),
        state=replace(SETTINGS.state, path=Path("x.db"), keep=60.0),
    )
    content = wanted(here, CHOICE).service.files[0].content
    assert "port" not in content
    assert "x.db" not in content
    assert 'keep = "60s"' in content


def test_what_koyeb_would_replace_is_refused() -> None:
    """Koyeb interpolates files too."""
    with pytest.raises(ValueError, match="Koyeb would replace"):
        wanted(replace(SETTINGS, pools=(PoolEntry(env={"A": "{{ secret.x }}"}),)), CHOICE)


def stored(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition as Koyeb gives it back: with fields of its own, other orders, scopes everywhere."""
    return {
        **definition,
        "env": [
            {"scopes": [], "key": row["key"], "value": f"{{{{ secret.{row['secret']} }}}}"}
            for row in reversed(definition["env"])
        ],
        "ports": [{**row, "scopes": ["region:fra"]} for row in definition["ports"]],
        "docker": {**definition["docker"], "privileged": False, "command": ""},
        "strategy": {"type": "DEPLOYMENT_STRATEGY_TYPE_DEFAULT"},
        "volumes": [],
    }


def test_what_koyeb_adds_is_no_difference() -> None:
    """Fields, scopes and orders that are Koyeb's own."""
    definition = wanted(SETTINGS, CHOICE).service.definition()
    assert differences(stored(definition), definition) == ()


@pytest.mark.parametrize(
    ("choice", "settings", "parts"),
    [
        (replace(CHOICE, image="acme/krs:2"), SETTINGS, ("docker",)),
        (replace(CHOICE, instance_type="nano"), SETTINGS, ("instance_types",)),
        (replace(CHOICE, region="was"), SETTINGS, ("regions",)),
        (replace(CHOICE, volume="v-1"), SETTINGS, ("volumes",)),
        (CHOICE, replace(SETTINGS, runners=Runners()), ("config_files",)),
        (CHOICE, replace(SETTINGS, webhook=Webhook(secret=Secret("other"))), ("config_files",)),
        (CHOICE, replace(SETTINGS, admin=Admin()), ("env", "config_files")),
    ],
)
def test_what_was_changed_is_named(choice: Choice, settings: Settings, parts: tuple[str, ...]) -> None:
    """Also a secret, whose value stands nowhere."""
    now = stored(wanted(SETTINGS, CHOICE).service.definition())
    assert differences(now, wanted(settings, choice).service.definition()) == parts


def test_a_volume_that_is_no_longer_wanted_is_a_difference() -> None:
    """What goes is seen too."""
    now = wanted(SETTINGS, replace(CHOICE, volume="v-1")).service.definition()
    assert differences(now, wanted(SETTINGS, CHOICE).service.definition()) == ("volumes",)


def test_a_service_is_not_called_like_a_runner() -> None:
    """The sweep would take it for one."""
    with pytest.raises(ValueError, match="those of runners"):
        wanted(SETTINGS, replace(CHOICE, service="runner-x"))


def test_a_secrets_name_fits_koyeb() -> None:
    """However long app and service are called; two of them never share one."""
    names = [secret_name("a" * 60, service, "koyeb.token") for service in ("one", "two")]
    assert all(len(name) <= 63 for name in names)
    assert names[0] != names[1]
