"""The simulated Koyeb's secrets."""

import random
import uuid
from typing import Any

from krs.sim.koyeb import ORGANIZATION, Cloud, Failure, rfc3339
from krs.sim.koyeb_http import KoyebHandler


class SecretsHandler(KoyebHandler):
    """`/v1/secrets`."""

    def get(self) -> None:
        """Secrets whose name begins with the filter."""
        prefix = self.get_query_argument("name", "")
        rows = [secret_body(key, name) for name, (key, _) in self.cloud.secrets.items() if name.startswith(prefix)]
        self.page("secrets", rows, has_next=False)

    def post(self) -> None:
        """A new secret."""
        body = self.body()
        name, value = str(body.get("name", "")), str(body.get("value", ""))
        if name in self.cloud.secrets:
            raise Failure(400, "invalid_argument", "Validation error", {"name": "already exists"})
        key = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
        self.cloud.secrets[name] = (key, value)
        self.answer({"secret": secret_body(key, name)})


class SecretHandler(KoyebHandler):
    """`/v1/secrets/{id}`."""

    def _name(self, key: str) -> str:
        for name, (known, _) in self.cloud.secrets.items():
            if known == key:
                return name
        raise Failure(404, "unknown_resource", "Secret not found")

    def put(self, key: str) -> None:
        """Another value."""
        name = self._name(key)
        self.cloud.secrets[name] = (key, str(self.body().get("value", "")))
        self.answer({"secret": secret_body(key, name)})

    def delete(self, key: str) -> None:
        """Take it away."""
        self.cloud.secrets.pop(self._name(key))
        self.answer({})


def secret_body(key: str, name: str) -> dict[str, Any]:
    """A secret as Koyeb shows it: without its value."""
    at = rfc3339(0.0)
    return {
        "id": key,
        "name": name,
        "organization_id": ORGANIZATION,
        "type": "SIMPLE",
        "created_at": at,
        "updated_at": at,
    }


def routes(cloud: Cloud, token: str, dice: random.Random) -> list[tuple[str, type[KoyebHandler], dict[str, Any]]]:
    """All of these."""
    given = {"cloud": cloud, "token": token, "dice": dice}
    return [(r"/v1/secrets", SecretsHandler, given), (r"/v1/secrets/([^/]+)", SecretHandler, given)]
