"""What a crash of the console leaves behind: where it happened, and no value of any variable.

Textual's own report prints the locals of every frame, and a token is a local somewhere.
"""

import traceback
from types import TracebackType

DEEPEST = 12
"""Frames shown, the innermost ones."""


def report(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> str:
    """The crash in a few lines: the type, then file, line and function of the innermost frames.

    The exception's own text is left out as well: it may quote what it choked on.
    """
    frames = traceback.extract_tb(trace)[-DEEPEST:]
    places = "".join(f"\n  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    cause = problem.__cause__ or problem.__context__
    because = f" (after {type(cause).__name__})" if cause is not None else ""
    return f"krs: the console crashed: {kind.__name__}{because}{places}"
