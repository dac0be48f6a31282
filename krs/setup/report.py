"""What a step says: one line each, what was found and, if it is not right, what to do."""

from collections.abc import Iterable
from enum import Enum

import msgspec

from krs.errors import CallError, Refused, Throttled


class Mark(Enum):
    """How a step went. WRONG is a failure of what was typed, UNREACHED one of the network or of the other side."""

    OK = "ok"
    NOTE = "note"
    FAIL = "fail"
    WRONG = "wrong"
    UNREACHED = "unreached"

    @property
    def failed(self) -> bool:
        """Whether the set-up cannot go on."""
        return self in (Mark.FAIL, Mark.WRONG, Mark.UNREACHED)

    @property
    def word(self) -> str:
        """What is shown."""
        return "fail" if self.failed else self.value


class Line(msgspec.Struct, frozen=True):
    """One step's outcome. `subject` is a setting's key, a scope or a file; `todo` what to do about a failure."""

    mark: Mark
    subject: str
    text: str
    todo: str = ""

    def __str__(self) -> str:
        """As it is printed."""
        return f"{self.mark.word:<5} {self.subject}: {self.text}{f': {self.todo}' if self.todo else ''}"


def ok(subject: str, text: str) -> Line:
    """A step that went well."""
    return Line(Mark.OK, subject, text)


def note(subject: str, text: str) -> Line:
    """Something to know."""
    return Line(Mark.NOTE, subject, text)


def fail(subject: str, text: str, todo: str) -> Line:
    """A step that did not."""
    return Line(Mark.FAIL, subject, text, todo)


def wrong(subject: str, text: str, todo: str) -> Line:
    """Something that was typed cannot be."""
    return Line(Mark.WRONG, subject, text, todo)


def failures(lines: Iterable[Line]) -> bool:
    """Whether one of these keeps the set-up from going on."""
    return any(line.mark.failed for line in lines)


def failed_call(subject: str, problem: CallError, *, todo: str, where: str) -> Line:
    """A call that failed: `todo` if it was refused; `where` is the setting with the address that was asked."""
    match problem:
        case Refused():
            return Line(Mark.FAIL, subject, problem.message, todo)
        case Throttled():
            return Line(Mark.UNREACHED, subject, problem.message, f"run krs setup again in {problem.after:.0f} s")
        case _:
            advice = f"check {where} and this machine's network, and run krs setup again"
            return Line(Mark.UNREACHED, subject, problem.message, advice)
