"""How much something matters, as a colour and a weight. Tones only repeat what a word already says."""

from enum import StrEnum
from typing import ClassVar

from rich.style import Style
from textual.widget import Widget

from tui.backend import Level, RunnerState


class Tone(StrEnum):
    """A meaning that themes give a colour to; the value is the name of a CSS component class."""

    PLAIN = "tone--plain"
    MUTED = "tone--muted"
    GOOD = "tone--good"
    WORK = "tone--work"
    WARN = "tone--warn"
    BAD = "tone--bad"
    TITLE = "tone--title"
    CURSOR = "tone--cursor"
    CURSOR_AWAY = "tone--cursor-away"


STATE_TONES = {
    RunnerState.PLANNED: Tone.MUTED,
    RunnerState.CREATING: Tone.WARN,
    RunnerState.BOOTING: Tone.WARN,
    RunnerState.IDLE: Tone.GOOD,
    RunnerState.BUSY: Tone.WORK,
    RunnerState.DRAINING: Tone.WARN,
    RunnerState.DELETING: Tone.MUTED,
    RunnerState.GONE: Tone.MUTED,
    RunnerState.FAILED: Tone.BAD,
    RunnerState.LOST: Tone.BAD,
}

LEVEL_TONES = {Level.DEBUG: Tone.MUTED, Level.INFO: Tone.PLAIN, Level.WARN: Tone.WARN, Level.ERROR: Tone.BAD}


TONES = {tone.value for tone in Tone}
TONE_CSS = """
    & > .tone--muted { color: $text-muted; }
    & > .tone--good { color: $text-success; }
    & > .tone--work { color: $text-primary; }
    & > .tone--warn { color: $text-warning; }
    & > .tone--bad { color: $text-error; text-style: bold; }
    & > .tone--title { text-style: bold; }
    & > .tone--cursor { text-style: reverse bold; }
    & > .tone--cursor-away { text-style: bold; }
"""
"""For the CSS of a widget that has the component classes `TONES`; Textual inherits both from the first base only."""


class Toned(Widget):
    """A widget that draws its own lines in tones."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TONES
    DEFAULT_CSS = "Toned {" + TONE_CSS + "}"

    def tone(self, tone: Tone) -> Style:
        """The style of a tone in the present theme."""
        return self.get_component_rich_style(tone.value)
