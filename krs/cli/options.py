"""Options that several commands share."""

from pathlib import Path

import click

CONFIG = click.option("--config", "path", type=click.Path(path_type=Path), help="The configuration file (KRS_CONFIG).")
"""Which configuration file; a parameter `path`."""
