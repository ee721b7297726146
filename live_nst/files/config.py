"""Where a user's settings and presets lie."""

import os
from pathlib import Path

import platformdirs

CONFIG_VARIABLE = "LIVE_NST_CONFIG"
"""The environment variable that moves the folder of settings."""


def config_root() -> Path:
    """Return the folder of settings: $LIVE_NST_CONFIG, or the system's folder for settings.

    The folder is not created.
    """
    chosen = os.environ.get(CONFIG_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_config_path("live-nst", appauthor=False)
