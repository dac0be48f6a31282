"""Which hooks are ours, by what their deliveries say."""

import pytest

from krs.core.model import Instant
from krs.core.vocabulary import Mode
from krs.daemon.roster import SEEN_AGAIN, Roster, scopes
from krs.store import KnownHook

ID, KIND = "X-GitHub-Hook-ID", "X-GitHub-Hook-Installation-Target-Type"
NOON = Instant(1000.0)


def known(roster: Roster) -> list[tuple[int, str]]:
    """Numbers and scopes."""
    return [(hook.id, hook.scope) for hook in roster.hooks()]


@pytest.mark.parametrize(
    ("headers", "learnt"),
    [
        ({ID: "42", KIND: "repository"}, [(42, "acme/api")]),
        ({ID: "42", KIND: "organization"}, [(42, "acme")]),
        ({ID: "42", KIND: "integration"}, [(0, "")]),
        ({ID: "42", KIND: "business"}, []),
        ({ID: "42"}, []),
        ({KIND: "repository"}, []),
        ({ID: "4/2", KIND: "repository"}, []),
        ({ID: "0", KIND: "repository"}, []),
        ({ID: "9" * 19, KIND: "repository"}, []),
        ({}, []),
    ],
)
def test_a_delivery_says_which_hook_sent_it(headers: dict[str, str], learnt: list[tuple[int, str]]) -> None:
    """A repository's, an organization's or the App's; anything else is left alone."""
    roster = Roster()
    roster.met(headers, "acme/api", "acme", NOON)
    assert known(roster) == learnt
    assert roster.news.is_set() is bool(learnt)


def test_a_hook_without_jobs_of_ours_is_heard_and_not_kept() -> None:
    """It proves that deliveries reach us, and its failures are none of our business."""
    roster = Roster()
    roster.met({ID: "42", KIND: "repository"}, "acme/api", "acme", NOON, ours=False)
    assert known(roster) == []
    assert roster.arrived.is_set()


def test_a_hook_is_written_once_a_day_and_when_its_repository_is_renamed() -> None:
    """Thousands of deliveries cost one write, and what was read of its log is kept."""
    roster = Roster([KnownHook(id=42, scope="acme/api", seen_at=NOON, read_to=Instant(7.0))])
    headers = {ID: "42", KIND: "repository"}
    roster.met(headers, "acme/api", "acme", Instant(NOON + 60))
    assert roster.unsaved() == ()
    roster.met(headers, "acme/web", "acme", Instant(NOON + 120))
    roster.met(headers, "acme/web", "acme", Instant(NOON + 121 + SEEN_AGAIN))
    (hook,) = roster.unsaved()
    roster.saved(hook)
    assert (hook.scope, hook.read_to, hook.seen_at) == ("acme/web", 7.0, NOON + 121 + SEEN_AGAIN)
    assert roster.unsaved() == ()
    assert not roster.news.is_set()


def test_where_a_hook_may_be_follows_the_mode() -> None:
    """At repositories or at their owners; a pattern names an owner at most."""
    allow, seen = ("acme/api", "other/*", "a?c/x", "*/y"), ("acme/web",)
    assert scopes(Mode.REPOSITORY, allow, seen) == ["acme/api", "acme/web"]
    assert scopes(Mode.ORGANIZATION, allow, seen) == ["acme", "other"]
