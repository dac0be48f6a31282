"""The command palette: the commands of the `:` prompt, found by any part of their words."""

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.commands import VERBS, Verb

if TYPE_CHECKING:
    from tui.app import ConsoleApp


class ConsoleCommands(Provider):
    """Finds commands. One that takes words opens the prompt with its name."""

    async def discover(self) -> Hits:
        """All of them."""
        for verb in VERBS:
            yield DiscoveryHit(f":{verb.name} {verb.takes}".rstrip(), partial(self._run, verb), help=verb.help)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for verb in VERBS:
            text = f":{verb.name} {verb.takes}".rstrip()
            score = max(matcher.match(text), matcher.match(verb.help) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(text), partial(self._run, verb), help=verb.help)

    def _run(self, verb: Verb) -> None:
        console = cast("ConsoleApp", self.app)
        if verb.most:
            console.top.open_prompt(":", f"{verb.name} ")
        else:
            console.run_command(verb.name)
