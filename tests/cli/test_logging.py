"""What is written to standard error: no secret, however it got into a record."""

import logging

import pytest

from krs.logs import JsonLines, Redacted
from krs.secret import Secret

KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(f"{number}MIIEpAIBAAKCAQEA7bq" * 3 for number in range(4))
QUOTED = 'se"cret\\with\tmarks and \u00e9'
SECRETS = (Secret(KEY), Secret(QUOTED), Secret("abc"))


def record(message: str, problem: Exception | None = None) -> logging.LogRecord:
    """One record, with a traceback or without."""
    info = (type(problem), problem, problem.__traceback__) if problem is not None else None
    return logging.LogRecord("krs", logging.ERROR, "", 0, "%s", (message,), info)


@pytest.mark.parametrize("form", [Redacted, JsonLines])
@pytest.mark.parametrize("secret", [KEY, QUOTED])
def test_a_secret_is_masked_in_every_form(form: type[Redacted], secret: str) -> None:
    """As it is, as `repr`, as a line of a key of many lines, in a message and in a traceback, as text and as JSON."""
    line = secret.splitlines()[-1]
    with pytest.raises(ValueError, match="bad") as caught:
        raise ValueError(f"bad {secret!r}, {line}")
    text = form(SECRETS).format(record(f"this is {secret} or {secret!r} or {line} abc", caught.value))
    assert text.count("***") >= 5
    for part in (line, "MIIE", "with\\tmarks", "with\\\\tmarks", "with\tmarks"):
        assert part not in text
    assert "abc" in text
