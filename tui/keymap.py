"""Every action of the console, once: its id, keys, help and what it needs. Bindings, key line, help and `:` read this.

A person may rebind keys by action id (`[keys]` in the console's settings). Textual lets a rebound key push another
action off its key without a word, so overrides are checked here and refused one by one.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec
from textual.binding import Binding, BindingType


class Where(StrEnum):
    """Where an action works; also the sections of the help."""

    EVERYWHERE = "General"
    RUNNER = "Runners"
    DASHBOARD = "Dashboard"
    TABLE = "Lists"
    STREAM = "Events and logs"
    POOLS = "Pools"
    DOCTOR = "Doctor"


TOGETHER: tuple[frozenset[Where], ...] = (
    frozenset({Where.EVERYWHERE, Where.RUNNER, Where.DASHBOARD, Where.TABLE}),
    frozenset({Where.EVERYWHERE, Where.RUNNER, Where.DASHBOARD, Where.STREAM}),
    frozenset({Where.EVERYWHERE, Where.POOLS, Where.TABLE}),
    frozenset({Where.EVERYWHERE, Where.DOCTOR, Where.TABLE}),
)
"""Places whose keys work at the same time, so that no key may mean two things."""


class Needs(StrEnum):
    """What must be there for an action to work."""

    NOTHING = "nothing"
    RUNNER = "a runner"
    LIVE = "a connection"
    ADMIN = "the right to change things"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a person can do. `run` is Textual's name of it, with parameters where it has some."""

    id: str
    where: Where
    run: str
    keys: tuple[str, ...]
    title: str
    """One or two words, for the key line; empty keeps it out of the line."""
    help: str
    needs: Needs = Needs.NOTHING
    dangerous: bool = False
    """It changes the cloud: off without a connection and in read-only mode."""


def _action(where: Where, id: str, keys: str, title: str, help: str, run: str = "", **more: object) -> Action:  # noqa: A002 - the registry's own words
    fields = {"needs": Needs.NOTHING, "dangerous": False, **more}
    return msgspec.convert(
        {"id": id, "where": where, "run": run or id.replace("-", "_"), "keys": keys.split(), "title": title}
        | {"help": help}
        | fields,
        Action,
    )


RUNNER, LIVE, ADMIN = Needs.RUNNER, Needs.LIVE, Needs.ADMIN

ACTIONS: tuple[Action, ...] = (
    _action(Where.RUNNER, "detail", "enter d", "detail", "everything about the runner", needs=RUNNER),
    _action(Where.RUNNER, "end", "ctrl+d", "kill", "kill or drain", needs=RUNNER, dangerous=True),
    _action(Where.RUNNER, "extend", "e", "extend", "keep it longer", needs=RUNNER, dangerous=True),
    _action(Where.RUNNER, "undo", "u", "undo", "take the last extend or drain back", needs=ADMIN, dangerous=True),
    _action(Where.RUNNER, "logs", "l", "logs", "the runner's log at Koyeb", needs=RUNNER),
    _action(Where.RUNNER, "open", "o", "open", "its job at GitHub, in the browser", needs=RUNNER),
    _action(Where.RUNNER, "copy", "c", "copy", "copy its name", needs=RUNNER),
    _action(Where.RUNNER, "json", "y", "json", "show it as JSON", needs=RUNNER),
    _action(Where.RUNNER, "start", "t", "start", "start a runner for a label", needs=ADMIN, dangerous=True),
    _action(Where.DASHBOARD, "filter", "slash", "filter", "show only what matches; / ! inverts, esc clears"),
    _action(Where.DASHBOARD, "problems", "ctrl+z", "", "only runners and jobs with a problem"),
    _action(Where.DASHBOARD, "pane-runners", "1", "", "the runners", "pane('runners')"),
    _action(Where.DASHBOARD, "pane-jobs", "2", "", "the jobs", "pane('jobs')"),
    _action(Where.DASHBOARD, "pane-events", "3", "", "the events", "pane('events')"),
    _action(Where.DASHBOARD, "pane-next", "tab", "pane", "the next pane", "next_pane(1)"),
    _action(Where.DASHBOARD, "pane-previous", "shift+tab", "", "the previous pane", "next_pane(-1)"),
    _action(Where.DASHBOARD, "zoom", "plus underscore", "zoom", "the pane alone, and back"),
    _action(Where.DASHBOARD, "pools", "p", "pools", "pools: pause, resume, why one is tripped"),
    _action(Where.DASHBOARD, "doctor", "D", "doctor", "doctor: what is wrong, why, and what to do"),
    _action(Where.DASHBOARD, "header", "ctrl+e", "", "show or hide the matrix"),
    _action(Where.DASHBOARD, "sort-age", "A", "", "sort by age", "sort('age')"),
    _action(Where.DASHBOARD, "sort-state", "S", "", "sort by state", "sort('state')"),
    _action(Where.DASHBOARD, "sort-left", "L", "", "sort by time left", "sort('left')"),
    _action(Where.DASHBOARD, "sort-name", "N", "", "sort by name", "sort('name')"),
    _action(Where.TABLE, "up", "k up", "", "up", "cursor_up"),
    _action(Where.TABLE, "down", "j down", "", "down", "cursor_down"),
    _action(Where.TABLE, "top", "g home", "", "the first row", "cursor_top"),
    _action(Where.TABLE, "bottom", "G end", "", "the last row", "cursor_bottom"),
    _action(Where.TABLE, "page-up", "ctrl+b pageup", "", "a page up", "cursor_page_up"),
    _action(Where.TABLE, "page-down", "ctrl+f pagedown", "", "a page down", "cursor_page_down"),
    _action(Where.TABLE, "mark", "space", "mark", "mark the row; actions then apply to the marks", "mark"),
    _action(Where.TABLE, "mark-range", "ctrl+@", "", "mark from the last mark to here"),
    _action(Where.TABLE, "clear-marks", "ctrl+backslash", "", "take all marks away"),
    _action(Where.TABLE, "sort-next", "shift+right", "", "sort by the next column", "sort_shift(1)"),
    _action(Where.TABLE, "sort-back", "shift+left", "", "sort by the previous column", "sort_shift(-1)"),
    _action(Where.TABLE, "sort-reverse", "O", "", "reverse the order", "sort_reverse"),
    _action(Where.STREAM, "stream-up", "k up", "", "older", "older(1)"),
    _action(Where.STREAM, "stream-down", "j down", "", "newer", "newer(1)"),
    _action(Where.STREAM, "stream-page-up", "ctrl+b pageup", "", "a page older", "older(0)"),
    _action(Where.STREAM, "stream-page-down", "ctrl+f pagedown", "", "a page newer", "newer(0)"),
    _action(Where.STREAM, "stream-top", "g home", "", "the oldest", "oldest"),
    _action(Where.STREAM, "stream-bottom", "G end", "", "the newest, and follow", "follow"),
    _action(Where.STREAM, "follow", "s", "follow", "follow, or hold still", "toggle_follow"),
    _action(Where.STREAM, "stream-mark", "m", "mark", "mark the top line", "mark_line"),
    _action(Where.STREAM, "stream-next-mark", "n", "", "go to the next marked line", "next_mark"),
    _action(Where.POOLS, "pool-pause", "p", "pause", "start no more runners in the pool", needs=ADMIN, dangerous=True),
    _action(Where.POOLS, "pool-resume", "r", "resume", "take a pause or a trip back", needs=ADMIN, dangerous=True),
    _action(Where.POOLS, "pool-start", "t", "start", "start a runner in the pool", needs=ADMIN, dangerous=True),
    _action(Where.POOLS, "pause-all", "P", "pause all", "start no runner anywhere", needs=ADMIN, dangerous=True),
    _action(
        Where.POOLS, "resume-all", "R", "resume all", "take the pause of everything back", needs=ADMIN, dangerous=True
    ),
    _action(Where.DOCTOR, "doctor-again", "r", "again", "make the checks again", needs=LIVE),
    _action(Where.EVERYWHERE, "reconnect", "ctrl+r", "", "try the connection again now"),
    _action(Where.EVERYWHERE, "save", "ctrl+s", "save", "save what is shown: CSV, JSON or text"),
    _action(Where.EVERYWHERE, "command", "colon", "cmd", "type a command"),
    _action(Where.EVERYWHERE, "palette", "ctrl+p", "", "search all commands", "command_palette"),
    _action(Where.EVERYWHERE, "help", "question_mark f1", "help", "this page"),
    _action(Where.EVERYWHERE, "back", "escape", "", "close, clear the filter, go back", "step_back"),
    _action(Where.EVERYWHERE, "close", "q", "quit", "go back; on the dashboard quit"),
    _action(Where.EVERYWHERE, "quit", "ctrl+q", "", "quit now", "quit_now"),
    _action(Where.EVERYWHERE, "not-kill", "ctrl+k", "", "nothing: ctrl+d kills, and asks first"),
)

BY_ID = {action.id: action for action in ACTIONS}

WRITTEN = {
    "question_mark": "?", "slash": "/", "colon": ":", "plus": "+", "underscore": "_", "space": "space",
    "escape": "esc", "ctrl+@": "ctrl+space", "ctrl+backslash": "ctrl+\\", "pageup": "pgup", "pagedown": "pgdn",
}  # fmt: skip
"""How Textual's key names are written for people."""


def bindings(where: Where) -> list[BindingType]:
    """Textual bindings of the actions of one place, with their default keys."""
    return [
        Binding(",".join(action.keys), action.run, action.help, id=action.id, show=False)
        for action in ACTIONS
        if action.where is where
    ]


def written(key: str) -> str:
    """A key as a person writes it: `^d` for ctrl+d would be shorter, but is not what people type into a search."""
    return WRITTEN.get(key, key)


class Keymap(msgspec.Struct, frozen=True):
    """The keys in force: the defaults with a person's overrides; `problems` are overrides that were refused."""

    keys: dict[str, tuple[str, ...]]
    overrides: dict[str, str]
    problems: tuple[str, ...] = ()

    def key(self, action_id: str) -> str:
        """The first key of an action, as a person writes it."""
        return written(self.keys[action_id][0])


def resolve(overrides: Mapping[str, str]) -> Keymap:
    """Check overrides (`action id` -> keys, blank- or comma-separated); refused ones keep their defaults."""
    keys = {action.id: action.keys for action in ACTIONS}
    accepted: dict[str, str] = {}
    problems: list[str] = []
    for action_id, text in overrides.items():
        wanted = tuple(text.replace(",", " ").split())
        if problem := _problem(action_id, wanted):
            problems.append(problem)
        else:
            keys[action_id], accepted[action_id] = wanted, ",".join(wanted)
    for action_id in list(accepted):
        if clash := _clash(action_id, keys):
            problems.append(clash)
            keys[action_id] = BY_ID[action_id].keys
            del accepted[action_id]
    return Keymap(keys=keys, overrides=accepted, problems=tuple(problems))


UNDELIVERABLE = frozenset({"ctrl+i", "ctrl+j", "ctrl+m", "ctrl+h", "ctrl+enter"})
"""Terminals send tab, enter or backspace for these."""


def _problem(action_id: str, keys: tuple[str, ...]) -> str:
    if action_id not in BY_ID:
        return f"keys.{action_id}: no such action"
    if not keys:
        return f"keys.{action_id}: no key given"
    if bad := UNDELIVERABLE.intersection(keys):
        return f"keys.{action_id}: terminals do not deliver {', '.join(sorted(bad))}"
    return ""


def _clash(action_id: str, keys: Mapping[str, Iterable[str]]) -> str:
    mine = set(keys[action_id])
    where = BY_ID[action_id].where
    for other in ACTIONS:
        together = any({where, other.where} <= places for places in TOGETHER)
        if other.id != action_id and together and (shared := mine.intersection(keys[other.id])):
            return f"keys.{action_id}: {written(min(shared))} is already {other.id}"
    return ""
