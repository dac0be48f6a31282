"""Writing a file that only its owner may read, at one stroke: whoever reads it sees the old one or the new one."""

import os
import tempfile
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write `path` with mode 0600; a link is followed, what was there is replaced. Raises `OSError`."""
    target = path.resolve()
    handle, scratch = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(target)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
