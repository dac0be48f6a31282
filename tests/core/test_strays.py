"""Registrations without a runner: which are ours to remove, and when."""

import pytest

from krs.core import commands as c
from krs.core import facts as f
from krs.core.absorb import absorb
from krs.core.decide import decide
from krs.core.model import Instant, Name, Probe, Scope, World
from tests.core.build import POLICY as RULES

SCOPE = Scope("acme/api")
START = Instant(1_800_000_000)


def listed(at: float, *runners: f.RegistrationSeen) -> f.RegistrationsListed:
    """GitHub's list of the scope."""
    return f.RegistrationsListed(scope=SCOPE, asked_at=Instant(at), runners=runners)


def seen(
    name: str = "runner-fra-small-1z14azh", label: str = "koyeb-fra-small", observed: f.Observed = f.Observed.OFFLINE
) -> f.RegistrationSeen:
    """One row of it."""
    return f.RegistrationSeen(name=Name(name), id=7, observed=observed, labels=(label,))


def removals(at: float, *facts: f.Fact) -> list[c.RemoveRegistration]:
    """What is to be removed at an instant, after some facts."""
    world = World(koyeb=Probe(answered_at=START))
    for fact in facts:
        world = absorb(world, fact, START, RULES)
    return [command for command in decide(world, Instant(at), RULES)[1] if isinstance(command, c.RemoveRegistration)]


def test_a_registration_that_stays_offline_is_removed() -> None:
    """Not before twice the boot timeout: another daemon may be starting its runner just now."""
    wait = 2 * RULES.boot_timeout
    assert removals(START + wait - 1, listed(START, seen()), listed(START + 300, seen())) == []
    (command,) = removals(START + wait, listed(START, seen()), listed(START + 300, seen()))
    assert (command.scope, command.name, command.id) == (SCOPE, "runner-fra-small-1z14azh", 7)


@pytest.mark.parametrize(
    "other",
    [
        seen(observed=f.Observed.IDLE),
        seen(observed=f.Observed.BUSY),
        seen(name="runner-fra-small"),
        seen(name="runner-fra-small-it"),
        seen(name="build-machine-7"),
        seen(label="self-hosted"),
        seen(label="koyeb-was-small"),
    ],
    ids=["online", "busy", "of the Go program", "too short", "another name", "another label", "another region"],
)
def test_registrations_of_others_are_never_touched(other: f.RegistrationSeen) -> None:
    """Whatever is online, or is not named and labelled as ours are, stays for ever."""
    assert removals(START + 1e6, listed(START, other)) == []


def test_one_that_came_back_begins_anew() -> None:
    """Seen online in between, it was no stray."""
    back = listed(START + 600, seen(observed=f.Observed.IDLE))
    assert removals(START + 1300, listed(START, seen()), back, listed(START + 900, seen())) == []


def test_what_was_removed_is_not_asked_for_again() -> None:
    """Nor is one on which GitHub says that a job runs."""
    for busy in (False, True):
        done = f.RegistrationRemoved(scope=SCOPE, name=seen().name, id=7, busy=busy)
        assert removals(START + 1e6, listed(START, seen()), done) == []
