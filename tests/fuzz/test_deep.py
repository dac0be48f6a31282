"""The coverage-guided search, for a while."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deliveries import delivery

MISSING = "atheris is not installed: pip install 'krs[fuzz]'"
RUNS = int(os.environ.get("KRS_FUZZ_RUNS", "200000"))


@pytest.mark.deep
@pytest.mark.timeout(86_400)
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason=MISSING)
def test_no_bred_delivery_breaks_anything(tmp_path: Path) -> None:
    """As many inputs as asked for, bred by what they reach: no exception and no 5xx."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, sent in enumerate((b"\0" + delivery(), b"\1payload=" + b"%7B%7D", b"\2{}", b"\3payload=%5B")):
        (corpus / str(number)).write_bytes(sent)
    options = [f"-runs={RUNS}", "-max_len=16384", "-timeout=5", f"-artifact_prefix={tmp_path}/", str(corpus)]
    command = [sys.executable, "-m", "tests.fuzz.evolve", *options]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert ran.returncode == 0, ran.stderr[-3000:]
    (done,) = re.findall(r"Done (\d+) runs", ran.stderr)
    print(f"inputs {done}, failures 0")
