"""A Dockerfile as its instructions."""

import json
import re
from pathlib import Path

import msgspec


class Instruction(msgspec.Struct, frozen=True):
    """One instruction: its word in capitals, and the rest on one line."""

    word: str
    rest: str

    def command(self) -> list[str]:
        """The JSON form of a CMD or HEALTHCHECK."""
        found: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return found


def stages(path: Path) -> list[list[Instruction]]:
    """The instructions of each stage; continued lines are joined."""
    found: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", " ", path.read_text(encoding="utf-8")).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append([])
        if word and not word.startswith("#"):
            found[-1].append(Instruction(word, rest.strip()))
    return found
