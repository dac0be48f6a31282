"""The lines of a stream without a screen: a bounded ring, a filter, a reading place that is a line, not a number."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from tui.backend import Level


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a stream. `seq` grows; `subject` is a runner, a pool or nothing."""

    seq: int
    at: float
    level: Level
    text: str
    kind: str = ""
    subject: str = ""


class Ring:
    """The last `size` lines, those that pass the filter, and which of them is read.

    Following shows the newest; otherwise `anchor` is the seq of the top line, and what comes meanwhile is counted.
    """

    def __init__(self, size: int) -> None:
        self.lines: deque[Line] = deque(maxlen=size)
        self.shown: deque[Line] = deque(maxlen=size)
        self.following = True
        self.unread = 0
        self.marks: set[int] = set()
        self._anchor: int | None = None
        self._passes: Callable[[Line], bool] | None = None

    def extend(self, lines: Iterable[Line]) -> None:
        """Append lines newer than the last; older and equal ones are ignored (a stream may be resumed with overlap)."""
        last = self.lines[-1].seq if self.lines else -1
        for line in lines:
            if line.seq <= last:
                continue
            last = line.seq
            self.lines.append(line)
            if self._passes is None or self._passes(line):
                self.shown.append(line)
                self.unread += 0 if self.following else 1
        oldest = self.lines[0].seq if self.lines else 0
        while self.shown and self.shown[0].seq < oldest:
            self.shown.popleft()
        self.marks = {seq for seq in self.marks if seq >= oldest} if self.marks else self.marks

    def clear(self) -> None:
        """Forget every line."""
        self.lines.clear()
        self.shown.clear()
        self.follow()

    def filter(self, passes: Callable[[Line], bool] | None) -> None:
        """Show only the lines that pass."""
        self._passes = passes
        self.shown = deque((line for line in self.lines if passes is None or passes(line)), self.lines.maxlen)

    def follow(self) -> None:
        """Show the newest from now on."""
        self.following, self.unread, self._anchor = True, 0, None

    def top(self, page: int) -> int:
        """The position of the top line when `page` lines are shown."""
        last = max(0, len(self.shown) - page)
        if self.following or self._anchor is None:
            return last
        return min(last, self.position(self._anchor))

    def hold(self, top: int, page: int) -> None:
        """Put the line at a position on top and hold still; at the end, follow."""
        last = max(0, len(self.shown) - page)
        if top >= last:
            self.follow()
            return
        self.freeze(top)

    def freeze(self, top: int) -> None:
        """Put the line at a position on top and hold still, even at the end."""
        self.following = False
        self._anchor = self.shown[max(0, min(top, len(self.shown) - 1))].seq if self.shown else None

    def position(self, seq: int) -> int:
        """Where the first shown line with this seq or a later one is."""
        return bisect_left(self.shown, seq, key=lambda line: line.seq)

    def mark(self, seq: int) -> None:
        """Mark a line, or take its mark away."""
        self.marks ^= {seq}

    def next_mark(self, top: int) -> int | None:
        """The position of the next marked line below a position, from the first again; None without marks."""
        places = sorted(self.position(seq) for seq in self.marks)
        places = [place for place in places if place < len(self.shown) and self.shown[place].seq in self.marks]
        return next((place for place in places if place > top), places[0] if places else None)
