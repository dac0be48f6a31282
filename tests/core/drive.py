"""Two ways to drive a walk: Hypothesis, which shrinks what it finds, and seeds, which are fast and stay the same."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.core.laws import check, finish
from tests.core.walk import FAULTS, HOUSES, ORDINARY, Move, Walk

DAY = 86_400.0
NETS = (DAY, DAY, 3 * 3600.0)
"""After how many seconds Koyeb deletes a service by itself."""
SWARM = 0.3
"""The share of the faults that may happen in one walk: many at once hide each other."""


@dataclass
class Tally:
    """What was walked through, to be printed."""

    walks: int = 0
    moves: int = 0
    turns: int = 0
    jobs: int = 0
    runners: int = 0
    kills: int = 0

    def add(self, walk: Walk, moves: int) -> None:
        """Count a walk that came to its end."""
        self.walks += 1
        self.moves += moves
        self.turns += walk.turns()
        self.jobs += len(walk.outside.jobs)
        self.runners += len(walk.outside.created)
        self.kills += walk.kills

    def __str__(self) -> str:
        return (
            f"{self.walks} walks of {self.moves} moves: {self.turns} turns, {self.jobs} jobs, {self.runners} runners, "
            f"the process killed {self.kills} times"
        )


class Machine(RuleBasedStateMachine):
    """A walk driven by Hypothesis: each run draws its few faults first, then move after move."""

    walk: Walk
    menu: list[str]
    tally: Tally
    moves = 0

    @initialize(
        house=st.integers(0, len(HOUSES) - 1),
        net=st.sampled_from(NETS),
        faults=st.sets(st.sampled_from([fault.__name__ for fault in FAULTS]), max_size=8),
    )
    def settle_in(self, house: int, net: float, faults: set[str]) -> None:
        """What the operator configured, and what may go wrong."""
        self.walk = Walk(house, net)
        ordinary = [move.__name__ for move in ORDINARY]
        self.menu = [*ordinary, *ordinary, *sorted(faults)]

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        """One move, with its choices."""
        name = data.draw(st.sampled_from(self.menu), "move")
        getattr(self.walk, name)(lambda limit: data.draw(st.integers(0, limit - 1)))
        self.moves += 1

    @invariant()
    def laws(self) -> None:
        """What always holds."""
        check(self.walk)

    def teardown(self) -> None:
        """And what must come in the end."""
        if hasattr(self, "walk"):
            finish(self.walk)
            self.tally.add(self.walk, self.moves)


def machine(tally: Tally) -> type[Machine]:
    """The machine, counting into `tally`."""
    return type("Counted", (Machine,), {"tally": tally})


def walk(seed: int, *, moves: int, faults: Iterable[Move] | None = None) -> Walk:
    """A whole walk by a seed; of these faults, or else of a random few of all."""
    number = random.Random(seed)

    def choose(limit: int) -> int:
        return number.randrange(limit)

    done = Walk(choose(len(HOUSES)), NETS[choose(len(NETS))])
    few = [fault for fault in FAULTS if number.random() < SWARM]
    menu: list[Move] = [*ORDINARY, *ORDINARY, *(few if faults is None else faults)]
    for _ in range(moves):
        menu[choose(len(menu))](done, choose)
        check(done)
    finish(done)
    return done


def swarm(seeds: Iterable[int], *, moves: int, faults: Iterable[Move] | None = None) -> Tally:
    """Many walks; the seed of one that breaks a law is in the error."""
    tally = Tally()
    for seed in seeds:
        try:
            tally.add(walk(seed, moves=moves, faults=faults), moves)
        except AssertionError as problem:
            problem.add_note(f"walk({seed}, moves={moves})")
            raise
    return tally
