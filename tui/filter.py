"""The filter a person types: words that must all match, `!` for "not", `field:value`, everything else a regex.

`busy !acme` · `state:busy region:fra` · `repo:^acme/ !job:lint` · `! state:idle` (the whole expression inverted).
A pattern never looks at more than a line, and patterns that could run for hours are refused: the console may share
its loop with the scheduler.
"""

import re
from collections.abc import Callable, Mapping

import msgspec

LONGEST = 200
"""Characters of an expression."""
RUNAWAY = re.compile(r"[+*}?]\)\s*[+*{]|\([^()]*[+*][^()]*\)\s*[+*{]|\)[+*{][^)]*\)[+*{]")
"""A repeat inside a repeated group: exponential in Python's `re`."""
REPEATS = 3
"""Unbounded repeats in one pattern; each one multiplies the work by the length of the line."""


class FilterError(ValueError):
    """The expression cannot be used; the text says why in one line."""


class Term(msgspec.Struct, frozen=True):
    """One word: a pattern, where it looks (empty: everywhere), and whether it must not match."""

    pattern: re.Pattern[str]
    field: str = ""
    negated: bool = False

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether a row with these fields passes."""
        text = fields.get(self.field, "") if self.field else " ".join(fields.values())
        return (self.pattern.search(text) is not None) is not self.negated


class Filter(msgspec.Struct, frozen=True):
    """A parsed expression; the empty one passes everything."""

    text: str = ""
    terms: tuple[Term, ...] = ()
    negated: bool = False

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether a row with these fields passes."""
        return all(term.matches(fields) for term in self.terms) is not self.negated

    def over(self, fields_of: Callable[[object], Mapping[str, str]]) -> Callable[[object], bool]:
        """This filter as a predicate over rows."""
        return lambda row: self.matches(fields_of(row))


EVERYTHING = Filter()


def parse(text: str, fields: tuple[str, ...]) -> Filter:
    """Read an expression over the named fields. Raises `FilterError`."""
    text = text.strip()
    if len(text) > LONGEST:
        raise FilterError(f"filter: longer than {LONGEST} characters")
    body = text.removeprefix("! ").strip() if text.startswith("! ") else text
    if not body:
        return EVERYTHING
    if body == "!":
        raise FilterError("filter: nothing after !")
    terms = tuple(_term(word, fields) for word in body.split())
    return Filter(text=text, terms=terms, negated=body != text)


def _term(word: str, fields: tuple[str, ...]) -> Term:
    negated = word.startswith("!")
    body = word[1:] if negated else word
    field, colon, value = body.partition(":")
    if not (colon and field.isalpha()):
        field, value = "", body
    elif field not in fields:
        raise FilterError(f"filter: no field {field!r}; known: {', '.join(fields)}")
    if not value:
        raise FilterError(f"filter: nothing after {word!r}")
    return Term(_pattern(value), field, negated)


def _pattern(text: str) -> re.Pattern[str]:
    if RUNAWAY.search(text) or len(re.findall(r"[+*]|\{\d*,\d*\}", text)) > REPEATS:
        raise FilterError(f"filter: {text!r} could run for too long; use fewer repeats")
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as problem:
        raise FilterError(f"filter: {text!r} is not a regular expression: {problem.msg}") from None
