"""All keys and commands, those of the present place first; made from the registries, so that it cannot drift."""

from typing import ClassVar

from textual.widgets import Static

from tui import commands
from tui.keymap import ACTIONS, Action, Keymap, Where, written
from tui.screens.text import TextScreen

KEY_WIDTH = 22


class HelpScreen(TextScreen):
    """Help for a place."""

    OFFERS: ClassVar[tuple[str, ...]] = ("save", "command", "close")

    def __init__(self, where: Where) -> None:
        super().__init__(f"Help: {where.value}", "")
        self._where = where

    def on_mount(self) -> None:
        """Write the page: keys may be a person's own, and some may be off."""
        self.page_text = page(self._where, self.console.keymap, self.console.view.off)
        self.query_one("#page Static", Static).update(self.page_text)
        super().on_mount()


def page(where: Where, keymap: Keymap, off: str) -> str:
    """The text of the help."""
    order = [where, *(place for place in Where if place is not where)]
    parts = [f"Keys marked (off) do nothing now: {off}.\n"] if off else []
    parts += [_section(place, keymap, off) for place in order]
    width = max(len(f":{verb.name} {verb.takes}") for verb in commands.VERBS) + 2
    verbs = "\n".join(f"  {f':{verb.name} {verb.takes}':{width}}{verb.help}" for verb in commands.VERBS)
    parts.append(f"Commands\n{verbs}\n")
    parts.append(
        "Filters\n"
        "  words that must all match; !word must not; field:word looks in one field; words are regular expressions\n"
        "  state:busy region:fra   repo:^acme/ !job:lint   ! state:idle inverts the whole line\n"
    )
    parts.append(
        'Rebind keys by action id in [keys] of console.toml, e.g. end = "ctrl+x". Mouse: click moves and enters,'
    )
    parts.append("a click on a column title sorts; hold shift to select text with the terminal.")
    return "\n".join(parts)


def _section(place: Where, keymap: Keymap, off: str) -> str:
    lines = [_line(action, keymap, off) for action in ACTIONS if action.where is place]
    return "\n".join([place.value, *lines, ""])


def _line(action: Action, keymap: Keymap, off: str) -> str:
    keys = " ".join(written(key) for key in keymap.keys[action.id])
    mark = " (off)" if off and action.dangerous else ""
    return f"  {keys:{KEY_WIDTH}}{action.help}{mark}  [{action.id}]"
