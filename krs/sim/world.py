"""The simulation as one thing: two servers, the deliveries, the traffic."""

import random
from typing import Any

import httpx
import tornado.httpserver
import tornado.netutil
import tornado.web

from krs.daemon.clock import Clock
from krs.sim import (
    github_app_http,
    github_hooks_http,
    github_http,
    github_runs,
    koyeb_account,
    koyeb_http,
    koyeb_secrets,
)
from krs.sim.agenda import Agenda
from krs.sim.control import control
from krs.sim.github import Forge, Job
from krs.sim.github_app import App
from krs.sim.koyeb import Cloud
from krs.sim.moods import Moods
from krs.sim.traffic import Traffic
from krs.sim.webhooks import Deliveries

KOYEB_TOKEN, GITHUB_TOKEN, SECRET = "simulated-koyeb", "simulated-github", "simulated-secret"


class Simulation:
    """Running servers. The tokens and the secret may be chosen, so that a daemon's own configuration fits.

    With a `clock`, that is the time; `deliver_by` carries the deliveries instead of the network.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        speed: float = 1.0,
        koyeb_token: str = KOYEB_TOKEN,
        github_token: str = GITHUB_TOKEN,
        secret: str = SECRET,
        clock: Clock | None = None,
        deliver_by: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        dice = random.Random(seed)  # noqa: S311 - a simulation is not cryptography
        self.agenda = Agenda(speed, clock)
        self.cloud = Cloud(self.agenda, dice)
        self.forge = Forge(self.agenda, dice, github_token)
        self.deliveries = Deliveries(self.forge, dice, secret, transport=deliver_by)
        self.traffic = Traffic(self.agenda, dice, self._queue)
        self.koyeb_url = self.github_url = ""
        self._koyeb_token = koyeb_token
        self._dice = dice
        self._servers: list[tornado.httpserver.HTTPServer] = []
        self.cloud.booted = self.forge.container_started
        self.forge.log = self.cloud.say
        self.cloud.stopped = self.forge.container_stopped
        self.forge.announce = self.deliveries.announce

    async def start(self, *, koyeb_port: int = 0, github_port: int = 0) -> None:
        """Listen on loopback. Raises `OSError` when a port is taken."""
        koyeb, github = self.applications()
        koyeb.add_handlers(r".*", control(self))
        self.koyeb_url = self._serve(koyeb, koyeb_port)
        self.github_url = self._serve(github, github_port)

    def applications(self) -> tuple[tornado.web.Application, tornado.web.Application]:
        """Koyeb and GitHub, for who calls them in the same process."""
        koyeb = koyeb_http.application(self.cloud, self._koyeb_token, self._dice)
        for part in (koyeb_secrets, koyeb_account):
            koyeb.add_handlers(r".*", part.routes(self.cloud, self._koyeb_token, self._dice))
        github = github_http.application(self.forge, self._dice)
        for routes in (
            github_runs.routes(self.forge, self._dice),
            github_app_http.routes(self.forge, self._dice),
            github_hooks_http.routes(self.forge, self._dice),
        ):
            github.add_handlers(r".*", routes)
        return koyeb, github

    def add_app(self, app_id: str, private_key: str) -> App:
        """Let a GitHub App in, beside the token. Raises `ValueError` when the key is none."""
        self.forge.app = App(self.agenda, self._dice, app_id=app_id, private_key=private_key)
        return self.forge.app

    def _serve(self, application: tornado.web.Application, port: int) -> str:
        server = tornado.httpserver.HTTPServer(application)
        sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
        server.add_sockets(sockets)
        self._servers.append(server)
        return f"http://127.0.0.1:{sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Close everything."""
        self.traffic.stop()
        self.agenda.close()
        await self.deliveries.close()
        for server in self._servers:
            server.stop()
            await server.close_all_connections()

    def set_moods(self, moods: Moods) -> None:
        """Behave like this from now on."""
        self.cloud.moods = self.forge.moods = moods

    def queue(self, repo: str, labels: tuple[str, ...], *, seconds: float = 60.0, name: str = "job") -> Job:
        """Queue one job."""
        return self.forge.queue(repo, labels, seconds=seconds, name=name)

    def _queue(self, repo: str, labels: tuple[str, ...], seconds: float, name: str, workflow: str) -> None:
        self.forge.queue(repo, labels, seconds=seconds, name=name, workflow=workflow)

    def stats(self) -> dict[str, Any]:
        """What happened so far."""
        return {
            **self.forge.stats(),
            "services_created": self.cloud.created,
            "services_deleted": self.cloud.deleted,
            "services_alive": len(self.cloud.alive()),
            "usd": self.cloud.cost(),
            "deliveries": {str(status): count for status, count in self.deliveries.answers.items()},
        }
