"""Where live-nst keeps what it downloads and computes."""

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "LIVE_NST_CACHE"
"""The environment variable that moves the cache."""


def cache_root() -> Path:
    """Return the cache folder: $LIVE_NST_CACHE, or the system's folder for caches.

    The folder is not created.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_cache_path("live-nst", appauthor=False)
