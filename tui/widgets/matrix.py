"""Regions by instance types: how many runners are busy, idle and booting in each, and what is queued for it."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from tui import format as fmt
from tui.backend import JobState, RunnerState, Snapshot
from tui.view import View
from tui.widgets.drawn import Span, Spans, length
from tui.widgets.tones import Tone

BUSY = frozenset({RunnerState.BUSY})
IDLE = frozenset({RunnerState.IDLE})
BOOT = frozenset({RunnerState.PLANNED, RunnerState.CREATING, RunnerState.BOOTING})
LEAVING = frozenset({RunnerState.DRAINING, RunnerState.DELETING})
TROUBLE = frozenset({RunnerState.FAILED, RunnerState.LOST})

LEGEND = "busy/idle/booting  q queued  d draining or deleting  ! failed or lost"
REGION_WIDTH = 14
CELL_WIDTH = 11
"""Cells a column needs at least: `10/2/1 q14`."""


class Cell(msgspec.Struct, frozen=True):
    """What runs and waits in one place."""

    busy: int = 0
    idle: int = 0
    boot: int = 0
    leaving: int = 0
    trouble: int = 0
    queued: int = 0

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(
            busy=self.busy + other.busy,
            idle=self.idle + other.idle,
            boot=self.boot + other.boot,
            leaving=self.leaving + other.leaving,
            trouble=self.trouble + other.trouble,
            queued=self.queued + other.queued,
        )

    @property
    def text(self) -> str:
        """`2/1/0 q1 d1 !1`; `-` when there is nothing."""
        if self == EMPTY:
            return fmt.NOTHING
        marks = (("q", self.queued), ("d", self.leaving), ("!", self.trouble))
        return f"{self.busy}/{self.idle}/{self.boot}" + "".join(f" {sign}{number}" for sign, number in marks if number)

    @property
    def tone(self) -> Tone:
        """How much it matters."""
        if self.trouble:
            return Tone.BAD
        if self.queued:
            return Tone.WARN
        return Tone.MUTED if self == EMPTY else Tone.PLAIN


EMPTY = Cell()


class Matrix(msgspec.Struct, frozen=True):
    """Cells by (region, instance type), with the regions and types that have any."""

    regions: tuple[str, ...]
    types: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]

    def total(self, pairs: Iterable[tuple[str, str]]) -> Cell:
        """The sum of some cells."""
        total = EMPTY
        for pair in pairs:
            total += self.cells.get(pair, EMPTY)
        return total


def count(snapshot: Snapshot) -> Matrix:
    """Count a snapshot."""
    states = Counter((runner.region, runner.instance_type, runner.state) for runner in snapshot.runners)
    queued = Counter(
        (job.region, job.instance_type)
        for job in snapshot.jobs
        if job.state is JobState.QUEUED and job.placeable and job.region and job.instance_type
    )
    pairs = {(region, kind) for region, kind, _ in states} | {(r, k) for r, k in queued if r and k}

    def number(pair: tuple[str, str], among: frozenset[RunnerState]) -> int:
        return sum(states[*pair, state] for state in among)

    cells = {
        pair: Cell(
            busy=number(pair, BUSY),
            idle=number(pair, IDLE),
            boot=number(pair, BOOT),
            leaving=number(pair, LEAVING),
            trouble=number(pair, TROUBLE),
            queued=queued[pair],
        )
        for pair in pairs
    }
    rank = {kind: at for at, kind in enumerate(snapshot.instance_types)}
    types = sorted({kind for _, kind in pairs}, key=lambda kind: (rank.get(kind, len(rank)), kind))
    return Matrix(tuple(sorted({region for region, _ in pairs})), tuple(types), cells)


def matrix(view: View, width: int, height: int) -> list[Spans]:
    """Draw the matrix, or one line of regions when there is no room for more."""
    if view.snapshot is None:
        return []
    counted = count(view.snapshot)
    if not counted.regions:
        return [((" no runners, nothing queued", Tone.MUTED),)]
    if height <= 2:
        return [_line(counted, width)]
    return _table(counted, width, height)


def _line(counted: Matrix, width: int) -> Spans:
    spans: list[Span] = []
    for region in counted.regions:
        cell = counted.total((region, kind) for kind in counted.types)
        part: list[Span] = [(f" {region} ", Tone.TITLE), (f"{cell.text} ", cell.tone)]
        if length((*spans, *part)) > width - 3:
            spans.append((" ..", Tone.MUTED))
            break
        spans += part
    legend = " (busy/idle/boot)"
    if length(tuple(spans)) + len(legend) < width:
        spans.append((" " * (width - length(tuple(spans)) - len(legend) - 1) + legend, Tone.MUTED))
    return tuple(spans)


def _table(counted: Matrix, width: int, height: int) -> list[Spans]:
    fits = max(1, (width - REGION_WIDTH) // CELL_WIDTH - 1)
    types, more = counted.types[:fits], len(counted.types) - fits
    wide = min(22, (width - REGION_WIDTH) // (len(types) + 1))
    titles = [*types, f"all +{more}" if more > 0 else "all"]
    head = "".join(f" {fmt.cut_middle(title, wide - 1)}" for title in titles)
    lines: list[Spans] = [((fmt.cut("", REGION_WIDTH) + head, Tone.TITLE),)]
    rows = counted.regions[: max(1, height - 3)]
    lines += [_row(region, (region,), counted, types, wide) for region in rows]
    hidden = len(counted.regions) - len(rows)
    lines.append(_row(f"all +{hidden}" if hidden else "all", counted.regions, counted, types, wide))
    lines.append(((f" {LEGEND}", Tone.MUTED),))
    return lines


def _row(title: str, regions: tuple[str, ...], counted: Matrix, types: tuple[str, ...], wide: int) -> Spans:
    spans: list[Span] = [(" " + fmt.cut_middle(title, REGION_WIDTH - 1), Tone.TITLE)]
    for columns in (*((kind,) for kind in types), counted.types):
        cell = counted.total((region, kind) for region in regions for kind in columns)
        spans.append((" " + fmt.cut(cell.text, wide - 1), cell.tone))
    return tuple(spans)
