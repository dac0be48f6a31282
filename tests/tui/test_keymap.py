"""Keys: the registry is consistent, and a person's overrides are checked."""

import pytest

from tests.tui.consoles import Open
from tui import commands
from tui.keymap import ACTIONS, BY_ID, TOGETHER, resolve
from tui.settings import Settings, SettingsFile
from tui.verbs import TABLE


def test_no_key_means_two_things() -> None:
    """In every set of places whose keys work together, a key belongs to one action."""
    for places in TOGETHER:
        keys = [key for action in ACTIONS if action.where in places for key in action.keys]
        assert len(keys) == len(set(keys))


def test_ids_are_unique_and_helped() -> None:
    """Every action has its own id and a help text."""
    assert len(BY_ID) == len(ACTIONS)
    assert all(action.help for action in ACTIONS)


def test_commands_and_their_table_agree() -> None:
    """Every command does something, and nothing is done that is not a command."""
    assert set(TABLE) == {verb.name for verb in commands.VERBS}


def test_override() -> None:
    """An action gets another key; all others keep theirs."""
    keymap = resolve({"end": "ctrl+x"})
    assert keymap.problems == ()
    assert keymap.key("end") == "ctrl+x"
    assert keymap.key("extend") == "e"


def test_swap() -> None:
    """Two actions may exchange their keys."""
    keymap = resolve({"extend": "l", "logs": "e"})
    assert keymap.problems == ()
    assert (keymap.key("extend"), keymap.key("logs")) == ("l", "e")


@pytest.mark.parametrize(
    ("overrides", "why"),
    [({"nonsense": "x"}, "no such action"), ({"end": "e"}, "is already extend"), ({"end": ""}, "no key given"),
     ({"end": "ctrl+m"}, "do not deliver")],
)  # fmt: skip
def test_refused_overrides(overrides: dict[str, str], why: str) -> None:
    """A clash, an unknown action or an undeliverable key is refused, and the default stays."""
    keymap = resolve(overrides)
    assert len(keymap.problems) == 1
    assert why in keymap.problems[0]
    assert keymap.key("end") == "ctrl+d"


async def test_a_rebound_key_works(show: Open) -> None:
    """The override reaches Textual: the new key acts, the old one does not, and nothing else is displaced."""
    settings = SettingsFile(None)
    settings.settings = Settings(keys={"end": "x"})
    async with show(settings=settings) as console:
        await console.press("ctrl+d")
        assert len(console.app.screen_stack) == 1
        await console.press("x")
        assert len(console.app.screen_stack) == 2
        await console.press("escape", "e")
        assert "Extend" in console.text()


@pytest.mark.parametrize(
    ("text", "minutes"), [("30", 30.0), ("45m", 45.0), ("2h", 120.0), ("1.5h", 90.0), ("1d", 1440.0)]
)
def test_minutes(text: str, minutes: float) -> None:
    """Durations as people type them."""
    assert commands.minutes(text) == minutes


@pytest.mark.parametrize("text", ["", "m", "-5", "2w", "soon", "400d", "0"])
def test_bad_minutes(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(commands.CommandError):
        commands.minutes(text)
