"""The masks that a stylizer has ready, by what `Look.only` calls them."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from live_nst.engines.base import StylizedFrame
from live_nst.masks.base import AlphaMask, MaskProvider
from live_nst.stylizer.look import BACKGROUND, EVERYWHERE, PERSON, Look
from live_nst.types import Size

_PREFIX = "mask."


class MaskRegistry:
    """Opens each mask once."""

    def __init__(self) -> None:
        self._masks: dict[str, MaskProvider | None] = {}
        self._lock = threading.Lock()
        self._last: tuple[str, StylizedFrame, Size, AlphaMask | None] | None = None

    def load(self, only: str) -> None:
        """Get a mask ready, which may take a moment.

        Raises:
            LiveNstError: It cannot be used.
        """
        if only not in self._masks:
            self._masks[only] = create_mask_provider(only)

    def of_next(self, look: Look, painted: StylizedFrame, size: Size) -> AlphaMask | None:
        """The mask of a stream's next frame, from one thread at a time; None for everywhere.

        Where nothing shows of the painting, no mask is needed either. The same painting again,
        as nothing has changed since, has the same mask.

        Args:
            look: One whose mask is ready.
            painted: The frame as the network sees it; looked at only if there is a mask.
            size: (width, height) of the mask: the camera's.
        """
        if look.shows_content_only:
            return None
        if self._last is not None:
            only, seen, at, weights = self._last
            if (only, at) == (look.only, size) and seen is painted:
                return weights
        mask = self._masks[look.only]
        weights = None if mask is None else mask(painted.content, size)
        self._last = look.only, painted, size, weights
        return weights

    def of_still(self, look: Look, painted: StylizedFrame, size: Size) -> AlphaMask | None:
        """The mask of a picture of its own; several threads may ask at once. See `of_next`."""
        mask = None if look.shows_content_only else self._masks[look.only]
        if mask is None:
            return None
        with self._lock:  # a mask remembers what it saw last
            mask.reset()
            weights = mask(painted.content, size)
            mask.reset()
        return weights

    def reset(self) -> None:
        """Forget the frames so far."""
        self._last = None
        for mask in self._masks.values():
            if mask is not None:
                mask.reset()

    def state_arrays(self) -> dict[str, NDArray[Any]]:
        """What the masks keep of the frames so far, by names of their own."""
        return {
            _PREFIX + only: mask.state
            for only, mask in self._masks.items()
            if mask is not None and mask.state is not None
        }

    def restore_state(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Go on after the frames that `state_arrays` is of."""
        for only, mask in self._masks.items():
            if mask is not None and _PREFIX + only in memory:
                mask.state = memory[_PREFIX + only]


def create_mask_provider(only: str) -> MaskProvider | None:
    """The mask that `only` of a look names; None where everything is painted.

    Raises:
        UsageError: Its mask picture cannot be read.
        DeviceError: People cannot be found here.
    """
    if only == EVERYWHERE:
        return None
    if only in (PERSON, BACKGROUND):
        from live_nst.masks.person import PersonMaskProvider

        return PersonMaskProvider(background=only == BACKGROUND)
    from live_nst.masks.image import ImageMaskProvider

    return ImageMaskProvider(Path(only).expanduser())
