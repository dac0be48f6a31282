"""`--dry-run`: what asks is asked, what would change something is only shown."""

import re
from collections.abc import Callable, Sequence

import httpx
import msgspec

from krs.secret import Secret

HARMLESS = re.compile(r"/app/installations/\d+/access_tokens$")
"""A POST that only proves who we are."""
NAMED = ("secret", "token", "value", "private_key")
"""Fields of a body that hold a secret, whatever its value."""
MASK = "***"
SHORTEST = 8
"""Characters of a secret that is looked for anywhere; a shorter one would be found in words."""
NEW = "00000000-0000-0000-0000-000000000000"
ANSWER = {"id": 0, "token": "", "app": {"id": NEW}, "service": {"id": NEW}, "secret": {"id": NEW, "name": ""}}
"""Stands for whatever would be answered."""


class Rehearsal(httpx.AsyncBaseTransport):
    """Shows every request, and sends on only what changes nothing. `secrets` gives what to mask."""

    def __init__(
        self,
        show: Callable[[str], None],
        secrets: Callable[[], Sequence[Secret]],
        transport: httpx.AsyncBaseTransport,
    ) -> None:
        self._show = show
        self._secrets = secrets
        self._inner = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, by the other side or in its place."""
        content = await request.aread()
        asks = request.method == "GET" or request.url.params.get("dry_run") == "true"
        sent = asks or HARMLESS.search(request.url.path) is not None
        body = f" {self._masked(content)}" if content else ""
        self._show(f"{'asks ' if sent else 'would'} {request.method} {request.url}{body}")
        if sent:
            return await self._inner.handle_async_request(request)
        return httpx.Response(200, json={**ANSWER, **self._echo(content)})

    def _echo(self, content: bytes) -> dict[str, object]:
        """What was to be set is what would be shown, but for secrets."""
        try:
            found = msgspec.json.decode(self._masked(content), type=dict[str, object])
        except msgspec.DecodeError:
            return {}
        return {name: value for name, value in found.items() if name in ("config", "events", "active")}

    def _masked(self, content: bytes) -> str:
        try:
            text = msgspec.json.encode(_mask(msgspec.json.decode(content))).decode()
        except msgspec.DecodeError:
            text = content.decode(errors="replace")
        for secret in self._secrets():
            if len(secret.reveal()) >= SHORTEST:
                text = text.replace(secret.reveal(), MASK)
        return text

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _mask(node: object) -> object:
    if isinstance(node, dict):
        return {key: MASK if key in NAMED and isinstance(value, str) else _mask(value) for key, value in node.items()}
    return [_mask(item) for item in node] if isinstance(node, list) else node
