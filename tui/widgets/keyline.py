"""The bottom line: the keys that work now, most used first, as many as fit."""

from collections.abc import Iterable

from tui.widgets.drawn import Span, Spans, length
from tui.widgets.tones import Tone


def key_line(items: Iterable[tuple[str, str]], width: int) -> list[Spans]:
    """Draw (key, title) pairs."""
    spans: list[Span] = [(" ", Tone.PLAIN)]
    for key, title in items:
        part: list[Span] = [(key.replace("ctrl+", "^"), Tone.TITLE), (f" {title}  ", Tone.MUTED)]
        if length((*spans, *part)) > width + 1:
            break
        spans += part
    return [tuple(spans)]
