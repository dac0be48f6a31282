"""The other screens, and what the console does with odd input."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from rich.cells import cell_len
from textual.color import Color

from tests.tui import fleet
from tests.tui.consoles import Console, Open
from tui import themes
from tui.app import Wish
from tui.backend import Connection, EventKind, Failed, Level, Link, LogLine
from tui.screens.dashboard import Dashboard
from tui.settings import SettingsFile
from tui.widgets.event_stream import EventStream
from tui.widgets.live_table import LiveTable
from tui.widgets.tones import Tone


def top_name(console: Console) -> str:
    """The class of the uppermost screen."""
    return type(console.app.screen).__name__


async def command(console: Console, line: str) -> None:
    """Carry out a `:` command."""
    await console.press("colon")
    await console.type(line)
    await console.press("enter")


async def test_pools_pause_and_resume(show: Open) -> None:
    """`p` pauses the pool under the cursor, `r` resumes it, and the row says so at once."""
    async with show() as console:
        await console.press("p", "p")
        assert "PAUSED" in console.line(3)
        await console.press("r")
        assert "PAUSED" not in console.line(3)
        assert [call.action for call in console.backend.calls] == ["pause", "resume"]


async def test_pausing_everything_is_asked(show: Open) -> None:
    """`P` asks first; `R` does not need to."""
    async with show() as console:
        await console.press("p", "P")
        assert console.backend.calls == []
        await console.press("y")
        assert console.backend.calls[-1].subject == "all"
        assert "PAUSED" in console.line(0)
        await console.press("R")
        assert "PAUSED" not in console.line(0)


async def test_tripped_pool_says_why(show: Open) -> None:
    """The status line has the whole reason of the pool under the cursor."""
    async with show() as console:
        await console.press("p", "j")
        assert "its last runners never came online" in console.line(-2)


async def test_detail_of_a_runner_that_goes(show: Open) -> None:
    """The detail of a vanished runner stays as it last was, says so, and acts no more."""
    async with show() as console:
        await console.press("enter")
        console.backend.push(fleet.snapshot(fleet.ROWS[1:]))
        await console.settle()
        assert "gone: as it last was" in console.text()
        await console.press("ctrl+d")
        assert top_name(console) == "DetailScreen"
        assert console.backend.calls == []


async def test_detail_follows_its_own_events(show: Open) -> None:
    """The history shows the past and the new events of this runner, and no others."""
    async with show() as console:
        await console.press("enter")
        mine = fleet.event(50, EventKind.RUNNER_IDLE, Level.INFO, "runner-fra-medium-7f3a", "now idle", fleet.NOW)
        other = fleet.event(51, EventKind.RUNNER_IDLE, Level.INFO, "runner-fra-medium-81c0", "not mine", fleet.NOW)
        console.backend.emit(mine, other)
        await console.settle()
        lines = [line.text for line in console.app.screen.query_one(EventStream).ring.shown]
        assert lines == ["acme/api test (3.12) started", "now idle"]


async def test_stream_holds_still_and_counts(show: Open) -> None:
    """Scrolled up, the lines stay and the title counts what is new; `G` follows again."""
    past = tuple(
        fleet.event(seq, EventKind.WARNING, Level.INFO, None, f"event {seq}", fleet.NOW) for seq in range(1, 60)
    )
    async with show(events=past) as console:
        await console.press("3", "k", "k")
        before = [line for line in console.text().splitlines() if "event " in line]
        new = fleet.event(60, EventKind.WARNING, Level.INFO, None, "event 60", fleet.NOW)
        console.backend.emit(new)
        await console.settle()
        assert "held, 1 new" in console.text()
        assert [line for line in console.text().splitlines() if "event " in line] == before
        await console.press("G")
        assert "event 60" in console.text()
        assert "following" in console.text()


async def test_logs_that_cannot_be_read(show: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that cannot be read is a line, not a crash."""
    async with show() as console:

        async def broken(_name: str, *, follow: bool) -> AsyncIterator[LogLine]:
            if follow:
                raise Failed("Koyeb does not answer: try again later")
            yield fleet.log_lines()[0]

        monkeypatch.setattr(console.backend, "logs", broken)
        await console.press("l")
        assert "Koyeb does not answer" in console.line(-2)


async def test_save_writes_what_is_shown(show: Open, tmp_path: Path) -> None:
    """Rows go to CSV or JSON, lines to text; an existing file is never overwritten."""
    async with show() as console:
        await console.press("slash")
        await console.type("state:idle")
        await console.press("enter")
        for name in ("out.csv", "out.json", "out.csv"):
            console.app.run_command(f"save {tmp_path / name}")
        assert "exists already" in console.app.view.message
        assert len((tmp_path / "out.csv").read_text().splitlines()) == 3
        assert len(msgspec.json.decode((tmp_path / "out.json").read_bytes())) == 2
        await console.press("3")
        console.app.run_command(f"save {tmp_path / 'events.txt'}")
        assert "no heartbeat for 45 s" in (tmp_path / "events.txt").read_text()


async def test_looks_are_remembered_by_profile(show: Open, tmp_path: Path) -> None:
    """Sort order and theme come back the next time, for this scheduler."""
    path = tmp_path / "console.toml"
    async with show(settings=SettingsFile(path)) as console:
        await command(console, "sort age")
        await command(console, "theme light")
    async with show(settings=SettingsFile(path)) as console:
        assert console.app.theme == "krs-light"
        dashboard = console.app.screen_stack[0]
        assert isinstance(dashboard, Dashboard)
        assert dashboard.runners.sort_column.id == "age"


async def test_unreadable_settings_are_left_alone(show: Open, tmp_path: Path) -> None:
    """A broken file gives the defaults and a warning, and is not overwritten."""
    path = tmp_path / "console.toml"
    path.write_text("keys = [")
    async with show(settings=SettingsFile(path)) as console:
        await command(console, "sort age")
    assert path.read_text() == "keys = ["


async def test_every_theme_is_legible(show: Open) -> None:
    """Every theme can be chosen, and the text of the screen does not depend on it."""
    async with show() as console:
        before = console.text()
        for name in themes.NAMES:
            console.app.set_theme(name)
            await console.settle()
            assert console.text() == before


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""

    def light(colour: Color) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


async def test_tones_have_contrast(show: Open) -> None:
    """In our own themes every tone reads well on its background: 4.5 to 1, as WCAG AA asks of text."""
    async with show() as console:
        table = console.app.screen.query_one("#runners", LiveTable)
        for theme in themes.OWN:
            console.app.set_theme(theme.name)
            await console.settle()
            for tone in Tone:
                style = table.tone(tone)
                assert style.color is not None
                assert style.bgcolor is not None
                ratio = contrast(Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor))
                assert ratio >= 4.5, f"{theme.name} {tone}: {ratio:.1f}"


@pytest.mark.parametrize(
    ("environ", "wanted", "theme"),
    [({"COLORTERM": "truecolor"}, "krs-dark", "krs-dark"), ({"TERM": "xterm-256color"}, "krs-light", "krs-light"),
     ({"TERM": "linux"}, "krs-dark", "ansi-dark"), ({"NO_COLOR": "1"}, "krs-light", "ansi-light"),
     ({"COLORTERM": "truecolor"}, "nonsense", "krs-dark")],
)  # fmt: skip
def test_theme_suits_the_terminal(environ: dict[str, str], wanted: str, theme: str) -> None:
    """Terminals of sixteen colours and people who want none get the terminal's own."""
    assert themes.choose(wanted, environ) == theme


async def test_palette_finds_commands(show: Open) -> None:
    """The palette lists the commands of the prompt."""
    async with show() as console:
        await console.press("ctrl+p")
        await console.type("pools")
        await console.pilot.pause(0.3)
        await console.press("enter")
        await console.settle()
        assert top_name(console) == "PoolsScreen"


async def test_read_only_for_the_session(show: Open) -> None:
    """`:readonly on` switches actions off."""
    async with show() as console:
        await command(console, "readonly on")
        assert "READ-ONLY" in console.line(0)
        await console.press("e")
        assert top_name(console) == "Dashboard"


async def test_mouse(show: Open) -> None:
    """A click moves the cursor, a second one enters, a click on a title sorts."""
    async with show() as console:
        await console.pilot.click("#runners", offset=(10, 5))
        await console.settle()
        dashboard = console.app.screen_stack[0]
        assert isinstance(dashboard, Dashboard)
        assert dashboard.runners.model.cursor == "runner-fra-large-a204"
        await console.pilot.click("#runners", offset=(10, 5))
        await console.settle()
        assert top_name(console) == "DetailScreen"
        await console.press("escape")
        await console.pilot.click("#runners", offset=(22, 1))
        await console.settle()
        assert dashboard.runners.sort_column.id == "state"


async def test_leaving(show: Open) -> None:
    """Embedded: `c` leaves the console only, `s` stops the scheduler; elsewhere `q` just leaves."""
    for keys, wish in ((("q", "c"), Wish.LEAVE), (("q", "s"), Wish.STOP), (("ctrl+q", "s"), Wish.STOP)):
        async with show(embedded=True) as console:
            await console.pilot.press(*keys)
            await console.pilot.pause()
            assert console.app.return_value is wish
    async with show() as console:
        await console.pilot.press("q")
        await console.pilot.pause()
        assert console.app.return_value is Wish.LEAVE


async def test_start_asks_for_both(show: Open) -> None:
    """Starting needs a label and a scope; whether they are right is the scheduler's word."""
    async with show() as console:
        await console.press("t")
        await console.type("koyeb-fra-small")
        await console.press("enter", "enter")
        (call,) = console.backend.calls
        assert (call.subject, call.arguments["scope"]) == ("koyeb-fra-small", "acme/api")


async def test_odd_names_keep_the_columns(show: Open) -> None:
    """Names of 63 characters, emoji, escapes and markup are shown as text, and every line keeps its width."""
    odd = msgspec.structs.replace(
        fleet.snapshot(),
        runners=tuple(
            msgspec.structs.replace(
                one, name=f"runner-{'x' * 56}", job_name="\x1b[2J [red]łódź 日本語 job", repo="acme/🦀🚀-[bold]x"
            )
            if one.name.endswith("9d11")
            else one
            for one in fleet.snapshot().runners
        ),
    )
    async with show(snapshot=odd) as console:
        strips = console.app.screen._compositor.render_strips()
        assert {strip.cell_length for strip in strips} == {120}
        assert {cell_len("".join(segment.text for segment in strip)) for strip in strips} == {120}
        assert "\x1b" not in console.text()
        await console.press("j", "j", "enter")
        assert "\x1b" not in console.text()


async def test_ten_thousand_events_at_once(show: Open) -> None:
    """A flood is shown up to what the stream keeps, without standing still for long."""
    async with show() as console:
        flood = tuple(
            fleet.event(seq, EventKind.JOB_QUEUED, Level.INFO, None, f"event {seq}", fleet.NOW)
            for seq in range(100, 10_100)
        )
        console.backend.emit(*flood)
        await console.pilot.pause()
        before = time.perf_counter()
        console.app._redraw()
        assert time.perf_counter() - before < 0.5
        await console.settle()
        assert "event 10099" in console.text()


async def test_a_clock_an_hour_off_changes_nothing(show: Open) -> None:
    """Ages and time left are counted by the scheduler's clock, whatever the local one says."""
    async with show() as console:
        before = console.text()
        console.backend.clock_offset = 3600.0
        await console.settle()
        assert console.text() == before


async def test_switching_schedulers_without_a_choice(show: Open) -> None:
    """An embedded console has nothing to switch to, and says so."""
    async with show() as console:
        await command(console, "ctx prod")
        assert "refused" in console.line(-2)


async def test_connecting_is_shown(show: Open) -> None:
    """Before the first snapshot the screen says that it connects."""
    async with show() as console:
        console.backend.connect(Connection(link=Link.CONNECTING))
        await console.settle()
        assert "CONNECTING" in console.line(0)
