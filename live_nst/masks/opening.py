"""From what `Look.only` says to a mask."""

from pathlib import Path

from live_nst.look import BACKGROUND, EVERYWHERE, PERSON
from live_nst.masks.base import Mask


def open_mask(only: str) -> Mask | None:
    """The mask that `only` of a look names; None where everything is painted.

    Raises:
        UsageError: Its mask picture cannot be read.
        DeviceError: People cannot be found here.
    """
    if only == EVERYWHERE:
        return None
    if only in (PERSON, BACKGROUND):
        from live_nst.masks.person import PersonMask

        return PersonMask(background=only == BACKGROUND)
    from live_nst.masks.picture import PictureMask

    return PictureMask(Path(only).expanduser())
