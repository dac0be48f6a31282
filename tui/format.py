"""How quantities read on screen: ages, time left, money, words cut to a width. Pure; every unit is in the name."""

import datetime as dt

from rich.cells import cell_len, set_cell_size

SOON = 120.0
"""Seconds: an end closer than this is marked with `!`."""
NOTHING = "-"
CUT = ".."


def clock(at: float, *, utc_offset: float = 0.0) -> str:
    """The time of day of an instant, HH:MM:SS. `utc_offset` in seconds, so that tests do not depend on a zone."""
    seconds = int(at + utc_offset) % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def date(at: float, *, utc_offset: float = 0.0) -> str:
    """The day and time of an instant, `2026-01-31 14:05:09`."""
    zone = dt.timezone(dt.timedelta(seconds=utc_offset))
    return dt.datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S")


def moment(at: float, now: float) -> str:
    """An instant as short as it is clear: the time of day, and the day too unless it is the one of `now`."""
    return clock(at) if int(at // 86_400) == int(now // 86_400) else date(at)


def duration(seconds: float) -> str:
    """A duration in at most 6 characters: 00:42, 12:41, 3h07m, 2d04h, 123d."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86_400
    if hours < 1:
        return f"{minutes:02}:{whole % 60:02}"
    if days < 1:
        return f"{hours}h{minutes % 60:02}m"
    if days < 100:
        return f"{days}d{hours % 24:02}h"
    return f"{days}d"


def age(since: float | None, now: float) -> str:
    """How long ago an instant was; `-` when it is not known."""
    return NOTHING if since is None else duration(now - since)


def left(until: float | None, now: float, *, guessed: bool = False) -> str:
    """How long until an instant: `17:19`, `01:50!` when soon, `~17:19` when only counted locally, `due` when past."""
    if until is None:
        return NOTHING
    seconds = until - now
    mark = "~" if guessed else ""
    if seconds <= 0:
        return f"{mark}00:00?" if guessed else "due"
    return f"{mark}{duration(seconds)}{'!' if seconds < SOON else ''}"


def money(usd: float | None) -> str:
    """An amount small enough for a runner: 0.021, 1.20, 118."""
    if usd is None:
        return NOTHING
    if usd < 1:
        return f"{usd:.3f}"
    return f"{usd:.2f}" if usd < 100 else f"{usd:.0f}"


def hourly(usd: float | None) -> str:
    """A price per hour, `$0.41/h`, `$0.0072/h` when it is small; `-` when it is not known."""
    if usd is None:
        return NOTHING
    return f"${usd:.4f}/h" if 0 < usd < 0.1 else f"${usd:.2f}/h"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 runner, 2 runners."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def cut(text: str, width: int) -> str:
    """Exactly `width` cells: padded, or cut at the end with two dots."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width) if width <= len(CUT) else set_cell_size(text, width - len(CUT)) + CUT


def cut_middle(text: str, width: int) -> str:
    """Exactly `width` cells: padded, or with its middle replaced by two dots, because both ends tell names apart."""
    if cell_len(text) <= width or width <= len(CUT) + 2:
        return cut(text, width)
    tail = (width - len(CUT)) // 2
    end = text[-tail:]
    while cell_len(end) > tail:
        end = end[1:]
    return set_cell_size(text, width - len(CUT) - cell_len(end)) + CUT + end


def align_right(text: str, width: int) -> str:
    """Exactly `width` cells, padded on the left."""
    size = cell_len(text)
    return " " * (width - size) + text if size <= width else cut(text, width)


def one_line(text: str) -> str:
    """Text from elsewhere made safe for one line: no control characters, no line breaks, no escapes."""
    return "".join(char if char.isprintable() else " " for char in text)


def short_name(name: str, region: str, instance_type: str) -> str:
    """A runner's name without its place, which other columns show; the whole name when nothing would be left."""
    place = f"runner-{region}-{instance_type}-"
    return name.removeprefix(place) if name.startswith(place) else name.removeprefix("runner-")


def spark(values: list[float], width: int) -> str:
    """A line of `width` bars, newest on the right; each bar is the largest value of its share of the samples."""
    if not values:
        return " " * width
    bars = " ▁▂▃▄▅▆▇█"
    top = max(values)
    shares = (
        [
            values[i * len(values) // width : max((i + 1) * len(values) // width, i * len(values) // width + 1)]
            for i in range(width)
        ]
        if len(values) > width
        else [[value] for value in values]
    )
    line = "".join(bars[_bar(max(share), top)] for share in shares)
    return line.rjust(width)


def _bar(value: float, top: float) -> int:
    if value <= 0 or top <= 0:
        return 0
    return max(1, round(value / top * 8))
