"""Color profiles (ICC): the network works in sRGB; outputs keep the profile of their input."""

import io
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

_TEST_VALUES = np.linspace(0, 255, 9).astype(np.uint8)
_MAX_DIFFERENCE = 2  # of 255
_MAX_MEAN_LOSS = 10.0  # of 255, there and back: 8 bits of linear light lose 2


class IccProfile:
    """The color profile of an image in RGB, CMYK or gray.

    Args:
        data: The profile.
        mode: Pillow's mode of the image that contains it.

    Attributes:
        data: The profile of the stylized image, which is in RGB: that of the image if colors can
            be converted to it, else sRGB.

    Raises:
        ImageCms.PyCMSError: The profile is damaged, or not for such an image.
    """

    def __init__(self, data: bytes, mode: str) -> None:
        self._own = ImageCms.ImageCmsProfile(io.BytesIO(data))
        self._srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        self._mode = {"CMYK": "CMYK", "L": "L", "LA": "L", "1": "L"}.get(mode, "RGB")
        self._to_srgb = ImageCms.buildTransform(self._own, self._srgb, self._mode, "RGB")
        self._from_srgb = self._build_reverse()
        self.data = data if self._from_srgb is not None else self._srgb.tobytes()

    @cached_property
    def is_srgb(self) -> bool:
        """Whether the profile is for RGB and equals sRGB, except for rounding."""
        if self._mode != "RGB":
            return False
        cube = _cube()
        converted = np.asarray(_apply(self._to_srgb, cube), int)
        return bool(np.abs(converted - np.asarray(cube, int)).max() <= _MAX_DIFFERENCE)

    @property
    def is_one_way(self) -> bool:
        """Whether it is for RGB, but colors can only be converted from it, as for scanners."""
        return self._mode == "RGB" and self._from_srgb is None

    def to_srgb(self, pil_image: Pillow.Image) -> Pillow.Image:
        """Return an image without transparency in sRGB."""
        if self.is_srgb:
            return pil_image.convert("RGB")
        return _apply(self._to_srgb, pil_image.convert(self._mode))

    def from_srgb(self, pil_image: Pillow.Image) -> Pillow.Image:
        """Return an image in sRGB in the colors of the profile `data`."""
        if self._from_srgb is None or self.is_srgb:
            return pil_image
        return _apply(self._from_srgb, pil_image)

    def _build_reverse(self) -> Any:
        """Return the transform from sRGB; None if there is none, or a wrong one.

        Some profiles have tables for the way from sRGB that are only there because a program
        asked for them, and make all colors dark, as those of JPEG XL's XYB do.
        """
        if self._mode != "RGB":
            return None
        try:
            reverse = ImageCms.buildTransform(self._srgb, self._own, "RGB", "RGB")
            once = _apply(self._to_srgb, _cube())
            again = _apply(self._to_srgb, _apply(reverse, once))
        except ImageCms.PyCMSError:
            return None
        loss = np.abs(np.asarray(again, int) - np.asarray(once, int)).mean()
        return reverse if loss <= _MAX_MEAN_LOSS else None


def _cube() -> Pillow.Image:
    """Return colors from all of RGB as an image."""
    cube = np.stack(np.meshgrid(_TEST_VALUES, _TEST_VALUES, _TEST_VALUES), -1)
    return Pillow.fromarray(cube.reshape(1, -1, 3))


def _apply(transform: Any, pil_image: Pillow.Image) -> Pillow.Image:
    result = ImageCms.applyTransform(pil_image, transform)
    assert result is not None  # it is None only when done in place
    return result
