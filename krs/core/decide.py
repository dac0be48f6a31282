"""`decide(world, now, policy) -> (world, commands)`: level-triggered, one rule after the other, a fixed point.

The order is part of the rules:

| # | rule   | when                                                     | then                                      |
|---|--------|----------------------------------------------------------|-------------------------------------------|
| 1 | RETIRE | an op expired; a runner failed, is lost, aged or expired | the op is forgotten; the runner unwanted  |
| 2 | TRIM   | planned runners exceed the demand                        | they are forgotten, nothing was bought    |
| 3 | FILL   | demand exceeds supply, and there is room                 | runners are planned; else jobs say why not|
| 4 | ACT    | per runner: no op in flight, past its back-off           | create, delete, protect, observe, look up |
| 5 | ASK    | jobs unconfirmed, lists due                              | questions to GitHub and Koyeb             |
| 6 | FORGET | gone or done for `keep_gone`                             | the rows go                               |

Every command is marked in the world as in flight, so `decide` of its own result gives no command. Before Koyeb was
listed once, nothing but that list is wanted: deciding on half a world buys twice.
"""

from krs.core import act, ask, fill, retire
from krs.core.commands import Command
from krs.core.draft import Draft
from krs.core.model import Instant, World
from krs.core.policy import Policy


def decide(world: World, now: Instant, policy: Policy) -> tuple[World, tuple[Command, ...]]:
    """What to do now; the world returned knows of it."""
    draft = Draft(world, now)
    if world.koyeb.answered_at is None:
        first = tuple(ask.list_services(draft, policy))
        return draft.done(), first
    retire.retire(draft, policy)
    fill.trim(draft, policy)
    fill.fill(draft, policy)
    commands = [*act.act(draft, policy), *ask.ask(draft, policy)]
    retire.forget(draft, policy)
    return draft.done(), tuple(commands)
