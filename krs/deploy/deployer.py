"""Doing it: secrets, then the service, then waiting until it is healthy. Run again, it changes what differs."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from krs.config.settings import Settings
from krs.core.names import RUNNER_PREFIX
from krs.deploy.differences import differences
from krs.deploy.site import Found, Names, choice, look
from krs.deploy.wanted import NAME_START, SECRET_KEYS, Wanted, secret_name, wanted
from krs.koyeb import App, KoyebClient, Service
from krs.koyeb.client import GONE, LEAVING
from krs.koyeb.secrets import Secrets
from krs.koyeb.web import WebServices

BAD = frozenset({"ERROR", "ERRORING", "UNHEALTHY", "DEGRADED", "CANCELED", "STOPPED", "DELETED"})
"""Statuses of a deployment that will not become healthy by themselves."""
PAUSE = 3.0
TRIES = 200
"""Looks at a deployment, `PAUSE` seconds apart: ten minutes."""

Wait = Callable[[float], Awaitable[None]]


class Stopped(Exception):
    """It cannot go on; one line that says why, and what to do."""


class Deployer:
    """One deployment. `tell` gets a line for each thing that was done."""

    def __init__(
        self,
        koyeb: KoyebClient,
        settings: Settings,
        names: Names,
        *,
        tell: Callable[[str], None],
        wait: Wait = asyncio.sleep,
    ) -> None:
        self._koyeb = koyeb
        self._web = WebServices(koyeb)
        self._settings = settings
        self._names = names
        self._tell = tell
        self._wait = wait
        self._replaced = ""
        """The deployment that an update takes the place of."""

    async def deploy(self) -> bool:
        """Have the service be as it is to be; False when it was so already. Raises a `CallError` or `Stopped`."""
        found = await look(self._koyeb, self._names)
        try:
            plan = wanted(self._settings, choice(self._names, found))
        except ValueError as problem:
            raise Stopped(str(problem)) from None
        if found.service is not None and found.service.status == LEAVING:
            raise Stopped(f"service {self._names.service} is just being deleted: try again in a minute")
        app = found.app or await self._koyeb.ensure_app(self._names.app)
        if found.service is None:
            await self._start(app, plan)
            return True
        changed = differences(found.definition, plan.service.definition())
        if not changed:
            self._tell(f"{self._names.service}: unchanged")
            return False
        if {"env", "config_files"} & set(changed):
            await self._keep(plan)
        self._replaced = found.service.latest_deployment_id
        await self._web.update(found.service.id, plan.service)
        self._tell(f"{self._names.service}: changed ({', '.join(changed)}), a new deployment starts")
        return True

    async def _start(self, app: App, plan: Wanted) -> None:
        await self._keep(plan)
        await self._web.create(app.id, plan.service)
        service = plan.service
        self._tell(f"{service.name}: made in {service.region} on {service.instance_type}, from {service.image}")
        if not service.volumes:
            self._tell("without --volume the state file ends with the container; runners are found at Koyeb again")

    async def _keep(self, plan: Wanted) -> None:
        secrets = Secrets(self._koyeb)
        for name, value in sorted(plan.secrets.items()):
            await secrets.put(name, value.reveal())
            self._tell(f"secret {name}: kept at Koyeb")

    async def healthy(self) -> Found:
        """Wait for the newest deployment. Raises `Stopped` with Koyeb's words when it fails or takes too long."""
        said = ""
        for _ in range(TRIES):
            found = await look(self._koyeb, self._names)
            old = found.deployment is None or found.deployment.id == self._replaced
            status = found.deployment.status if found.deployment is not None and not old else "PENDING"
            if status != said:
                said = status
                self._tell(f"{self._names.service}: {status.lower()}")
            if status == "HEALTHY":
                return found
            if status in BAD:
                raise Stopped(f"the deployment is {status.lower()}: {_words(found)}: see krs deploy logs")
            await self._wait(PAUSE)
        raise Stopped(f"the deployment is still {said.lower()} after {PAUSE * TRIES:.0f} s: see krs deploy logs")

    async def ready(self, http: httpx.AsyncClient, url: str) -> None:
        """Wait until the daemon says that it is ready. Raises `Stopped`."""
        said = "no answer"
        for _ in range(TRIES):
            try:
                answer = await http.get(f"{url}/readyz")
            except httpx.HTTPError as problem:
                said = f"no answer ({type(problem).__name__})"
            else:
                said = f"{answer.status_code} {answer.text.strip()[:100]}"
                if answer.status_code == httpx.codes.OK:
                    self._tell(f"{url}/readyz: ready")
                    return
            await self._wait(PAUSE)
        raise Stopped(f"{url}/readyz is not ready after {PAUSE * TRIES:.0f} s: {said}: see krs deploy logs")

    async def runners(self) -> tuple[Service, ...]:
        """The runners that are at Koyeb now."""
        app = await self._koyeb.find_app(self._settings.koyeb.app)
        services = await self._koyeb.list_services(app.id) if app is not None else ()
        return tuple(
            service for service in services if service.name.startswith(RUNNER_PREFIX) and service.status != "DELETED"
        )

    async def doomed(self, found: Found) -> tuple[str, ...]:
        """What `destroy` takes away, in words."""
        secrets = await self._kept()
        service = [f"service {self._names.service}"] if found.service is not None else []
        app = [f"app {self._names.app}"] if found.app is not None and await self._lonely(found.app) else []
        return (*service, *(f"secret {name}" for name in secrets), *app)

    async def destroy(self, found: Found) -> None:
        """Take the service, its secrets and an app that then is empty away. Raises a `CallError`."""
        if found.service is not None:
            await self._koyeb.delete_service(found.service.id)
            self._tell(f"service {self._names.service}: being deleted")
        for name in await self._kept():
            await Secrets(self._koyeb).delete(name)
            self._tell(f"secret {name}: deleted")
        if found.app is not None and await self._lonely(found.app):
            await self._web.delete_app(found.app)
            self._tell(f"app {self._names.app}: deleted")

    async def _lonely(self, app: App) -> bool:
        """Whether nothing but the daemon is in its app, and the app is not that of the runners."""
        services = await self._koyeb.list_services(app.id)
        others = [service for service in services if service.name != self._names.service and service.status != GONE]
        return not others and self._names.app != self._settings.koyeb.app

    async def _kept(self) -> list[str]:
        """The secrets of this deployment that are at Koyeb: those of exactly our names."""
        ours = {secret_name(self._names.app, self._names.service, key) for key in SECRET_KEYS}
        rows = await Secrets(self._koyeb).named(secret_name(self._names.app, "", "").rstrip("-")[:NAME_START])
        return sorted(row.name for row in rows if row.name in ours)


def _words(found: Found) -> str:
    messages = (found.deployment.messages if found.deployment is not None else None) or ()
    return "; ".join(messages) or "Koyeb says no more"
