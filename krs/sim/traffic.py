"""Believable work: a few repositories whose workflows run at different hours and sizes."""

import random
from collections.abc import Callable

import msgspec

from krs.sim.agenda import Agenda


class Workflow(msgspec.Struct, frozen=True):
    """A workflow: its jobs' names and labels, and how long one runs (median seconds)."""

    repo: str
    name: str
    jobs: tuple[tuple[str, tuple[str, ...]], ...]
    median: float
    weight: int = 1


SMALL, MEDIUM = ("koyeb-fra-small",), ("koyeb-fra-medium",)
WORKFLOWS = (
    Workflow("acme/api", "ci", tuple((f"test ({v})", MEDIUM) for v in ("3.11", "3.12", "3.13")), 180, 5),
    Workflow("acme/api", "lint", (("lint", SMALL),), 40, 5),
    Workflow("acme/web", "e2e", tuple((f"e2e / shard-{n}", ("koyeb-was-medium",)) for n in (1, 2)), 300, 3),
    Workflow("acme/web", "unit", (("unit", ("self-hosted", "koyeb-fra-small")),), 60, 4),
    Workflow("acme/core", "build", (("build-linux", ("koyeb-fra-2xlarge",)),), 420, 2),
    Workflow("acme/docs", "pages", (("link-check", SMALL), ("deploy", SMALL)), 30, 2),
    Workflow("acme/infra", "plan", (("plan (prod)", ("koyeb-sin-large",)),), 90, 1),
    Workflow("acme/ml", "train", (("train-smoke", ("koyeb-na-gpu-nvidia-a100",)),), 600, 1),
    Workflow("acme/site", "build", (("build", ("ubuntu-latest",)),), 60, 2),
    Workflow("acme/web", "experiment", (("render", ("koyeb-fra-gigantic",)),), 60, 1),
)

Queue = Callable[[str, tuple[str, ...], float, str, str], None]


class Traffic:
    """Starts workflows at random moments, `per_minute` of them on average, until stopped."""

    def __init__(self, agenda: Agenda, dice: random.Random, queue: Queue) -> None:
        self._agenda = agenda
        self._dice = dice
        self._queue = queue
        self._running = False

    def start(self, per_minute: float) -> None:
        """Begin at once."""
        self._running = True
        self._step(per_minute)

    def stop(self) -> None:
        """No more workflows; those begun go on."""
        self._running = False

    def _step(self, per_minute: float) -> None:
        if not self._running:
            return
        self.run_one()
        self._agenda.after(self._dice.expovariate(per_minute / 60.0), lambda: self._step(per_minute))

    def run_one(self) -> None:
        """One workflow, all its jobs at once."""
        (workflow,) = self._dice.choices(WORKFLOWS, weights=[workflow.weight for workflow in WORKFLOWS])
        for name, labels in workflow.jobs:
            seconds = min(1800.0, workflow.median * self._dice.lognormvariate(0.0, 0.4))
            self._queue(workflow.repo, labels, seconds, name, workflow.name)
