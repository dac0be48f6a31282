"""Configuration: what can be set, where it comes from, and what is wrong with it.

Flags beat the environment, the environment beats the file, the file beats the defaults.
"""

from krs.config.load import ConfigError, Given, Loaded, load
from krs.config.settings import Settings

__all__ = ["ConfigError", "Given", "Loaded", "Settings", "load"]
