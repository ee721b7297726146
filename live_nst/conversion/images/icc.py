"""Color profiles of pictures: the network takes sRGB, the file keeps its own colors."""

import io
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

_STEPS = np.linspace(0, 255, 9).astype(np.uint8)
_SAME = 2  # levels


class IccProfile:
    """An ICC profile of a picture in RGB, CMYK or gray.

    Args:
        data: The profile.
        mode: Pillow's mode of the picture that it came with.

    Raises:
        ImageCms.PyCMSError: It is damaged, or not for such a picture.
    """

    def __init__(self, data: bytes, mode: str) -> None:
        self._own = ImageCms.ImageCmsProfile(io.BytesIO(data))
        self._srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        self._mode = {"CMYK": "CMYK", "L": "L", "LA": "L", "1": "L"}.get(mode, "RGB")
        self._to_srgb = ImageCms.buildTransform(self._own, self._srgb, self._mode, "RGB")
        self.data = data if self._mode == "RGB" else self._srgb.tobytes()
        """The profile that goes with the painted picture, which is in RGB."""

    @cached_property
    def is_srgb(self) -> bool:
        """Whether it is for RGB and leaves colors as they are, but for rounding."""
        if self._mode != "RGB":
            return False
        cube = np.stack(np.meshgrid(_STEPS, _STEPS, _STEPS), -1).reshape(1, -1, 3)
        there = np.asarray(self._apply(self._to_srgb, Pillow.fromarray(cube)))
        return bool(np.abs(there.astype(int) - cube).max() <= _SAME)

    def to_srgb(self, picture: Pillow.Image) -> Pillow.Image:
        """A picture without transparency, as RGB that a network understands."""
        if self.is_srgb:
            return picture.convert("RGB")
        return self._apply(self._to_srgb, picture.convert(self._mode))

    def from_srgb(self, picture: Pillow.Image) -> Pillow.Image:
        """An sRGB picture in the colors of `data`."""
        if self._mode != "RGB" or self.is_srgb:
            return picture
        back = ImageCms.buildTransform(self._srgb, self._own, "RGB", "RGB")
        return self._apply(back, picture)

    @staticmethod
    def _apply(transform: Any, picture: Pillow.Image) -> Pillow.Image:
        result = ImageCms.applyTransform(picture, transform)
        assert result is not None  # it is None only when done in place
        return result
