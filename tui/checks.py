"""The doctor's checks on screen: their columns, the words a filter looks at, and one of them in full. Pure."""

import textwrap
from collections import Counter
from collections.abc import Mapping

from tui import format as fmt
from tui.backend import Check, CheckName, Diagnosis, Finding
from tui.widgets.columns import Column
from tui.widgets.drawn import Spans
from tui.widgets.tones import Tone

FIELDS = ("finding", "check", "about", "text")
TONES = {Finding.OK: Tone.GOOD, Finding.WARN: Tone.WARN, Finding.FAIL: Tone.BAD, Finding.SKIPPED: Tone.MUTED}
WORST_FIRST = (Finding.FAIL, Finding.WARN, Finding.SKIPPED, Finding.OK)
ORDER = {name: order for order, name in enumerate(CheckName)}
NAME_WIDTH = max(map(len, CheckName))


def named(found: Diagnosis) -> dict[str, Check]:
    """The checks by a name that stays when they are made again."""
    seen: Counter[str] = Counter()
    checks: dict[str, Check] = {}
    for check in found.checks:
        about = f"{check.name} {check.subject}"
        checks[f"{about} {seen[about]}"] = check
        seen[about] += 1
    return checks


def summary(found: Diagnosis) -> str:
    """How many checks came to what, the worst first: `2 fail, 1 warn, 17 ok`."""
    counts = Counter(check.finding for check in found.checks)
    return ", ".join(f"{counts[finding]} {finding}" for finding in WORST_FIRST if counts[finding])


def columns() -> tuple[Column[Check], ...]:
    """The checks, the worst first and then in the order of the report."""
    return (
        Column(id="finding", title="FINDING", width=8, text=lambda c, _: c.finding, tone=lambda c: TONES[c.finding],
               key=lambda c: (WORST_FIRST.index(c.finding), ORDER[c.name])),
        Column(id="check", title="CHECK", width=NAME_WIDTH, text=lambda c, _: c.name, key=lambda c: ORDER[c.name]),
        Column(id="about", title="ABOUT", width=10, longest=30, flex=1, drop=1, middle=True,
               text=lambda c, _: fmt.one_line(c.subject), key=lambda c: (c.subject, ORDER[c.name])),
        Column(id="text", title="WHAT", width=20, longest=150, flex=4, text=lambda c, _: fmt.one_line(c.message),
               key=lambda c: c.message),
    )  # fmt: skip


def fields(check: Check) -> Mapping[str, str]:
    """What a filter may look at."""
    return {
        "finding": check.finding,
        "check": check.name,
        "about": check.subject,
        "text": f"{check.message} {check.advice}",
    }


def in_full(check: Check | None, width: int) -> list[Spans]:
    """One check, with what to do about it."""
    if check is None:
        return []
    said = [((f" {line}", TONES[check.finding]),) for line in _wrapped(check.message, width)]
    advice = [((f" {line}", Tone.PLAIN),) for line in _wrapped(check.advice, width)]
    return [*said, *advice]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(fmt.one_line(text), max(10, width - 2), break_on_hyphens=False)
