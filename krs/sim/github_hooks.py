"""The simulated GitHub's hooks: of repositories, organizations and the App, and the log of what each delivered."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from krs.sim.agenda import Agenda

KEPT = 3 * 24 * 3600.0
"""Seconds for which deliveries are kept and can be sent again."""
EVENT, ANY = "workflow_job", "*"
MASK = "********"


class Attempt(msgspec.Struct):
    """One try to deliver: a row of a hook's log. `code` is 502 where nobody listened, 504 where nobody answered."""

    guid: str
    event: str
    action: str | None
    body: bytes
    redelivery: bool = False
    id: int = 0
    at: float = 0.0
    duration: float = 0.0
    code: int = 0
    status: str = ""
    headers: dict[str, str] = {}
    answer: str = ""


class Hook(msgspec.Struct):
    """A hook; an empty `scope` is the App's own. `standing` ones are there in every repository without being made."""

    id: int
    scope: str
    at: float
    config: dict[str, Any]
    events: tuple[str, ...] = ("push",)
    active: bool = True
    standing: bool = False
    log: dict[int, Attempt] = {}

    @property
    def kind(self) -> str:
        """What GitHub calls its owner."""
        return "Repository" if "/" in self.scope else "Organization" if self.scope else "App"

    @property
    def url(self) -> str:
        """Where it delivers."""
        return str(self.config.get("url", ""))

    @property
    def secret(self) -> str:
        """What it signs with; empty for not at all."""
        return str(self.config.get("secret") or "")

    def hears(self, event: str) -> bool:
        """Whether it wants an event."""
        return self.active and bool(self.url) and (event in self.events or ANY in self.events or event == "ping")

    def shown_config(self) -> dict[str, Any]:
        """Its configuration as GitHub shows it: the secret is masked."""
        return {**self.config, **({"secret": MASK} if self.secret else {})}


class HookBook:
    """All hooks. `send` is told of an attempt that is to be made, `ping` of a hook that is to be pinged."""

    def __init__(self, agenda: Agenda, new_id: Callable[[], int]) -> None:
        self.app = Hook(id=0, scope="", at=0.0, config={"content_type": "json", "insecure_ssl": "0"}, events=(EVENT,))
        self.ping: Callable[[Hook], None] = lambda hook: None  # noqa: ARG005 - replaced by who sends
        self.send: Callable[[Hook, Attempt], None] = lambda hook, attempt: None  # noqa: ARG005 - replaced by who sends
        self._agenda = agenda
        self._new_id = new_id
        self._hooks: dict[int, Hook] = {}
        self._standing: dict[str, str] = {}
        self._met: set[str] = set()

    def stand(self, url: str, secret: str) -> None:
        """Have every repository have a hook with this address, as if somebody had typed it in everywhere; or none."""
        self._standing = {"url": url, "secret": secret} if url else {}
        for hook in [hook for hook in self._hooks.values() if hook.standing]:
            if url:
                hook.config |= self._standing
            else:
                self._hooks.pop(hook.id)

    def of(self, scope: str) -> list[Hook]:
        """The hooks of a repository or an organization."""
        if self._standing and "/" in scope and scope not in self._met:
            self._met.add(scope)
            config = {"content_type": "json", "insecure_ssl": "0", **self._standing}
            self.create(scope, config, (EVENT,), active=True).standing = True
        return [hook for hook in self._hooks.values() if hook.scope == scope]

    def create(self, scope: str, config: dict[str, Any], events: tuple[str, ...], *, active: bool) -> Hook:
        """A new hook."""
        hook = Hook(self._new_id(), scope, self._agenda.now(), config, events, active)
        self._hooks[hook.id] = hook
        return hook

    def delete(self, hook: Hook) -> None:
        """Take one away."""
        self._hooks.pop(hook.id, None)

    def concerned(self, repo: str, *, app: bool) -> Iterator[Hook]:
        """Who hears of the jobs of a repository: its own hooks, its organization's, and the App's where it is."""
        everyone = [*self.of(repo), *self.of(repo.partition("/")[0]), *([self.app] if app else [])]
        yield from (hook for hook in everyone if hook.hears(EVENT))

    def again(self, hook: Hook, made: Attempt) -> None:
        """Deliver an event once more, under its old GUID."""
        self.send(hook, Attempt(made.guid, made.event, made.action, made.body, redelivery=True))

    def begin(self, hook: Hook, planned: Attempt) -> Attempt:
        """An attempt that is made now gets its number and its row; what is too old loses it."""
        made = msgspec.structs.replace(planned, id=self._new_id(), at=self._agenda.now())
        hook.log[made.id] = made
        oldest = next(iter(hook.log.values()))
        if oldest.at < self._agenda.now() - KEPT:
            hook.log.pop(oldest.id)
        return made
