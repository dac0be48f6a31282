"""Idempotency keys: the first answer to a key is the answer to all later requests with that key."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import msgspec

from krs.http.base import ApiError

KEPT = 1000
"""Answers remembered; the oldest is forgotten first."""


class Kept(msgspec.Struct):
    """A request by its fingerprint, and its answer or the error it raised."""

    fingerprint: bytes
    answer: asyncio.Future[object]


class Replay:
    """Runs an action once per key."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    async def once(self, key: str | None, fingerprint: bytes, act: Callable[[], Awaitable[object]]) -> object:
        """The answer of `act`, or the one that this key had before. Raises `ApiError` for a key used otherwise."""
        if key is None:
            return await act()
        known = self._kept.get(key)
        if known is None:
            known = self._kept[key] = Kept(fingerprint, asyncio.get_running_loop().create_future())
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            await self._run(known, act)
        if known.fingerprint != fingerprint:
            raise ApiError(422, "idempotency_key_reused", "this Idempotency-Key was used for another request")
        return await asyncio.shield(known.answer)

    async def _run(self, kept: Kept, act: Callable[[], Awaitable[object]]) -> None:
        try:
            kept.answer.set_result(await act())
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is the answer to this key
            kept.answer.set_exception(problem)
            kept.answer.exception()
