"""`/_sim/...` on the simulated Koyeb: for scripts that steer a simulation running as a process of its own."""

from typing import TYPE_CHECKING, Any

import msgspec
import tornado.web

from krs.sim.moods import Moods

if TYPE_CHECKING:
    from krs.sim.world import Simulation


class JobOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A job to queue. `seconds` is how long it runs."""

    repo: str
    labels: tuple[str, ...]
    seconds: float = 60.0
    name: str = "job"


class ControlHandler(tornado.web.RequestHandler):
    """What all of them share."""

    def initialize(self, simulation: "Simulation") -> None:
        """Keep what the route was given."""
        self.simulation = simulation

    def read(self, kind: type[Any]) -> Any:  # noqa: ANN401 - an instance of that kind
        """The body as `kind`; 400 when it is not one."""
        try:
            return msgspec.json.decode(self.request.body, type=kind)
        except msgspec.DecodeError as problem:
            raise tornado.web.HTTPError(400, reason=str(problem)[:200]) from None


class StatsHandler(ControlHandler):
    """What happened so far."""

    def get(self) -> None:
        """Counts."""
        self.write(self.simulation.stats())


class JobsHandler(ControlHandler):
    """Work."""

    def post(self) -> None:
        """Queue a job."""
        order = self.read(JobOrder)
        job = self.simulation.queue(order.repo, order.labels, seconds=order.seconds, name=order.name)
        self.write({"id": job.id})


class MoodsHandler(ControlHandler):
    """Behaviour."""

    def post(self) -> None:
        """Behave like this; what is not named goes back to normal."""
        self.simulation.set_moods(self.read(Moods))
        self.write({})


def control(simulation: "Simulation") -> list[tuple[str, type[ControlHandler], dict[str, Any]]]:
    """The routes."""
    given = {"simulation": simulation}
    return [
        (r"/_sim/stats", StatsHandler, given),
        (r"/_sim/jobs", JobsHandler, given),
        (r"/_sim/moods", MoodsHandler, given),
    ]
