"""Koyeb's secrets: values that a deployment refers to by name, so that its definition does not show them."""

from krs.errors import Refused, Unknown
from krs.koyeb.client import KoyebClient, NameTaken
from krs.koyeb.models import SecretReply, SecretRow, SecretsReply


class Secrets:
    """The simple secrets of an organization. Names: 2 to 64 of `[a-z0-9-]`, as documented."""

    def __init__(self, koyeb: KoyebClient) -> None:
        self._koyeb = koyeb

    async def named(self, prefix: str) -> tuple[SecretRow, ...]:
        """All whose name begins with a prefix."""
        pages = await self._koyeb.pages("/v1/secrets", SecretsReply, {"name": prefix})
        found = {row.id: row for page in pages for row in page.secrets or () if row.name.startswith(prefix)}
        return tuple(found.values())

    async def find(self, name: str) -> SecretRow | None:
        """The one of exactly this name."""
        return next((row for row in await self.named(name) if row.name == name), None)

    async def put(self, name: str, value: str) -> None:
        """Have a secret of this name hold this value, whether or not it is there already."""
        body = {"name": name, "type": "SIMPLE", "value": value}
        try:
            (await self._koyeb.call("POST", "/v1/secrets", body=body, hide=[value])).decode(SecretReply)
        except NameTaken:
            found = await self.find(name)
            if found is None:
                raise Unknown(f"koyeb secret {name}: said to exist, and not listed") from None
            await self._koyeb.call("PUT", f"/v1/secrets/{found.id}", body=body, hide=[value])

    async def delete(self, name: str) -> bool:
        """Take a secret away; False when there is none."""
        found = await self.find(name)
        if found is None:
            return False
        try:
            await self._koyeb.call("DELETE", f"/v1/secrets/{found.id}")
        except Refused as problem:
            if problem.status != 404:
                raise
        return True
