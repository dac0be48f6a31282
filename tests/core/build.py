"""Small worlds for the tests of the core: a catalog, a policy, facts and runners with sensible defaults."""

from typing import Any

from msgspec.structs import replace

from krs.core.absorb import absorb
from krs.core.catalog import Catalog, InstanceType
from krs.core.commands import Command
from krs.core.decide import decide
from krs.core.facts import Fact, JobFact, RunnerCreated, ServicesListed
from krs.core.model import Instant, JobId, Name, World
from krs.core.policy import Policy
from krs.core.vocabulary import JobState

T0 = 1_800_000_000.0

CATALOG = Catalog(
    regions=frozenset({"fra", "was", "na", "aws-us-east-1"}),
    instance_types={
        kind.id: kind
        for kind in (
            InstanceType(id="free", regions=frozenset({"fra", "was"}), worker=False, price_hourly=0.0),
            InstanceType(id="small", regions=frozenset({"fra", "was"}), price_hourly=0.01),
            InstanceType(id="2xlarge", regions=frozenset({"fra"}), price_hourly=0.5),
            InstanceType(id="eco-nano", regions=frozenset({"fra"}), price_hourly=0.001),
            InstanceType(id="aws-nano", regions=frozenset({"aws-us-east-1"}), price_hourly=0.02),
            InstanceType(id="gpu-nvidia-a100", regions=frozenset({"na"}), price_hourly=2.0),
        )
    },
)

POLICY = Policy(catalog=CATALOG)


def at(seconds: float) -> Instant:
    """An instant some seconds after the start of the test's world."""
    return Instant(T0 + seconds)


def job(number: int, state: JobState = JobState.QUEUED, *, seconds: float = 0.0, **fields: Any) -> JobFact:
    """What a delivery says of job `number` of acme/api."""
    repo = fields.pop("repo", "acme/api")
    defaults: dict[str, Any] = {
        "labels": ("koyeb-fra-small",),
        "name": f"job {number}",
        "at": at(seconds),
        "queued_at": at(seconds),
    }
    return JobFact(id=JobId(number), repo=repo, owner=repo.split("/")[0], state=state, **{**defaults, **fields})


def fold(world: World, *facts: Fact, seconds: float = 0.0, policy: Policy = POLICY) -> World:
    """The world after some facts heard at one instant."""
    for fact in facts:
        world = absorb(world, fact, at(seconds), policy)
    return world


def listed(seconds: float = 0.0, **fields: Any) -> ServicesListed:
    """Koyeb's list of no service, asked for at an instant."""
    return ServicesListed(asked_at=at(seconds), services=(), **fields)


def swept(policy: Policy = POLICY) -> World:
    """A world whose first sweep found nothing, its news told."""
    return told(fold(World(), listed(), policy=policy))


def told(world: World) -> World:
    """The same world with its news written to the journal."""
    return replace(world, news=())


def turn(world: World, *facts: Fact, seconds: float = 0.0, policy: Policy = POLICY) -> tuple[World, list[Command]]:
    """One turn: absorb and decide."""
    world, commands = decide(fold(world, *facts, seconds=seconds, policy=policy), at(seconds), policy)
    return world, list(commands)


def created(name: str, seconds: float = 0.0) -> RunnerCreated:
    """Koyeb made the service of this name."""
    return RunnerCreated(
        name=Name(name), service_id=f"svc-{name}", created_at=at(seconds), deletes_at=at(seconds + 86_400)
    )


def only(commands: list[Command], kind: type[Any]) -> list[Any]:
    """The commands of one kind."""
    return [command for command in commands if isinstance(command, kind)]
