"""Deliveries bred by coverage: `python -m tests.fuzz.evolve -runs=100000` (needs the extra `fuzz`).

A libFuzzer program: its options follow. The first byte of an input says how the rest is sent. An exception, a 5xx or a
message of more than one line ends it with the input in a file.
"""

import sys

import atheris

with atheris.instrument_imports(include=["krs.github", "krs.daemon.intake", "krs.core"]):
    from tests.deliveries import delivery
    from tests.fuzz.gate import FORM, Gate

KINDS = ("application/json", FORM)
EVENTS = ("workflow_job", "ping", "push")

gate = Gate()


def one(data: bytes) -> None:
    """Send one input signed, and once more as its own signature."""
    how, body, text = (data[0] if data else 0), data[1:], data.decode("latin-1")
    answer = gate.send(body, KINDS[how % 2], X_GitHub_Event=EVENTS[how // 2 % 3], X_GitHub_Delivery=text)
    assert answer.status in (200, 202, 400), answer
    assert "\n" not in answer.message, answer
    assert gate.take({"X-Hub-Signature-256": text}, body).status == 401


one(b"\0" + delivery())
atheris.Setup(sys.argv, one)
atheris.Fuzz()
