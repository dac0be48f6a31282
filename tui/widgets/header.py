"""The top line: whom the console talks to and how that goes on the left, the totals and the money on the right."""

from tui import format as fmt
from tui.backend import Link, Role, Totals
from tui.view import View
from tui.widgets.drawn import Span, Spans, apart, length
from tui.widgets.tones import Tone

WIDE = 100
"""Cells from which the address has room."""


def header(view: View, width: int, _height: int) -> list[Spans]:
    """Draw the top line; what there is no room for goes, the address first, the clock next."""
    address = f"{view.where}  " if width >= WIDE and view.profile not in view.where else ""
    variants = [
        (_left(view, where), _right(view, width, clock=clock))
        for where, clock in ((address, True), ("", True), ("", False))
    ]
    fitting = (one for one in variants if length(one[0]) + length(one[1]) < width)
    return [apart(*next(fitting, variants[-1]), width)]


def _left(view: View, where: str) -> Spans:
    spans: list[Span] = [(" krs ", Tone.TITLE), (f" {view.profile or 'console'} ", Tone.TITLE), (where, Tone.MUTED)]
    spans += _link(view)
    if view.role is Role.READ_ONLY:
        spans.append(("  READ-ONLY", Tone.WARN))
    if view.snapshot is not None and view.snapshot.paused:
        spans.append(("  PAUSED", Tone.WARN))
    if view.live and view.snapshot is not None and not view.snapshot.ready:
        spans.append(("  first sweep running", Tone.WARN))
    return tuple(spans)


def _link(view: View) -> list[Span]:
    connection = view.connection
    match connection.link:
        case Link.LIVE:
            latency = "" if connection.latency is None else f" {connection.latency * 1000:.0f}ms"
            return [("LIVE", Tone.GOOD), (latency, Tone.MUTED)]
        case Link.CONNECTING:
            return [("CONNECTING", Tone.WARN)]
        case Link.DENIED:
            return [("DENIED", Tone.BAD)]
        case Link.LOST:
            lost = fmt.age(connection.since, view.now)
            retry = "" if connection.retry_at is None else f" retry in {max(0, connection.retry_at - view.now):.0f}s"
            tries = f" ({connection.attempts})" if connection.attempts else ""
            return [(f"LOST {lost}", Tone.BAD), (f"{retry}{tries}", Tone.WARN)]


def _right(view: View, width: int, *, clock: bool) -> Spans:
    snapshot = view.snapshot
    if snapshot is None:
        return (("no data yet ", Tone.MUTED),)
    if view.stale:
        return ((f"STALE: data from {fmt.clock(snapshot.at)} ", Tone.BAD),)
    time = f"  {fmt.clock(view.now)} UTC" if width >= WIDE and clock else ""
    return (*_totals(snapshot.totals, width if clock else 0), (f"{time} ", Tone.MUTED))


def _totals(totals: Totals, width: int) -> list[Span]:
    spans = [
        (f"{totals.runners} run", Tone.PLAIN),
        (f"  {totals.queued} queued", Tone.WARN if totals.queued else Tone.PLAIN),
    ]
    if totals.unplaceable:
        spans.append((f"  {totals.unplaceable} unplaceable", Tone.BAD))
    if totals.queued and width >= WIDE:
        spans.append((f"  oldest {fmt.duration(totals.oldest_wait)}", Tone.WARN))
    spans.append((f"  {fmt.hourly(totals.cost_hourly)}", Tone.PLAIN))
    return spans
