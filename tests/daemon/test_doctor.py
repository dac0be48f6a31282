"""The doctor of the real daemon, against the simulated cloud."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from krs.config.settings import Github, Settings
from krs.core.model import Scope
from krs.core.views import Check, StartBody
from krs.core.vocabulary import CheckName, Finding, Reason
from krs.daemon.checkup import offline
from krs.doctor import doctor
from krs.secret import Secret
from krs.sim.moods import Moods
from krs.sim.world import SECRET
from tests.daemon.conftest import House
from tests.github.keys import rsa_key

FULL = Moods(quota=1)


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every diagnosis is a new one."""
    monkeypatch.setattr(doctor, "KEPT", 0.0)


async def found(house: House) -> dict[CheckName, Check]:
    """The worst of each check."""
    order = [Finding.OK, Finding.SKIPPED, Finding.WARN, Finding.FAIL]
    checks = sorted((await house.daemon.scheduler.doctor()).checks, key=lambda check: order.index(check.finding))
    return {check.name: check for check in checks}


async def fill(house: House) -> None:
    """Without any webhook, start two runners where the quota allows one."""
    house.simulation.set_moods(FULL)
    await house.up()
    await house.until(lambda: house.daemon.ready()[0])
    house.simulation.deliveries.point_at("")
    for _ in range(2):
        await house.daemon.scheduler.start(StartBody(label="koyeb-fra-small", scope=Scope("acme/api")), by="ana")
    await house.until(
        lambda: any(pool.blocked_reason is Reason.QUOTA for pool in house.daemon.scheduler.snapshot().pools)
    )


@pytest.mark.parametrize("revoked", ["koyeb", "github"])
async def test_a_revoked_token_a_missing_webhook_and_a_full_quota_are_named_with_what_to_do(
    house: House, revoked: str
) -> None:
    """Whichever of the two tokens no longer works, all three are failures, each with its way out."""
    await fill(house)
    before = await found(house)
    assert before[CheckName.WEBHOOK].message == "missing: no webhook sends workflow_job"
    assert before[CheckName.KOYEB_QUOTA].message == "full: 1 of 1 services"
    assert before[CheckName.KOYEB_TOKEN].message == "works: organization acme, plan pro"
    house.simulation.set_moods(replace(FULL, **{f"{revoked}_revoked": True}))
    after = await found(house)
    token = CheckName.KOYEB_TOKEN if revoked == "koyeb" else CheckName.GITHUB_CREDENTIAL
    for name, advice in (
        (token, f"set {revoked.upper()}_TOKEN"),
        (CheckName.WEBHOOK, "add one at https://github.com/acme/api/settings/hooks"),
        (CheckName.KOYEB_QUOTA, "ask Koyeb for a higher quota"),
    ):
        assert after[name].finding is Finding.FAIL
        assert advice in after[name].advice


async def test_a_healthy_daemon_has_nothing_to_complain_of(house: House) -> None:
    """With a webhook that delivers and a job that was served every check is ok.

    But for those that measure seconds, of which 300 pass here in one.
    """
    await house.up()
    house.simulation.queue("acme/api", ("koyeb-fra-small",), seconds=30)
    await house.until(lambda: house.simulation.stats()["served"] == 1)
    checks = await found(house)
    wrong = {name.value: check.message for name, check in checks.items() if check.finding is not Finding.OK}
    assert wrong.keys() <= {"koyeb_budget", "koyeb_sweep", "clock"}, wrong
    assert "1 scope" in checks[CheckName.GITHUB_SWEEP].message


async def test_what_the_credential_lacks_is_named_exactly(house: House) -> None:
    """The permission that GitHub names in its refusal is the one that the operator is told to give."""
    await house.up()
    house.simulation.queue("acme/api", ("koyeb-fra-small",), seconds=3000)
    await house.until(lambda: house.daemon.scheduler.snapshot().totals.busy == 1)
    house.simulation.forge.lacks |= {"actions", "repository_hooks"}
    diagnosis = await house.daemon.scheduler.doctor()
    permissions = [check.advice for check in diagnosis.checks if check.name is CheckName.GITHUB_PERMISSIONS]
    assert permissions == ["give the credential actions=read", "give the credential repository_hooks=read"]


async def test_a_delivery_with_another_secret_is_a_failure(house: House) -> None:
    """Both sides tell: GitHub's log shows 401, and the daemon refused a signature."""
    await house.up()
    house.simulation.queue("acme/api", ("koyeb-fra-small",), seconds=30)
    answers = house.simulation.deliveries.answers
    await house.until(lambda: answers[202] == 3)
    for hook in house.simulation.forge.hooks.of("acme/api"):
        hook.config["secret"] = "another"
    house.simulation.queue("acme/api", ("koyeb-fra-small",), seconds=30)
    await house.until(lambda: answers[401] > 0)
    checks = await found(house)
    for name in (CheckName.WEBHOOK_DELIVERIES, CheckName.DELIVERIES):
        assert checks[name].finding is Finding.FAIL
        assert "API_SECRET" in checks[name].advice


async def test_an_outage_is_an_answer_and_not_an_error(house: House) -> None:
    """With both APIs down, and one that never answers, a diagnosis is still made."""
    await house.up()
    house.simulation.set_moods(Moods(koyeb_down=True, github_down=True))
    checks = await found(house)
    assert "no answer" in checks[CheckName.KOYEB_TOKEN].message
    assert "no answer" in checks[CheckName.GITHUB_CREDENTIAL].message
    assert checks[CheckName.STORE].finding is Finding.OK


async def test_a_question_without_end_ends(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is never answered is given up, and only its own check suffers."""
    monkeypatch.setattr("krs.doctor.gather.LIMIT", 0.2)
    await house.up()
    house.simulation.set_moods(Moods(koyeb_hangs=1.0))
    checks = await found(house)
    assert checks[CheckName.KOYEB_TOKEN].message == "no answer: no answer within 0.2s"
    assert checks[CheckName.GITHUB_CREDENTIAL].finding is Finding.OK


async def test_asking_often_does_not_ask_the_apis_often(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A diagnosis is given again for a while."""
    monkeypatch.setattr(doctor, "KEPT", 1e9)
    await house.up()
    first = await house.daemon.scheduler.doctor()
    assert await house.daemon.scheduler.doctor() is first


async def test_without_a_daemon_the_configuration_is_checked(house: House) -> None:
    """A repository that is named, its missing webhook, and the tokens; what needs a daemon is skipped."""
    settings = house.settings()
    diagnosis = await offline(settings, house.path, ["acme/api"], ["odd"])
    checks = {check.name: check for check in diagnosis.checks}
    assert checks[CheckName.KOYEB_TOKEN].finding is Finding.OK
    assert checks[CheckName.WEBHOOK].message == "missing: no webhook sends workflow_job"
    assert checks[CheckName.DAEMON].finding is Finding.SKIPPED
    assert checks[CheckName.WARNINGS].message == "odd"
    assert SECRET not in repr(diagnosis)


async def test_an_app_has_one_webhook_for_all_repositories(house: House) -> None:
    """An App's hook is looked at with its JWT; the repositories' own are of no interest."""
    house.simulation.add_app("1", rsa_key())
    house.simulation.forge.hooks.app.config |= {"url": "https://krs.test/", "secret": "s"}
    github = Github(app_id="1", private_key=Secret(rsa_key()), api_url=house.simulation.github_url, allow=("acme/api",))
    settings = replace(house.settings(), github=github)
    checks = {check.name: check for check in (await offline(settings, house.path, (), ())).checks}
    assert checks[CheckName.GITHUB_CREDENTIAL].message == "the App works"
    assert checks[CheckName.GITHUB_PERMISSIONS].message == "may do all that is asked in acme/api"
    hook = checks[CheckName.WEBHOOK]
    assert (hook.subject, hook.message) == ("the App", "https://krs.test/: active, JSON, signed, only jobs")


async def test_nothing_is_configured_yet(tmp_path: Path) -> None:
    """Without any token nobody is asked, and what is missing is said."""
    diagnosis = await offline(Settings(), tmp_path / "state.db", (), ())
    failed = {check.name: check.message for check in diagnosis.checks if check.finding is Finding.FAIL}
    assert list(failed) == [CheckName.KOYEB_TOKEN, CheckName.GITHUB_CREDENTIAL]
    assert "KOYEB_TOKEN" in failed[CheckName.KOYEB_TOKEN]
    assert any("API_SECRET" in check.message for check in diagnosis.checks if check.name is CheckName.WARNINGS)
