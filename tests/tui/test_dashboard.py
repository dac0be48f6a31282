"""The dashboard: cursor, marks, filters, actions, and what it says when it must not act."""

import msgspec
import pytest

from krs.core.model import Instant
from krs.core.vocabulary import RunnerState
from tests.tui import fleet
from tests.tui.consoles import Console, Open
from tui.backend import Connection, Link, Role, Stale
from tui.screens.dashboard import Dashboard


def dashboard(console: Console) -> Dashboard:
    """The dashboard of a console."""
    screen = console.app.screen_stack[0]
    assert isinstance(screen, Dashboard)
    return screen


async def test_cursor_keeps_its_runner(show: Open) -> None:
    """The cursor stays on the same runner, at the same height, while others come and go."""
    async with show() as console:
        await console.press("j", "j", "j", "j")
        table = dashboard(console).runners
        name = table.model.cursor
        console.backend.push(fleet.snapshot(fleet.ROWS[3:]))
        await console.settle()
        assert table.model.cursor == name
        console.backend.push(fleet.snapshot())
        await console.settle()
        assert table.model.cursor == name


async def test_a_vanished_runner_is_announced(show: Open) -> None:
    """When the runner under the cursor goes, the cursor is on its neighbour and the status line says so."""
    async with show() as console:
        table = dashboard(console).runners
        gone = table.model.cursor
        console.backend.push(fleet.snapshot(fleet.ROWS[1:]))
        await console.settle()
        assert table.model.cursor != gone
        assert f"{gone} is no longer here" in console.line(-2)


async def test_marks_of_vanished_runners_go(show: Open) -> None:
    """A mark goes with its runner, so that no action can be for something that is not there."""
    async with show() as console:
        await console.press("space", "space")
        assert len(dashboard(console).chosen()) == 2
        console.backend.push(fleet.snapshot(fleet.ROWS[1:]))
        await console.settle()
        assert len(dashboard(console).chosen()) == 1


async def test_idle_runner_is_killed_with_y(show: Open) -> None:
    """One idle runner: the dialog names it, starts on Cancel, and `y` is enough."""
    async with show() as console:
        await console.press("j", "j", "ctrl+d")
        assert "runner-fra-small-9d11" in console.text()
        assert console.app.focused is not None
        assert console.app.focused.id == "cancel"
        await console.press("enter")
        assert console.backend.calls == []
        await console.press("ctrl+d", "y")
        assert [(call.action, call.subject) for call in console.backend.calls] == [("kill", "runner-fra-small-9d11")]


async def test_busy_runner_is_drained_by_default(show: Open) -> None:
    """For a busy runner drain is preselected, and `y` drains."""
    async with show() as console:
        await console.press("ctrl+d", "y")
        assert [call.action for call in console.backend.calls] == ["drain"]
        assert "undoes the drain of runner-fra-medium-7f3a" in console.line(-2)


async def test_killing_a_busy_runner_must_be_typed(show: Open) -> None:
    """Killing a job asks for the word, and forces only then."""
    async with show() as console:
        await console.press("ctrl+d", "tab", "tab", "down")
        await console.press("tab", "enter")
        assert console.backend.calls == []
        await console.type("kill")
        await console.press("enter")
        (call,) = console.backend.calls
        assert (call.action, call.arguments["force"]) == ("kill", True)


async def test_a_busy_runner_whose_job_is_unknown_is_not_said_to_have_none(show: Open) -> None:
    """After the loss of the state file only GitHub knows the job; killing the runner fails it all the same."""
    async with show() as console:
        snapshot = console.backend.snapshot
        first, *others = snapshot.runners
        unknown = msgspec.structs.replace(first, job=None, job_name=None, version=9)
        console.backend.push(msgspec.structs.replace(snapshot, runners=(unknown, *others)))
        await console.settle()
        await console.press("ctrl+d", "tab", "tab", "down")
        assert "a job that only GitHub knows" in console.text()
        assert "will fail at GitHub" in console.text()
        assert "No job is running" not in console.text()


async def test_dialog_arms_again_when_a_victim_changes(show: Open) -> None:
    """A runner that becomes busy while the dialog is open is drawn so, and what was typed is cleared."""
    async with show() as console:
        await console.press("j", "j", "space", "space", "ctrl+d")
        await console.press("tab")
        snapshot = console.backend.snapshot
        changed = tuple(
            msgspec.structs.replace(one, state=RunnerState.BUSY, version=9) if one.name.endswith("9d11") else one
            for one in snapshot.runners
        )
        console.backend.push(msgspec.structs.replace(snapshot, runners=changed))
        await console.settle()
        assert "runner-fra-small-9d11 changed: BUSY" in console.text()


async def test_stale_action_is_refused_with_the_present_state(show: Open) -> None:
    """When the runner moved meanwhile, the status line says what it is now."""
    async with show() as console:
        console.backend.failure = Stale("runner-x changed since you looked: it is busy now", None)
        await console.press("j", "j", "ctrl+d", "y")
        assert "it is busy now" in console.line(-2)


async def test_extend_and_undo(show: Open) -> None:
    """`e 1` extends by a quarter of an hour; `u` lifts exactly that hold."""
    async with show() as console:
        await console.press("j", "j", "e", "1")
        assert console.backend.calls[-1].arguments["minutes"] == 15.0
        await console.press("u")
        assert console.backend.calls[-1].arguments == {"minutes": None, "until": 0.0, "reason": ""}
        await console.press("u")
        assert console.line(-2).rstrip().endswith("nothing to undo")


async def test_bulk_extend_applies_to_marks(show: Open) -> None:
    """Actions are for the marked runners, not for the cursor's."""
    async with show() as console:
        await console.press("space", "j", "space", "e", "2")
        assert [call.subject for call in console.backend.calls] == ["runner-fra-medium-7f3a", "runner-fra-small-9d11"]


@pytest.mark.parametrize("key", ["ctrl+d", "e", "t"])
async def test_read_only_says_why(show: Open, key: str) -> None:
    """In read-only mode a dangerous key opens nothing and says why; the key line does not offer it."""
    async with show(role=Role.READ_ONLY) as console:
        assert "extend" not in console.line(-1)
        await console.press(key)
        assert len(console.app.screen_stack) == 1
        assert "read-only" in console.line(-2)


async def test_lost_connection_keeps_the_last_state(show: Open) -> None:
    """Offline: the header says so with the data's age, countdowns are marked, actions are off, and it recovers."""
    async with show() as console:
        lost = Connection(link=Link.LOST, since=Instant(fleet.NOW), attempts=2, message="connection refused")
        console.backend.connect(lost)
        await console.settle()
        assert "LOST" in console.line(0)
        assert "STALE: data from 12:41:33" in console.line(0)
        assert "~01:50!" in console.text()
        await console.press("e")
        assert "not connected" in console.line(-2)
        await console.press("ctrl+r")
        assert console.backend.reconnects == 1
        console.backend.connect(Connection(link=Link.LIVE))
        await console.settle()
        assert "LIVE" in console.line(0)
        assert "~" not in console.text()


async def test_denied_is_another_state(show: Open) -> None:
    """A refused token is not a lost connection."""
    async with show() as console:
        console.backend.connect(Connection(link=Link.DENIED, message="the token is not accepted; give another one"))
        await console.settle()
        assert "DENIED" in console.line(0)
        assert "the token is not accepted" in console.line(-2)


async def test_filter_by_field(show: Open) -> None:
    """`/state:busy !acme/api` shows what it says; escape shows all again."""
    async with show() as console:
        await console.press("slash")
        await console.type("state:busy !acme/api")
        await console.press("enter")
        assert len(dashboard(console).runners.model.order) == 3
        assert "filter: state:busy !acme/api" in console.text()
        await console.press("escape")
        assert len(dashboard(console).runners.model.order) == 12


async def test_bad_filter_is_shown(show: Open) -> None:
    """An expression that is none is refused in the status line and hides nothing."""
    async with show() as console:
        await console.press("slash")
        await console.type("colour:red")
        assert "no field 'colour'" in console.line(-3)
        assert len(dashboard(console).runners.model.order) == 12


async def test_commands(show: Open) -> None:
    """A command is carried out; an unknown one names its neighbour."""
    async with show() as console:
        await console.press("colon")
        await console.type("sort age")
        await console.press("enter")
        assert dashboard(console).runners.sort_column.id == "age"
        await console.press("colon")
        await console.type("regoin fra")
        await console.press("enter")
        assert "did you mean :region" in console.line(-2)


async def test_keys_only_act_on_what_is_in_sight(show: Open) -> None:
    """In another pane than the runners, ctrl+d is for nobody."""
    async with show(size=(80, 24)) as console:
        await console.press("3", "ctrl+d")
        assert len(console.app.screen_stack) == 1
        assert "no runner is chosen" in console.line(-2)


async def test_embedded_quit_asks(show: Open) -> None:
    """Leaving an embedded console asks what becomes of the scheduler, with Cancel focused."""
    async with show(embedded=True) as console:
        await console.press("q")
        assert "Console only" in console.text()
        await console.press("enter")
        assert len(console.app.screen_stack) == 1


async def test_copy_and_open_show_what_they_did(show: Open) -> None:
    """Copy says what was copied; without a browser the URL is shown."""
    async with show() as console:
        await console.press("c")
        assert "copied: runner-fra-medium-7f3a" in console.line(-2)
        await console.press("o")
        assert "https://github.com/acme/api/actions/runs/9182733" in console.line(-2)


async def test_ctrl_k_kills_nothing(show: Open) -> None:
    """The key that kills without a question elsewhere only gives a hint here."""
    async with show() as console:
        await console.press("ctrl+k")
        assert console.backend.calls == []


async def test_errors_that_came_before_the_screen_are_counted(show: Open) -> None:
    """A dashboard that is opened late shows the same number of errors as one that was there all the time."""
    async with show() as console:
        title = dashboard(console).stream.border_title
        assert "1 error" in str(title)
        late = Dashboard()
        await console.app.push_screen(late)
        await console.settle()
        assert late.stream.border_title == title
