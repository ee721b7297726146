"""The regions of a frame that a look can name.

This module imports nothing heavy: `live-nst --help` needs it.
"""

from pathlib import Path

EVERYWHERE, PERSON, BACKGROUND = "everywhere", "person", "background"


def mask_image_path(region: str) -> Path | None:
    """Return the path of the mask image that `region` names, or None for a named region."""
    if region in (EVERYWHERE, PERSON, BACKGROUND):
        return None
    return Path(region).expanduser()
