"""What each command of the `:` prompt does."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui import commands, flows, themes
from tui.commands import Command, CommandError

if TYPE_CHECKING:
    from tui.app import ConsoleApp


def carry_out(console: "ConsoleApp", line: str) -> None:
    """Carry a line out, or say in one line why not."""
    if not line.strip().lstrip(":"):
        return
    try:
        command = commands.parse(line)
        TABLE[command.verb](console, command)
    except CommandError as problem:
        console.say(f"refused: {problem}")


def _pane(console: "ConsoleApp", command: Command) -> None:
    console.home().show_pane(command.verb)
    if command.words:
        console.try_filter(command.rest)


def _only(console: "ConsoleApp", command: Command) -> None:
    console.home().show_pane("runners")
    console.try_filter(f"{command.verb}:^{command.rest}$" if command.verb != "repo" else f"repo:{command.rest}")


def _sort(console: "ConsoleApp", command: Command) -> None:
    if not console.home().sort(command.rest):
        raise CommandError(f"no column {command.rest!r}; :sort takes {commands.BY_NAME['sort'].help.split(': ')[1]}")


def _named(console: "ConsoleApp", command: Command) -> None:
    names = [console.view.runner(command.rest)] if command.words else list(console.top.chosen()[:1])
    runner = names[0] if names else None
    if runner is None:
        raise CommandError(f"no runner {command.rest}".rstrip())
    if command.verb == "detail":
        flows.detail(console, runner.name)
    else:
        flows.logs(console, runner.name)


def _extend(console: "ConsoleApp", command: Command) -> None:
    minutes = commands.minutes(command.rest)
    runners = console.top.chosen()
    if not runners:
        raise CommandError("no runner is chosen")
    if console.may_act():
        console.act(console.operations.extend(runners, minutes=minutes))


def _end(console: "ConsoleApp", _: Command) -> None:
    flows.end(console, console.top.chosen())


def _start(console: "ConsoleApp", command: Command) -> None:
    match command.words:
        case (label, scope):
            if console.may_act():
                console.act(console.operations.start(label, scope))
        case _:
            flows.start(console, command.rest)


def _pause(console: "ConsoleApp", command: Command) -> None:
    pool = None if command.rest in {"", "all"} else console.view.pool(command.rest)
    if pool is None and command.rest not in {"", "all"}:
        raise CommandError(f"no pool {command.rest}; :pools lists them")
    flows.pause(console, pool.id if pool else None, resume=command.verb == "resume")


def _undo(console: "ConsoleApp", _: Command) -> None:
    flows.undo(console)


def _theme(console: "ConsoleApp", command: Command) -> None:
    if not command.words:
        flows.pick_theme(console)
    elif command.rest in themes.NAMES or f"krs-{command.rest}" in themes.NAMES:
        console.set_theme(command.rest if command.rest in themes.NAMES else f"krs-{command.rest}")
    else:
        raise CommandError(f"no theme {command.rest}; known: {', '.join(themes.NAMES)}")


def _readonly(console: "ConsoleApp", command: Command) -> None:
    if command.rest != "on":
        raise CommandError(":readonly takes on; open the console again to act")
    console.read_only_session = True
    console.say("read-only for this session")


def _save(console: "ConsoleApp", command: Command) -> None:
    console.save_to(command.rest)


def _ctx(console: "ConsoleApp", command: Command) -> None:
    flows.connect(console, command.rest)


TABLE: dict[str, Callable[["ConsoleApp", Command], None]] = {
    "runners": _pane,
    "jobs": _pane,
    "events": _pane,
    "pools": lambda console, _: flows.pools(console),
    "doctor": lambda console, _: flows.doctor(console),
    "region": _only,
    "type": _only,
    "repo": _only,
    "sort": _sort,
    "detail": _named,
    "logs": _named,
    "extend": _extend,
    "end": _end,
    "start": _start,
    "pause": _pause,
    "resume": _pause,
    "undo": _undo,
    "theme": _theme,
    "readonly": _readonly,
    "save": _save,
    "ctx": _ctx,
    "reconnect": lambda console, _: console.action_reconnect(),
    "help": lambda console, _: console.action_help(),
    "quit": lambda console, _: console.action_quit_now(),
}
"""By `commands.Verb.name`; a test holds the two together."""
