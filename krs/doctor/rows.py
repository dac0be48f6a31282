"""What a judgement gives: a check without its name, in four kinds."""

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from krs.core.vocabulary import Finding
from krs.errors import CallError, Refused, Throttled

LATER = "krs asks again by itself"


class Row(msgspec.Struct, frozen=True):
    """What was found, and what to do about it."""

    finding: Finding
    message: str
    advice: str = ""
    subject: str = ""


Rows: TypeAlias = Iterator[Row]


def ok(message: str, subject: str = "") -> Row:
    """Nothing to do."""
    return Row(Finding.OK, message, subject=subject)


def warn(message: str, advice: str, subject: str = "") -> Row:
    """It works, but not as it should, or will soon not."""
    return Row(Finding.WARN, message, advice, subject)


def fail(message: str, advice: str, subject: str = "") -> Row:
    """It does not work."""
    return Row(Finding.FAIL, message, advice, subject)


def skipped(why: str, advice: str = "", subject: str = "") -> Row:
    """It could not be looked at."""
    return Row(Finding.SKIPPED, why, advice, subject)


def unanswered(problem: Exception, advice: str) -> Row:
    """A question that must be answered was not: `advice` is for a refusal, other errors end by themselves or not."""
    match problem:
        case Throttled():
            return warn(f"not known: {problem}", LATER)
        case Refused():
            return fail(f"refused: {problem}", advice)
        case CallError():
            return fail(f"no answer: {problem}", f"check the network from here to there; {LATER}")
        case _:
            return fail(str(problem), advice)
