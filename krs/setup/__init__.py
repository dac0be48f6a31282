"""`krs setup`: from nothing to a working webhook, one checked step after the other.

Here is the work: what is asked, checked, written and installed, and what is said about it. How questions are put to a
person and how lines are printed is the command's business (`krs.cli.setup`): all of this runs without a terminal.
"""
