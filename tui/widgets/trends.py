"""The last hour in five lines: runners, queue, longest wait, errors and money, one sample a minute."""

from tui import format as fmt
from tui.view import View
from tui.widgets.drawn import Spans
from tui.widgets.tones import Tone

TITLE_WIDTH = 8
VALUE_WIDTH = 8
LONGEST = 60
"""Bars: one a minute."""


def trends(view: View, width: int, _height: int) -> list[Spans]:
    """Draw the sparklines."""
    if view.snapshot is None:
        return []
    history, totals = view.snapshot.history, view.snapshot.totals
    bars = max(1, min(LONGEST, width - TITLE_WIDTH - VALUE_WIDTH - 2))
    rows = (
        ("runners", [float(sample.runners) for sample in history], str(totals.runners)),
        ("queue", [float(sample.queued) for sample in history], str(totals.queued)),
        ("wait", [sample.oldest_wait for sample in history], fmt.duration(totals.oldest_wait)),
        ("errors", [float(sample.errors) for sample in history], str(sum(sample.errors for sample in history))),
        ("$/h", [sample.cost_hourly for sample in history], f"{totals.cost_hourly:.2f}"),
    )
    return [
        (
            (f" {title:{TITLE_WIDTH}}", Tone.MUTED),
            (fmt.spark(values, bars), Tone.BAD if title == "errors" else Tone.WORK),
            (f" {value:>{VALUE_WIDTH - 1}}", Tone.TITLE),
        )
        for title, values, value in rows
    ]
