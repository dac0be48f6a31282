"""Setting keys in a file without losing a comment, and writing it so that nobody sees half of it."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krs import private
from krs.config.describe import example
from krs.config.file import edit
from krs.config.settings import keys

OWN = """# mine
[koyeb]
token = "old" # of 2025
app = '''
x'''

[[pools]]
label = "koyeb-fra-*" # near
max = 3
"""


def test_the_template_is_filled_in_where_its_comments_stand() -> None:
    """Every line stays but the two that were uncommented."""
    edited = edit(example(), {"koyeb.token": "env:KOYEB_TOKEN", "github.allow": ["acme/api", "acme/web"]})
    assert tomllib.loads(edited)["github"]["allow"] == ["acme/api", "acme/web"]
    differ = [(a, b) for a, b in zip(example().splitlines(), edited.splitlines(), strict=True) if a != b]
    assert differ == [
        ("#allow = []", 'allow = ["acme/api", "acme/web"]'),
        ('#token = ""', 'token = "env:KOYEB_TOKEN"'),
    ]


def test_a_file_of_ones_own_keeps_all_that_is_not_changed() -> None:
    """Keys are replaced, put under their table, or given a new table; entries of pools and comments stay."""
    edited = edit(OWN, {"koyeb.app": "runners", "koyeb.api_url": "https://k", "admin.token": "t" * 16})
    assert edited == (
        '# mine\n[koyeb]\napi_url = "https://k"\ntoken = "old" # of 2025\napp = "runners"\n\n'
        f'[[pools]]\nlabel = "koyeb-fra-*" # near\nmax = 3\n\n[admin]\ntoken = "{"t" * 16}"\n'
    )


def test_a_key_is_taken_away_as_a_comment() -> None:
    """What was there can be seen, and a key that is not there needs nothing."""
    edited = edit(OWN, {"koyeb.token": None, "github.token": None, "koyeb.api_url": None})
    assert '#token = "old" # of 2025' in edited
    assert "token" not in tomllib.loads(edited)["koyeb"]


@pytest.mark.parametrize("text", ["koyeb.token = 'x'\n", "koyeb = { token = 'x' }\n", '[koyeb]\n"to\\u006ben" = 1\n'])
def test_a_file_that_cannot_be_edited_is_left_to_its_owner(text: str) -> None:
    """TOML can be written in ways that are not edited line by line; the key is named."""
    with pytest.raises(ValueError, match=r"set koyeb\.token in it yourself"):
        edit(text, {"koyeb.token": "y"})


# The first text of a fresh clone takes seconds: Hypothesis then makes its table of Unicode.
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(sorted(keys())), st.one_of(st.text(), st.lists(st.text()), st.booleans()), max_size=4
    )
)
def test_what_is_set_is_what_is_read(changes: dict[str, object]) -> None:
    """Whatever the values, set twice: in the template, and again over what that gave."""
    once = edit(example(), dict.fromkeys(changes, "first"))
    found = tomllib.loads(edit(once, changes))
    assert {key: found[key.partition(".")[0]][key.partition(".")[2]] for key in changes} == changes


def test_a_file_is_written_for_its_owner_only_and_at_one_stroke(tmp_path: Path) -> None:
    """Mode 0600 whatever it was before, through a link to where it leads, and no scratch file is left."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    private.write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o600
    with pytest.raises(UnicodeEncodeError):
        private.write(tmp_path / "real", "\ud800")
    assert (tmp_path / "real").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
