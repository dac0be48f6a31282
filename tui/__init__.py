"""The terminal console: a client of the scheduler, in the same process or across the network.

It sees immutable snapshots and events through one `Backend` (`tui.backend`) and nothing else of krs. Nothing is
imported here, so that `import tui` costs nothing.
"""
