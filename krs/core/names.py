"""Names of pools and runners: functions of the state, so that the same decision made twice makes the same name.

A runner's name is the name of its Koyeb service and of its GitHub registration: Koyeb's rule is the narrower one
(2-63 characters of `[a-z0-9-]`), GitHub allows 64 characters.
"""

import hashlib
import re
from collections.abc import Container

from krs.core.model import JobId, Name, Pool, PoolId, Scope

LIMIT = 63
RUNNER_PREFIX = "runner-"
"""How the name of every runner begins."""
OWNER = r"[A-Za-z0-9_-]{1,100}"
REPOSITORY = OWNER + r"/(?!\.\.?\Z)[A-Za-z0-9_.-]{1,100}"
"""What GitHub allows in names, a little wider. Names become parts of addresses that are called with our token, so one
that could lead to another address must get no further than the door."""
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    """A non-negative number in base 36, lower case."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits or "0"


def is_owner(text: str) -> bool:
    """Whether this can be the name of an owner at GitHub."""
    return re.fullmatch(OWNER, text) is not None


def is_repository(text: str) -> bool:
    """Whether this can be owner/repository at GitHub."""
    return re.fullmatch(REPOSITORY, text) is not None


def pool_id(scope: Scope, labels: tuple[str, ...]) -> PoolId:
    """The id of the pool of a scope and a label set: one URL path segment, krs label first.

    An owner has no dot in its name, so the first dot stands where the slash was.
    """
    first, *others = (label.casefold() for label in labels)
    return PoolId(f"{scope.casefold().replace('/', '.')}~{'+'.join([first, *sorted(set(others) - {first})])}")


def pool_labels(label: str, labels: tuple[str, ...]) -> tuple[str, ...]:
    """A job's labels in the order of a pool: the krs label first, the others sorted, each once, as written."""
    others = {other.casefold(): other for other in labels if other.casefold() != label.casefold()}
    return (label, *(others[key] for key in sorted(others)))


def job_runner(pool: Pool, job: JobId, taken: Container[Name]) -> Name:
    """The name of the next runner started for a job: the first that no runner known to us has or had."""
    return _first_free(f"{_place(pool)}-{base36(job)}", taken)


def spare_runner(pool: Pool, taken: Container[Name]) -> Name:
    """The name of the pool's next runner that no job asked for."""
    return _first_free(f"{_place(pool)}-spare-{digest(pool.id)}", taken)


def is_runner_of(name: str, region: str, instance_type: str) -> bool:
    """Whether a name is one that krs gives to runners of a region and instance type."""
    stem = re.escape(re.sub(r"[^a-z0-9-]", "-", f"runner-{region}-{instance_type}".casefold()))
    return re.fullmatch(rf"{stem}-(?:spare-|x-)?[0-9a-z]{{5,13}}(?:-\d+)?", name) is not None


def digest(text: str, length: int = 5) -> str:
    """A few characters that tell two texts apart."""
    return base36(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))[:length]


def _place(pool: Pool) -> str:
    return re.sub(r"[^a-z0-9-]", "-", f"runner-{pool.region}-{pool.instance_type}".casefold())


def _first_free(stem: str, taken: Container[Name]) -> Name:
    attempt = 1
    while (name := _fit(stem, attempt)) in taken:
        attempt += 1
    return name


def _fit(stem: str, attempt: int) -> Name:
    suffix = "" if attempt == 1 else f"-{attempt}"
    room = LIMIT - len(suffix)
    if len(stem) > room:
        place, _, tail = stem.rpartition("-")
        mark = digest(place)
        stem = f"{place[: room - len(tail) - len(mark) - 2]}-{mark}-{tail}"
    return Name(stem + suffix)
