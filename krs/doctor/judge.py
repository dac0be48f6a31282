"""The judgement of all evidence: each check's own function, and none of them can break the others."""

import logging
from collections.abc import Callable, Iterator

from krs.core.views import Check, Diagnosis
from krs.core.vocabulary import CheckName, Finding
from krs.doctor import github, inside, koyeb
from krs.doctor.evidence import Evidence
from krs.doctor.rows import Rows

log = logging.getLogger(__name__)

JUDGES: dict[CheckName, Callable[[Evidence], Rows]] = {
    name: next(vars(place)[name.value] for place in (koyeb, github, inside) if name.value in vars(place))
    for name in CheckName
}
"""Every check is judged by the function of its name."""


def diagnose(seen: Evidence) -> Diagnosis:
    """Every check, in order; one whose judgement breaks says so in its place."""
    return Diagnosis(at=seen.at, checks=tuple(check for name in CheckName for check in _judged(name, seen)))


def _judged(name: CheckName, seen: Evidence) -> Iterator[Check]:
    try:
        rows = list(JUDGES[name](seen))
    except Exception:
        log.exception("the check %s broke", name)
        yield Check(name=name, finding=Finding.FAIL, message="this check itself broke", advice="see krs's log for why")
        return
    for row in rows:
        yield Check(name=name, finding=row.finding, message=row.message, advice=row.advice, subject=row.subject)
