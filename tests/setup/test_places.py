"""What a person types: scopes and addresses, right and wrong."""

import pytest

from krs.core.vocabulary import Mode
from krs.setup.places import address, mode_of, origin, scopes_of

OUTSIDE, INSIDE = "https://api.github.com", "http://127.0.0.1:9200"


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        ("acme/api", ("acme/api",)),
        (" acme/api,acme/web\tacme/api ", ("acme/api", "acme/web")),
        ("https://github.com/acme/api.git https://github.example.com/acme/web/", ("acme/api", "acme/web")),
        ("acme", ("acme",)),
    ],
)
def test_scopes_are_read_as_they_are_typed(text: str, scopes: tuple[str, ...]) -> None:
    """Blanks or commas between, addresses of pages too, none twice."""
    assert scopes_of(text) == scopes


@pytest.mark.parametrize("text", ["", "acme/api -b", "acme/api/x", "ac me/!", "-acme/api", "acme/*"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    """With the word that is none."""
    with pytest.raises(ValueError, match="is neither owner/repo nor an organization"):
        scopes_of(text)


def test_scopes_of_one_kind_tell_the_mode() -> None:
    """And those of two kinds are a mistake."""
    assert mode_of(["acme/api", "b/c"]) is Mode.REPOSITORY
    assert mode_of(["acme"]) is Mode.ORGANIZATION
    with pytest.raises(ValueError, match="not both"):
        mode_of(["acme", "acme/api"])


@pytest.mark.parametrize(
    ("text", "api", "url"),
    [
        ("https://krs.example.com", OUTSIDE, "https://krs.example.com"),
        (" https://krs.example.com/webhook/ ", OUTSIDE, "https://krs.example.com/webhook"),
        ("https://1.1.1.1:8443/", OUTSIDE, "https://1.1.1.1:8443"),
        ("http://127.0.0.1:8000", INSIDE, "http://127.0.0.1:8000"),
        ("http://krs.lan", "https://github.corp.internal/api/v3", "http://krs.lan"),
    ],
)
def test_an_address_that_github_reaches_is_taken(text: str, api: str, url: str) -> None:
    """A GitHub of one's own network reaches what is in there."""
    assert address(text, api) == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://krs.example.com", "is not https://"),
        ("https://localhost:8000", "not reached from outside"),
        ("https://krs", "not reached from outside"),
        ("https://krs.internal", "not reached from outside"),
        ("https://192.168.1.5", "not reached from outside"),
        ("https://[::1]/", "not reached from outside"),
        ("https://[fd00::1]/", "not reached from outside"),
        ("https://me:pw@krs.example.com", "is not an address like"),
        ("https://krs.example.com/?x=1", "is not an address like"),
        ("ftp://krs.example.com", "is not an address like"),
        ("krs.example.com", "is not an address like"),
        ("https://krs.example.com:port", "is not an address: "),
    ],
)
def test_an_address_that_github_does_not_reach_is_refused(text: str, words: str) -> None:
    """And why is said."""
    with pytest.raises(ValueError, match=words):
        address(text, OUTSIDE)


def test_the_daemon_is_what_stands_before_the_path() -> None:
    """With its port."""
    assert origin("https://krs.example.com:8443/webhook") == "https://krs.example.com:8443"
