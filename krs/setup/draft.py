"""What is set so far, from flags, answers, environment and file, and what of it the file is to hold."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from krs import private
from krs.config import Given, Loaded, load
from krs.config.describe import example
from krs.config.file import edit, read
from krs.config.load import path_of
from krs.core.vocabulary import Mode
from krs.secret import Secret

SECRETS = ("koyeb.token", "github.token", "github.private_key", "webhook.secret", "admin.token")
KEPT = (
    *SECRETS,
    "webhook.url",
    "koyeb.app",
    "koyeb.api_url",
    "github.app_id",
    "github.mode",
    "github.scopes",
    "github.api_url",
    "github.web_url",
)
"""Settings that the set-up writes into the file."""
MADE = "made by krs setup"
REFERENCES = ("env:", "file:")
SECRET_BYTES = 32
OTHERS = 0o077
"""Permissions of anybody but the owner."""


class Draft:
    """The settings in the making. `given` beats the environment, which beats the file, which may not be there yet."""

    def __init__(self, given: Mapping[str, Given], environ: Mapping[str, str], path: Path | None) -> None:
        self.path = path_of(environ, path)
        self._named = path
        self._given = dict(given)
        self._environ = environ
        self.loaded = self._load(self._given)
        document = read(self.path) if self.path.exists() else None
        self._fresh = document is None
        self._text = document.text if document else example()
        self._tables = document.tables if document else {}

    def _load(self, given: Mapping[str, Given]) -> Loaded:
        return load(given, self._environ, self._named, new=True)

    def give(self, answers: Mapping[str, str], where: str) -> None:
        """Take answers. Raises `ConfigError`, changing nothing, when one is wrong or contradicts another one."""
        given = {**self._given, **{key: Given(text, where) for key, text in answers.items()}}
        self.loaded = self._load(given)
        self._given = given

    def make_secrets(self) -> tuple[str, ...]:
        """Make the secrets that nobody has given; which ones those are."""
        settings = self.loaded.settings
        there = {"webhook.secret": settings.webhook.secret, "admin.token": settings.admin.token}
        lacking = tuple(key for key, secret in there.items() if not secret)
        self.give({key: secrets.token_urlsafe(SECRET_BYTES) for key in lacking}, MADE)
        return lacking

    def made(self, key: str) -> bool:
        """Whether a secret was made just now."""
        return self.loaded.origins[key] == MADE

    def remember(self, scopes: Sequence[str], mode: Mode) -> None:
        """These are set up too."""
        github = self.loaded.settings.github
        had = github.scopes if github.mode is mode else ()
        text = ",".join(dict.fromkeys((*had, *scopes)))
        self.give({"github.mode": mode.value, "github.scopes": text}, "the scopes")

    def changes(self) -> dict[str, object]:
        """What is to be written: what was given, and what only the environment says so far."""
        found: dict[str, object] = {}
        for key in KEPT:
            table, _, name = key.partition(".")
            there = name in self._tables.get(table, {})
            origin = self.loaded.origins[key]
            if key in self._given:
                found[key] = self._written(key, str(self._given[key].value))
            elif origin in self._environ and not there:
                text = self._environ[origin]
                reference = key in SECRETS and not text.startswith(REFERENCES)
                found[key] = f"env:{origin}" if reference else self._written(key, text)
        return found

    def _written(self, key: str, text: str) -> object:
        return text.split(",") if key == "github.scopes" else text

    def text(self) -> str:
        """The whole file as it is to be. Raises `ValueError` when it cannot be edited."""
        return edit(self._text, self.changes())

    def write(self) -> bool:
        """Write the file; False when it holds all of it already, for its owner's eyes only.

        Raises `OSError`, and `ValueError` as `text` does.
        """
        text = self.text()
        if not self._fresh and text == self._text and not self.path.stat().st_mode & OTHERS:
            return False
        private.write(self.path, text)
        return True

    def secrets(self) -> tuple[Secret, ...]:
        """Every secret, for masking."""
        settings = self.loaded.settings
        tables = {name: getattr(settings, name) for name in ("koyeb", "github", "webhook", "admin")}
        found = (getattr(tables[key.partition(".")[0]], key.partition(".")[2]) for key in SECRETS)
        return tuple(secret for secret in found if secret)
