"""The `:` prompt: its words, what they take, and what is meant by a line. The palette lists the same table."""

import difflib

import msgspec


class CommandError(ValueError):
    """The line is not a command; the text says why in one line."""


class Verb(msgspec.Struct, frozen=True):
    """A command: `takes` is shown to people; `least` and `most` are how many words may follow."""

    name: str
    takes: str
    help: str
    least: int = 0
    most: int = 0
    other: tuple[str, ...] = ()


MANY = 99

VERBS: tuple[Verb, ...] = (
    Verb("runners", "[filter]", "show the runners", 0, MANY),
    Verb("jobs", "[filter]", "show the jobs", 0, MANY),
    Verb("events", "[filter]", "show the events", 0, MANY),
    Verb("pools", "", "show the pools"),
    Verb("doctor", "", "what is wrong, why, and what to do"),
    Verb("region", "REGION", "only one region", 1, 1),
    Verb("type", "TYPE", "only one instance type", 1, 1, ("inst",)),
    Verb("repo", "REPO", "only one repository", 1, 1),
    Verb("sort", "COLUMN", "sort the runners: name state place repo job branch age left cost", 1, 1),
    Verb("detail", "[NAME]", "everything about a runner", 0, 1),
    Verb("logs", "[NAME]", "a runner's log", 0, 1),
    Verb("extend", "MINUTES", "keep the chosen runners longer: 30, 45m, 2h", 1, 1),
    Verb("end", "", "kill or drain the chosen runners", 0, 0, ("kill", "drain")),
    Verb("start", "LABEL SCOPE", "start a runner, e.g. koyeb-fra-small owner/repo", 0, 2),
    Verb("pause", "[POOL|all]", "start no more runners", 0, 1),
    Verb("resume", "[POOL|all]", "take a pause or a trip back", 0, 1),
    Verb("undo", "", "take the last extend or drain back"),
    Verb("theme", "[NAME]", "change the colours", 0, 1),
    Verb("readonly", "on", "act no more in this session", 1, 1),
    Verb("save", "[PATH]", "save what is shown: .csv, .json or .txt", 0, 1),
    Verb("ctx", "[PROFILE]", "talk to another scheduler", 0, 1, ("connect",)),
    Verb("reconnect", "", "try the connection again now"),
    Verb("help", "", "all keys and commands"),
    Verb("quit", "", "leave the console", 0, 0, ("q",)),
)

BY_NAME = {name: verb for verb in VERBS for name in (verb.name, *verb.other)}


class Command(msgspec.Struct, frozen=True):
    """A line that was understood."""

    verb: str
    words: tuple[str, ...] = ()

    @property
    def rest(self) -> str:
        """The words after the verb as one text."""
        return " ".join(self.words)


def parse(line: str) -> Command:
    """Read a line. Raises `CommandError`."""
    name, *words = line.strip().lstrip(":").split() or [""]
    verb = BY_NAME.get(name)
    if verb is None:
        near = difflib.get_close_matches(name, BY_NAME, n=1)
        raise CommandError(
            f":{name} is not a command" + (f"; did you mean :{near[0]}" if near else "; :help lists them")
        )
    if not verb.least <= len(words) <= verb.most:
        raise CommandError(f":{verb.name} takes {verb.takes or 'nothing'}")
    return Command(verb.name, tuple(words))


def minutes(text: str) -> float:
    """A duration a person types, in minutes: `30`, `45m`, `2h`, `1d`. Raises `CommandError`."""
    number, unit = (text[:-1], text[-1:]) if text[-1:].isalpha() else (text, "m")
    factor = {"m": 1.0, "h": 60.0, "d": 1440.0}.get(unit)
    if factor is None or not number.replace(".", "", 1).isdigit() or not float(number) > 0:
        raise CommandError(f"{text!r} is not a time; write 45m, 2h or 1d")
    if float(number) * factor > 30 * 1440:
        raise CommandError(f"{text!r} is more than 30 days")
    return float(number) * factor
