"""The masks of a stylizer, each created once."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from live_nst.engines.base import StylizedFrame
from live_nst.masks.base import AlphaMask, MaskProvider
from live_nst.masks.regions import BACKGROUND, EVERYWHERE, PERSON
from live_nst.types import Size

_STATE_PREFIX = "mask."


def create_mask_provider(region: str) -> MaskProvider | None:
    """Return what computes the masks of a region; None for the whole frame.

    Args:
        region: "everywhere", "person", "background", or the path of a mask image.

    Raises:
        UsageError: The mask image cannot be read.
        DeviceError: OpenVINO, which finds people, cannot be used.
    """
    if region == EVERYWHERE:
        return None
    if region in (PERSON, BACKGROUND):
        from live_nst.masks.person import PersonMaskProvider

        return PersonMaskProvider(background=region == BACKGROUND)
    from live_nst.masks.image import ImageMaskProvider

    return ImageMaskProvider(Path(region).expanduser())


class MaskRegistry:
    """Keeps one mask provider per region."""

    def __init__(self) -> None:
        self._providers: dict[str, MaskProvider | None] = {}
        self._still_lock = threading.Lock()
        self._last: tuple[str, StylizedFrame, Size, AlphaMask | None] | None = None

    def load(self, region: str) -> None:
        """Prepare the masks of a region, which may take a moment.

        Raises:
            LiveNstError: The mask cannot be used.
        """
        if region not in self._providers:
            self._providers[region] = create_mask_provider(region)

    def next_mask(self, region: str, frame: StylizedFrame, size: Size) -> AlphaMask | None:
        """Return the mask of a video's next frame; None for the whole frame.

        Call it from one thread at a time. The same frame again returns the same mask.

        Args:
            region: A region that is loaded.
            frame: The frame at the network's size; read only if the region has a mask.
            size: (width, height) of the mask in pixels.
        """
        if self._last is not None:
            last_region, last_frame, last_size, mask = self._last
            if (last_region, last_size) == (region, size) and last_frame is frame:
                return mask
        provider = self._providers[region]
        mask = None if provider is None else provider(frame.content, size)
        self._last = region, frame, size, mask
        return mask

    def still_mask(self, region: str, frame: StylizedFrame, size: Size) -> AlphaMask | None:
        """Return the mask of a single image. Several threads may call it; see `next_mask`."""
        provider = self._providers[region]
        if provider is None:
            return None
        with self._still_lock:  # a provider keeps state from one call to the next
            provider.reset()
            mask = provider(frame.content, size)
            provider.reset()
        return mask

    def reset(self) -> None:
        """Forget the frames so far."""
        self._last = None
        for provider in self._providers.values():
            if provider is not None:
                provider.reset()

    def state_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what the masks keep of the frames so far, under names with a prefix."""
        return {
            _STATE_PREFIX + region: provider.state
            for region, provider in self._providers.items()
            if provider is not None and provider.state is not None
        }

    def restore_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue after the frames that `arrays` were returned for by `state_arrays`."""
        for region, provider in self._providers.items():
            if provider is not None and _STATE_PREFIX + region in arrays:
                provider.state = arrays[_STATE_PREFIX + region]
