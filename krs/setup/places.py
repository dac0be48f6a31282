"""What a person types: repositories and organizations, and the address where GitHub is to deliver. Pure."""

import ipaddress
import re
from collections.abc import Sequence

import httpx

from krs.config.load import is_loopback
from krs.core.vocabulary import Mode

OWNER = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})"
SCOPE = re.compile(rf"{OWNER}(?:/[A-Za-z0-9._-]{{1,100}})?")
"""A GitHub account, and perhaps one of its repositories."""
WEB = re.compile(r"https?://[^/]+/")
LOCAL_NAMES = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def scopes_of(text: str) -> tuple[str, ...]:
    """Scopes, with blanks or commas between; pages of GitHub do as well. Raises `ValueError` for what is none."""
    found = []
    for word in re.split(r"[\s,]+", text.strip()):
        scope = WEB.sub("", word).strip("/").removesuffix(".git")
        if not SCOPE.fullmatch(scope):
            raise ValueError(f"{word!r} is neither owner/repo nor an organization")
        found.append(scope)
    return tuple(dict.fromkeys(found))


def mode_of(scopes: Sequence[str]) -> Mode:
    """The mode that scopes go with. Raises `ValueError` when they are of both kinds."""
    kinds = {Mode.REPOSITORY if "/" in scope else Mode.ORGANIZATION for scope in scopes}
    if len(kinds) != 1:
        raise ValueError("name repositories (owner/repo) or organizations, not both: one daemon serves one kind")
    return kinds.pop()


def address(text: str, api_url: str) -> str:
    """Where deliveries go, checked: GitHub must reach it, safely. Raises `ValueError`, the end of one line.

    A GitHub on this machine or in a private network (`api_url`) reaches what is there too.
    """
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL as problem:
        raise ValueError(f"{text!r} is not an address: {problem}") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise ValueError(f"{text!r} is not an address like https://krs.example.com")
    inside = is_private(httpx.URL(api_url).host)
    if url.scheme != "https" and not inside:
        raise ValueError(f"{text!r} is not https://: deliveries hold the names of your repositories, jobs and people")
    if is_private(url.host) and not inside:
        raise ValueError(f"{url.host} is not reached from outside: give the public address of your daemon")
    return str(url).rstrip("/")


def is_private(host: str) -> bool:
    """Whether a host is of this machine or of a private network, as far as its name tells."""
    name = host.strip("[]").rstrip(".").casefold()
    if is_loopback(name) or ("." not in name and ":" not in name) or name.endswith(LOCAL_NAMES):
        return True
    try:
        return not ipaddress.ip_address(name).is_global
    except ValueError:
        return False


def origin(url: str) -> str:
    """The daemon that an address leads to, without the path."""
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode()}"
