"""Colours: four themes of our own, and the terminal's own sixteen colours where those are all there is.

No meaning depends on a colour: every state is a word, the cursor is reverse video.
"""

from collections.abc import Mapping

from textual.theme import BUILTIN_THEMES, Theme

DARK = Theme(
    name="krs-dark",
    primary="#5fafff",
    secondary="#87afd7",
    accent="#5fafff",
    success="#87d787",
    warning="#ffd75f",
    error="#ff8787",
    foreground="#dadada",
    background="#121417",
    surface="#1a1d21",
    panel="#3a4049",
)
LIGHT = Theme(
    name="krs-light",
    primary="#005faf",
    secondary="#3a6ea5",
    accent="#005faf",
    success="#00662b",
    warning="#7a4f00",
    error="#b00020",
    foreground="#1c1c1c",
    background="#fbfbf9",
    surface="#f0f0ee",
    panel="#b8bcc2",
    dark=False,
)
CONTRAST = Theme(
    name="krs-high-contrast",
    primary="#00ffff",
    secondary="#00ffff",
    accent="#ffff00",
    success="#00ff00",
    warning="#ffff00",
    error="#ff8080",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#ffffff",
)
COLOUR_BLIND = Theme(
    name="krs-colour-blind",
    primary="#56b4e9",
    secondary="#cc79a7",
    accent="#56b4e9",
    success="#56b4e9",
    warning="#f0e442",
    error="#ff9e3d",
    foreground="#e4e4e4",
    background="#121417",
    surface="#1a1d21",
    panel="#3a4049",
)
"""Blue, yellow and orange of Okabe and Ito's palette (https://jfly.uni-koeln.de/color/): no red against green."""

OWN = (DARK, LIGHT, CONTRAST, COLOUR_BLIND)
NAMES = (*(theme.name for theme in OWN), "ansi-dark", "ansi-light")


def no_colour(environ: Mapping[str, str]) -> bool:
    """Whether colours are unwanted: NO_COLOR is set (https://no-color.org); Textual takes an empty one as set."""
    return "NO_COLOR" in environ


def few_colours(environ: Mapping[str, str]) -> bool:
    """Whether the terminal has its sixteen colours only, as far as it says."""
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return False
    return "256color" not in environ.get("TERM", "") and "direct" not in environ.get("TERM", "")


def choose(wanted: str, environ: Mapping[str, str]) -> str:
    """The theme to start with. Colourless and 16-colour terminals get the terminal's own colours."""
    if no_colour(environ) or few_colours(environ):
        return "ansi-light" if wanted == LIGHT.name else "ansi-dark"
    return wanted if wanted in NAMES or wanted in BUILTIN_THEMES else DARK.name
