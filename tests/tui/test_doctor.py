"""The doctor's screen: asked when it opens and when told to, honest when there is no answer."""

import pytest
from msgspec.structs import replace

from tests.tui import fleet
from tests.tui.consoles import Console, Open
from tui import checks
from tui.backend import Check, CheckName, Connection, Failed, Finding, Link
from tui.screens.doctor import DoctorScreen


def asked(console: Console) -> int:
    """How often the doctor was asked."""
    return [call.action for call in console.backend.calls].count("doctor")


async def test_the_worst_comes_first_and_says_what_to_do(show: Open) -> None:
    """The cursor stands on a failure, and the pane below says what to do about the one under it."""
    async with show(size=(80, 24)) as console:
        await console.press("D")
        assert "fail     koyeb_quota" in console.line(3)
        assert "ask Koyeb for a higher quota" in console.text()
        await console.press("j")
        assert "https://github.com/acme/web/settings/hooks" in console.text()


async def test_it_is_asked_anew_only_when_told_to(show: Open) -> None:
    """Opening asks once, however much changes meanwhile; `r` asks again, and the cursor stays on its check."""
    async with show() as console:
        await console.press("colon")
        await console.type("doctor")
        await console.press("enter", "j")
        console.backend.push(fleet.snapshot())
        await console.settle()
        assert asked(console) == 1
        fixed = [check for check in console.backend.checks if check.name is not CheckName.KOYEB_QUOTA]
        console.backend.checks = (Check(name=CheckName.KOYEB_QUOTA, finding=Finding.OK, message="9 of 16"), *fixed)
        await console.press("r")
        assert asked(console) == 2
        assert "> fail     webhook            acme/web" in console.text()
        assert "1 fail, 1 warn, 1 skipped, 18 ok" in console.text()


async def test_no_answer_is_said(show: Open) -> None:
    """What was found before stays; the line below says that there is no newer answer."""
    async with show() as console:
        await console.press("D")
        console.backend.failure = Failed("krs at http://test: answered 404")
        await console.press("r")
        assert "answered 404" in console.line(-2)
        assert "koyeb_quota" in console.text()


async def test_without_a_connection_nobody_is_asked(show: Open) -> None:
    """A lost scheduler is not asked, and once it is back it is."""
    async with show() as console:
        console.backend.connect(Connection(link=Link.LOST, message="gone"))
        await console.settle()
        await console.press("D", "r")
        assert asked(console) == 0
        console.backend.connect(Connection(link=Link.LIVE))
        await console.settle()
        assert asked(console) == 1


async def test_checks_are_filtered_copied_and_saved(show: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """`/` looks at finding and text, `c` copies what was found with what to do, save writes the rows shown."""
    copied: list[str] = []
    async with show() as console:
        monkeypatch.setattr(console.app, "copy_to_clipboard", copied.append)
        await console.press("D", "slash")
        await console.type("finding:fail")
        await console.press("enter", "j", "c")
        assert copied[0].startswith("acme/web missing: no webhook sends workflow_job add one at")
        screen = console.app.top
        assert isinstance(screen, DoctorScreen)
        stem, rows = screen.export()
        assert stem == "doctor"
        assert [row["name"] for row in rows if isinstance(row, dict)] == ["koyeb_quota", "webhook"]
        await console.press("escape")
        assert "daemon" in console.text()


async def test_without_colour_every_finding_is_a_word(show: Open) -> None:
    """NO_COLOR leaves the words."""
    async with show(environ={"NO_COLOR": "1"}, size=(200, 50)) as console:
        await console.press("D")
        assert {line.strip("│> ").split()[0] for line in console.text().splitlines()[3:24]} == set(Finding)


def test_two_lines_of_one_check_keep_apart() -> None:
    """A check about two things of one repository has two names, which stay when one more check is made."""
    one, other = fleet.checks()[-2:]
    twice = checks.named(fleet.diagnosis(one, replace(one, message="else"), other))
    assert len(twice) == 3
    assert list(twice.values())[1].message == "else"
