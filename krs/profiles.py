"""Named daemons: where they are and with which token, in the user's `console.toml` (shared with the console's looks).

The file has mode 0600. Tokens are best given by reference (`env:NAME`, `file:PATH`).
"""

import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import platformdirs
import tomli_w

from krs import private


class ProfileError(Exception):
    """The file or a name is not as it should be; one line."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One daemon. `token` is the token itself or a reference to it."""

    url: str
    token: str = ""
    read_only: bool = False

    def __repr__(self) -> str:
        """Without the token."""
        return f"Profile(url={self.url!r})"


def default_path() -> Path:
    """Where the file is: KRS_PROFILES, or the user's configuration folder."""
    named = os.environ.get("KRS_PROFILES")
    return Path(named) if named else platformdirs.user_config_path("krs") / "console.toml"


class Profiles:
    """The profiles of one file; other tables in it are kept as they are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._document = {}
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
            raise ProfileError(f"{path}: {problem}") from None

    @property
    def default(self) -> str:
        """The name that is used when none is given; empty if none was chosen."""
        return str(self._document.get("default", ""))

    def names(self) -> tuple[str, ...]:
        """Every profile that says where a daemon is."""
        return tuple(sorted(name for name, row in self._rows().items() if row.get("url")))

    def get(self, name: str) -> Profile:
        """A profile. Raises `ProfileError` that lists the known ones."""
        if name not in self.names():
            known = ", ".join(self.names()) or "none: add one with `krs config profile add NAME --url URL`"
            raise ProfileError(f"no profile is named {name!r}; known: {known}")
        return msgspec.convert(self._rows()[name], Profile)

    def add(self, name: str, profile: Profile) -> None:
        """Write a profile, keeping how the console shows it."""
        fields = {key: value for key, value in msgspec.to_builtins(profile).items() if value}
        kept = {key: value for key, value in self._rows().get(name, {}).items() if key not in profile.__struct_fields__}
        self._document.setdefault("profiles", {})[name] = {**kept, **fields}
        if len(self.names()) == 1:
            self._document["default"] = name
        self._write()

    def remove(self, name: str) -> None:
        """Forget a profile. Raises `ProfileError` for an unknown one."""
        self.get(name)
        del self._document["profiles"][name]
        if self.default == name:
            del self._document["default"]
        self._write()

    def use(self, name: str) -> None:
        """Make a profile the default. Raises `ProfileError` for an unknown one."""
        self.get(name)
        self._document["default"] = name
        self._write()

    def _rows(self) -> dict[str, dict[str, Any]]:
        rows = self._document.get("profiles", {})
        return {name: row for name, row in rows.items() if isinstance(row, dict)}

    def _write(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            private.write(self._path, tomli_w.dumps(self._document))
        except OSError as problem:
            raise ProfileError(f"{self._path}: {problem.strerror}") from None
