"""What the console remembers: keys for everybody, and looks per scheduler. One TOML file, written when it changes.

Nothing in it is needed: an unreadable file gives the defaults and one line that says so.
"""

import contextlib
import os
import tomllib
from pathlib import Path

import msgspec
import tomli_w


class Looks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one scheduler is shown."""

    theme: str = "krs-dark"
    sort: str = "name"
    reverse: bool = False
    matrix: bool = True
    """Whether the top panes are shown."""
    url: str = ""
    """Where the scheduler is, for `krs tui --profile`; empty for looks only."""
    token: str = ""
    """Its token, best by reference (`env:NAME`, `file:PATH`); the file is for its owner alone."""
    read_only: bool = False
    """Look, do not act, whatever the token allows."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole file."""

    keys: dict[str, str] = {}
    default: str = ""
    """The profile that the commands use when none is named."""
    profiles: dict[str, Looks] = {}


class SettingsFile:
    """Settings on disk. `problem` says in one line why the file was not used."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.problem = ""
        self.settings = self._read()

    def looks(self, profile: str) -> Looks:
        """How a scheduler is shown."""
        return self.settings.profiles.get(profile, Looks())

    def known(self) -> tuple[str, ...]:
        """The profiles that say where a scheduler is."""
        return tuple(sorted(name for name, looks in self.settings.profiles.items() if looks.url))

    def remember(self, profile: str, looks: Looks) -> None:
        """Write how a scheduler is shown, if that changed. A file that cannot be written is left alone."""
        if self.path is None or self.problem or looks == self.looks(profile):
            return
        self.settings = msgspec.structs.replace(self.settings, profiles={**self.settings.profiles, profile: looks})
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            scratch = self.path.with_suffix(".tmp")
            with open(scratch, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(tomli_w.dumps(msgspec.to_builtins(self.settings)))
            scratch.replace(self.path)

    def _read(self) -> Settings:
        if self.path is None:
            return Settings()
        try:
            return msgspec.convert(tomllib.loads(self.path.read_text(encoding="utf-8")), Settings)
        except FileNotFoundError:
            return Settings()
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
            self.problem = f"{self.path}: not used: {problem}"
            return Settings()
