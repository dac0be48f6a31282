"""The imperative shell: the turn loop, the hands that carry out commands, and the composition of it all."""

from krs.daemon.app import Daemon, StartError

__all__ = ["Daemon", "StartError"]
