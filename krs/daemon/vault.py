"""Where one-job configurations are kept when they shall not stand in a deployment's definition: Koyeb's secrets."""

import logging
from collections.abc import Iterable

from krs.core.model import Name
from krs.core.names import LIMIT, digest
from krs.errors import CallError
from krs.koyeb.secrets import Secrets

log = logging.getLogger(__name__)


class Vault:
    """One secret a runner, named for it and for this controller."""

    def __init__(self, secrets: Secrets, controller: str) -> None:
        self._secrets = secrets
        self._prefix = f"krs-{digest(controller)}-"
        self._orphans: set[str] = set()

    async def put(self, runner: Name, value: str) -> str:
        """Keep a value; gives the secret's name. Raises a `CallError`."""
        name = self._named(runner)
        await self._secrets.put(name, value)
        return name

    async def drop(self, runner: Name) -> None:
        """Forget a runner's value; what cannot be done now is left to `sweep`."""
        try:
            await self._secrets.delete(self._named(runner))
        except CallError as problem:
            log.info("the secret of %s stays for now: %s", runner, problem.message)

    async def sweep(self, living: Iterable[Name]) -> None:
        """Drop the values that none of these runners owns, nor owned at the last sweep. Raises a `CallError`.

        Twice, since in a redeployment another daemon of this controller may just be starting a runner.
        """
        kept = {self._named(name) for name in living}
        orphans = {row.name for row in await self._secrets.named(self._prefix)} - kept
        for name in sorted(orphans & self._orphans):
            await self._secrets.delete(name)
        self._orphans = orphans

    def _named(self, runner: Name) -> str:
        whole = f"{self._prefix}{runner}"
        return whole if len(whole) <= LIMIT else f"{self._prefix}{digest(runner, 12)}"
