"""How the answers of a daemon are written."""

import msgspec
import pytest

from krs.cli.remote import show_fields


class Thing(msgspec.Struct):
    """A field of each kind."""

    name: str
    since: float
    draining: bool
    labels: tuple[str, ...]
    error: str = ""
    until: float | None = None


def test_fields_are_written_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Instants as dates, truth as yes or no, lists with commas; what says nothing is left out."""
    show_fields(Thing("a", 86_400.25, draining=False, labels=("x", "y")), instants=("since", "until"))
    assert capsys.readouterr().out.splitlines() == [
        "name      a",
        "since     1970-01-02 00:00:00+00:00",
        "draining  no",
        "labels    x, y",
    ]
