"""Each check, from evidence to finding, message and advice."""

from typing import Any

import pytest
from msgspec.structs import replace

from krs.config.settings import Github, Runners, Settings, Webhook
from krs.core.model import Event, Instant
from krs.core.vocabulary import CheckName, Credential, EventKind, Finding, Reason
from krs.doctor import judge
from krs.doctor.evidence import HooksSeen, ScopeSeen
from krs.doctor.meter import Budget
from krs.errors import Throttled, Unknown, Unreached
from krs.github import Denied
from krs.koyeb import Organization, Quotas
from krs.secret import Secret
from krs.store import StoreFull
from krs.store.look import Look
from tests.core.build import at, job
from tests.doctor.healthy import HEALTHY, HOOK, NOW, SETTINGS, checked, delivery, hooks, inside, pool

OK, WARN, FAIL, SKIPPED = Finding.OK, Finding.WARN, Finding.FAIL, Finding.SKIPPED
BAD = Denied("koyeb GET /v1/apps: 401 Invalid token format", status=401)
NEEDS = Denied("403 Resource not accessible", status=403, needs="administration=write")
APP = Settings(github=Github(app_id="1"))
QUOTA = {"blocked_until": at(900), "blocked_reason": Reason.QUOTA, "blocked_message": "no more than 1 service"}
UNHEARD: dict[str, Any] = {"receipts": {}}
ELSEWHERE = {
    "settings": replace(SETTINGS, webhook=Webhook(secret=Secret("hunter2-hook"), url="https://real.test")),
    "inside": None,
}
NO_HOOKS = (HooksSeen(place="acme/api", hooks=NEEDS),)
KILLED = Event(kind=EventKind.JOB_KILLED, at=at(0), message="job 7 was cut off")
OLD = Event(kind=EventKind.JOB_KILLED, at=Instant(NOW - 2 * 86_400), message="job 6 was cut off")
WASTEFUL = job(1, labels=("koyeb-fra-gigantic",)), job(2, labels=("koyeb-fra-gigantic",))


def koyeb(**fields: Any) -> dict[str, Any]:
    """Koyeb answered otherwise."""
    return {"koyeb": replace(HEALTHY.koyeb, **fields)}


def quotas(**fields: Any) -> dict[str, Any]:
    """Koyeb's quotas are these alone."""
    return koyeb(quotas=Quotas(**fields))


def knows(*facts: Any, known: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """The daemon knows otherwise."""
    return {"inside": inside(*facts, known=known, **fields)}


def sweep(name: str, **fields: Any) -> dict[str, Any]:
    """One of the two APIs answers the daemon like this."""
    found = inside()
    own, one = found.snapshot.upstreams[0], replace(found.snapshot.upstreams[0], name=name, **fields)
    upstreams = (one,) if name == own.name else (own, one)
    return {"inside": replace(found, snapshot=replace(found.snapshot, upstreams=upstreams))}


def scope(**fields: Any) -> dict[str, Any]:
    """GitHub refused something in the one scope."""
    return {"scopes": (ScopeSeen(scope="acme/api", **fields),)}


TAKEN = (delivery(2),)


def hook(log: Any = TAKEN, **fields: Any) -> dict[str, Any]:
    """The webhook is another, or its log is."""
    return {"hooks": hooks(replace(HOOK, **fields), log=log)}


def store(**fields: Any) -> dict[str, Any]:
    """The state file looks otherwise."""
    assert isinstance(HEALTHY.store, Look)
    return {"store": replace(HEALTHY.store, **fields)}


def test_nothing_is_wrong_with_a_healthy_installation() -> None:
    """Every check is made, in order, and none has anything to say."""
    found = judge.diagnose(HEALTHY)
    assert [check.name for check in found.checks] == list(CheckName)
    assert {check.finding for check in found.checks} == {OK}
    assert not any(check.advice for check in found.checks)


def test_without_a_daemon_what_only_it_knows_is_skipped() -> None:
    """The rest is checked all the same, and nothing fails for want of a daemon."""
    found = judge.diagnose(replace(HEALTHY, inside=None))
    skipped = {check.name.value for check in found.checks if check.finding is SKIPPED}
    names = "daemon koyeb_sweep github_sweep deliveries unplaceable_jobs pools limits killed_jobs"
    assert skipped == set(names.split())
    assert not any(check.finding is FAIL for check in found.checks)


def test_a_check_that_breaks_is_only_its_own_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in one judgement is a failure of that check, without any value in it; all others are made."""
    monkeypatch.setitem(judge.JUDGES, CheckName.CLOCK, lambda seen: iter([1 / 0]))
    found = {check.name: check for check in judge.diagnose(HEALTHY).checks}
    assert (found[CheckName.CLOCK].finding, found[CheckName.CLOCK].message) == (FAIL, "this check itself broke")
    assert len(found) == len(CheckName)


Case = tuple[str, dict[str, Any], Finding, str, str]

CASES: list[Case] = [
    ("daemon", knows(ready=False), FAIL, "waits for Koyeb's first list", "koyeb_sweep"),
    ("daemon", knows(paused=True), WARN, "everything is paused", "krs pools resume all"),
    ("koyeb_token", koyeb(token=BAD), FAIL, "401 Invalid token", "set KOYEB_TOKEN"),
    ("koyeb_token", koyeb(token=Unreached("no route")), FAIL, "no answer: no route", "check the network"),
    ("koyeb_token", koyeb(token=Throttled("429", after=9)), WARN, "not known", "by itself"),
    ("koyeb_token", koyeb(organization=None), OK, "before there is an app", ""),
    ("koyeb_token", koyeb(organization=Organization("o", "acme", "pro", "LOCKED")), FAIL, "which is LOCKED", "ask"),
    ("koyeb_quota", quotas(services="3"), FAIL, "full: 3 of 3 services", "a higher quota"),
    ("koyeb_quota", koyeb(quotas=Quotas(services="3"), app_services=BAD), FAIL, "full: 3 of 3 services", "quota"),
    ("koyeb_quota", quotas(services_by_app="3", services="9"), FAIL, "full: 3 of 3 services in the app", "quota"),
    ("koyeb_quota", quotas(max_instances_by_type={"small": "2"}), FAIL, "2 of 2 instances of type small", "quota"),
    ("koyeb_quota", quotas(instance_types=["nano"]), FAIL, "2 of 0 instances of type small", "quota"),
    ("koyeb_quota", quotas(), OK, "no limit is named", ""),
    ("koyeb_quota", koyeb(quotas=BAD), SKIPPED, "401 Invalid token", ""),
    (
        "koyeb_quota",
        {**koyeb(token=BAD, quotas=None), **knows(pools=(pool(**QUOTA),))},
        FAIL,
        "Koyeb refused a runner: no more than 1 service",
        "quota",
    ),
    ("koyeb_budget", {"budgets": {"koyeb": Budget(0, 400, 12.0)}}, FAIL, "0 of 400 calls left; all again in 12s", "w"),
    ("koyeb_budget", {"budgets": {"koyeb": Budget(79, 400, None)}}, WARN, "79 of 400 calls left", "krs waits"),
    ("github_budget", {"budgets": {}}, SKIPPED, "no answer told", ""),
    ("koyeb_sweep", sweep("koyeb", failed_since=at(420)), FAIL, "no list for 3m00s", "koyeb_token"),
    ("koyeb_sweep", sweep("koyeb", answered_at=at(200)), WARN, "6m40s ago", "koyeb_token"),
    ("koyeb_sweep", sweep("koyeb", answered_at=None), WARN, "never", "koyeb_token"),
    ("github_sweep", sweep("github acme/api"), OK, "1 scope with runners; last answer 30s ago", ""),
    (
        "github_sweep",
        sweep("github acme/api", ok=False, failed_since=at(540), message="no answer"),
        FAIL,
        "no answer for 1m00s",
        "github_credential",
    ),
    ("github_credential", {"github": BAD}, FAIL, "refused", "set GITHUB_TOKEN to a new token"),
    ("github_credential", {"github": BAD, "settings": APP}, FAIL, "refused", "github.private_key"),
    ("github_permissions", {"github": BAD}, SKIPPED, "github_credential", ""),
    ("github_permissions", {"scopes": ()}, SKIPPED, "no repository is known", "--scope"),
    ("github_permissions", scope(registers=NEEDS), FAIL, "be registered: it needs administration=write", "=write"),
    ("github_permissions", scope(jobs=Denied("404", status=404)), WARN, "not found: it needs to see it at all", "see"),
    ("github_permissions", scope(looks=Unknown("502")), WARN, "not known: 502", "by itself"),
    ("github_permissions", {"hooks": NO_HOOKS}, WARN, "the webhook cannot be looked at", "administration=write"),
    ("webhook", {"hooks": hooks(), **knows(known=UNHEARD)}, FAIL, "missing: no webhook", "acme/api/settings/hooks"),
    ("webhook", {"hooks": hooks(), **knows(known=UNHEARD)}, FAIL, "missing", "krs webhook install --scope acme/api"),
    ("webhook", {"hooks": hooks()}, WARN, "none here, yet a delivery came 30s ago", "nothing, if that is so"),
    (
        "webhook",
        {**hook(events=("push",)), "inside": None},
        FAIL,
        "missing: no webhook sends workflow_job; there is 1 other",
        "add one at",
    ),
    (
        "webhook",
        {**hook(), **ELSEWHERE},
        FAIL,
        "workflow_job to https://real.test; there is 1 other",
        "krs webhook install",
    ),
    ("webhook", {**hook(url="https://real.test"), **ELSEWHERE}, OK, "https://real.test", ""),
    ("webhook", {**hook(url="https://real.test/webhook"), **ELSEWHERE}, WARN, "it delivers to", "krs webhook install"),
    ("webhook", hook(active=False), FAIL, "it is switched off", "tick Active"),
    ("webhook", hook(url="", active=False), FAIL, "it has no address", "give it this daemon's address"),
    ("webhook_deliveries", hook(url=""), SKIPPED, "see webhook", ""),
    ("webhook", hook(content_type="form"), WARN, "content type is form", "settings"),
    ("webhook", hook(events=("*",)), WARN, "sends *", "settings"),
    ("webhook", {"hooks": NO_HOOKS}, SKIPPED, "github_permissions", ""),
    ("webhook", {"hooks": NO_HOOKS, **knows(known=UNHEARD)}, FAIL, "may be missing", "add one at"),
    ("webhook", {"hooks": (), **knows(known=UNHEARD)}, FAIL, "no repository is known", "API_SECRET"),
    ("webhook", {"hooks": ()}, SKIPPED, "no repository is known", ""),
    ("webhook_deliveries", {"hooks": hooks()}, SKIPPED, "see webhook", ""),
    ("webhook_deliveries", hook(log=()), WARN, "has sent nothing", "queue a job"),
    ("webhook_deliveries", hook(log=Unknown("502")), WARN, "not known: 502", "by itself"),
    ("webhook_deliveries", hook(log=(delivery(3, code=401), delivery(2))), FAIL, "30s ago, was answered 401", "SECRET"),
    ("webhook_deliveries", hook(log=(delivery(3, code=502),)), FAIL, "502", "leads to this daemon"),
    ("webhook_deliveries", hook(log=(delivery(3), delivery(2, code=504))), WARN, "1 delivery of a day", "for them"),
    (
        "webhook_deliveries",
        hook(log=(delivery(3, guid="a"), delivery(2, code=504, guid="a"))),
        OK,
        "was answered 202",
        "",
    ),
    (
        "webhook_deliveries",
        knows(known={"receipts": {"accepted": at(100)}}),
        FAIL,
        "but not by this",
        "leads elsewhere",
    ),
    ("webhook_deliveries", knows(known={"receipts": {}, "started_at": at(560)}), OK, "202", ""),
    ("deliveries", knows(known=UNHEARD), WARN, "none has come since krs started 10m00s ago", "webhook"),
    ("deliveries", knows(known={"receipts": {}, "delivered_at": at(0)}), OK, "10m00s ago", ""),
    (
        "deliveries",
        knows(known={"receipts": {"accepted": at(0), "bad_signature": at(540)}}),
        FAIL,
        "refused 1m00s ago for its signature",
        "API_SECRET",
    ),
    ("store", {"store": StoreFull("state file /state.db: full")}, FAIL, "full", "deliveries are refused"),
    ("store", knows(known={"written": StoreFull("disk full")}), FAIL, "disk full", "deliveries are refused"),
    ("store", store(free=2**20), FAIL, "1.0 MiB free", "make room"),
    ("store", store(free=2**27), WARN, "128.0 MiB free", "make room"),
    ("store", store(size=2**31), WARN, "2,048.0 MiB", "state.keep"),
    ("store", store(schema=99), FAIL, "schema 99 is newer", "upgrade krs"),
    ("store", store(schema=0), OK, "no file yet", ""),
    ("clock", {"ahead": {"koyeb": 61.0, "github": 1.0}}, FAIL, "61s behind koyeb", "NTP"),
    ("clock", {"ahead": {"github": -11.0}}, WARN, "11s ahead of github", "NTP"),
    ("clock", {"ahead": {}}, SKIPPED, "told the time", ""),
    ("unplaceable_jobs", knows(*WASTEFUL), WARN, "2 jobs of acme/api: koyeb-fra-gigantic", "no instance type of Koyeb"),
    ("pools", knows(pools=(pool(tripped_until=at(660)),)), FAIL, "tripped for 1m00s", "their logs"),
    ("pools", knows(pools=(pool(tripped_until=at(599)),)), OK, "1 pool", ""),
    ("pools", knows(pools=(pool(**QUOTA),)), FAIL, "blocked (quota): no more than 1", "krs pools resume"),
    ("pools", knows(pools=(pool(paused=True, paused_by="ana"),)), WARN, "paused by ana", "resume"),
    ("killed_jobs", knows(known={"killed": (OLD, KILLED)}), WARN, "1 job cut off in a day; last: job 7", "krs events"),
    ("killed_jobs", knows(known={"killed": (OLD,)}), OK, "none in a day", ""),
    (
        "runner_credential",
        {"settings": replace(SETTINGS, runners=Runners(credential=Credential.GITHUB_TOKEN))},
        WARN,
        "every job can read GITHUB_TOKEN",
        "registration-token",
    ),
    ("warnings", knows(warnings=("3 rows were unreadable",)), WARN, "3 rows were unreadable", ""),
    ("warnings", {"inside": None, "warnings": ("no secret",)}, WARN, "no secret", ""),
]


@pytest.mark.parametrize(("name", "changes", "finding", "message", "advice"), CASES)
def test_what_is_wrong_is_found_and_what_to_do_is_said(
    name: str, changes: dict[str, Any], finding: Finding, message: str, advice: str
) -> None:
    """One thing is changed in the healthy installation, and the check of its name finds exactly that."""
    (check,) = checked(name, **changes)
    assert check.finding is finding
    assert message in check.message
    assert advice in check.advice
    assert bool(check.advice) or finding in (OK, SKIPPED) or name == "warnings"


@pytest.mark.parametrize("reason", [Reason.MAX_TOTAL, Reason.CREATES_PER_HOUR, Reason.MAX_PER_POOL])
def test_a_limit_of_ours_is_named_with_its_setting(reason: Reason) -> None:
    """A job that waits for one of our own limits says which setting it is."""
    found = inside(job(1))
    jobs = tuple(replace(one, reason=reason) for one in found.snapshot.jobs)
    (check,) = checked("limits", inside=replace(found, snapshot=replace(found.snapshot, jobs=jobs)))
    assert (check.finding, check.subject, check.message) == (WARN, reason, "reached: 1 job must wait")
    assert check.advice == f"wait, or raise runners.{reason}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://krs.test/webhook", "https://krs.test/webhook"),
        ("https://ana:hunter2@krs.test:8443/?key=hunter2#hunter2", "https://krs.test:8443/"),
        ("https://krs.test:port/", "an address that is none"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret_in_it(url: str, shown: str) -> None:
    """Of a webhook's address, in both checks that name it, what authenticates is left out."""
    for name, changes in (("webhook", hook(url=url)), ("webhook_deliveries", hook(url=url, log=()))):
        (check,) = checked(name, **changes)
        assert shown in check.message
        assert "hunter2" not in repr(check)


def test_an_address_that_is_not_the_one_set_is_shown_without_secrets_too() -> None:
    """Beside `webhook.url` the hook's own address is told, but not what authenticates in it."""
    settings = replace(SETTINGS, webhook=Webhook(url="https://krs.test/webhook"))
    (check,) = checked("webhook", settings=settings, **hook(url="https://ana:hunter2@krs.test/"))
    assert (check.finding, "hunter2" in repr(check)) == (WARN, False)
    assert "it delivers to https://krs.test/" in check.message


def test_every_scope_with_a_problem_has_its_lines() -> None:
    """Of two repositories the one that lacks something is named, once for each thing."""
    scopes = (ScopeSeen(scope="acme/api"), ScopeSeen(scope="acme/web", looks=NEEDS, registers=NEEDS))
    found = checked("github_permissions", scopes=scopes)
    assert [(check.subject, check.finding) for check in found] == [("acme/web", FAIL), ("acme/web", FAIL)]


def test_no_secret_is_in_any_diagnosis() -> None:
    """Whatever is wrong, what the settings keep is not told."""
    for name, changes, *_ in CASES:
        assert "hunter2" not in repr(checked(name, **changes))
