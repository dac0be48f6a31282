"""Where things are kept when nobody says where."""

from pathlib import Path

import platformdirs

from krs.config.settings import Settings


def state_path(settings: Settings) -> Path:
    """Where the state file is."""
    return settings.state.path or platformdirs.user_state_path("krs") / "state.db"
