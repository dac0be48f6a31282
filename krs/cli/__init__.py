"""The command line. Commands are imported when they are run, so that `krs --help` is fast and the daemon stays lean."""

from krs.cli.main import main

__all__ = ["main"]
