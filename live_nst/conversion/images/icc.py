"""Color profiles (ICC): the network works in sRGB; outputs keep the profile of their input."""

import io
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

_TEST_VALUES = np.linspace(0, 255, 9).astype(np.uint8)
_MAX_DIFFERENCE = 2  # of 255


class IccProfile:
    """The color profile of an image in RGB, CMYK or gray.

    Args:
        data: The profile.
        mode: Pillow's mode of the image that contains it.

    Attributes:
        data: The profile of the stylized image, which is in RGB.

    Raises:
        ImageCms.PyCMSError: The profile is damaged, or not for such an image.
    """

    def __init__(self, data: bytes, mode: str) -> None:
        self._own = ImageCms.ImageCmsProfile(io.BytesIO(data))
        self._srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        self._mode = {"CMYK": "CMYK", "L": "L", "LA": "L", "1": "L"}.get(mode, "RGB")
        self._to_srgb = ImageCms.buildTransform(self._own, self._srgb, self._mode, "RGB")
        self.data = data if self._mode == "RGB" else self._srgb.tobytes()

    @cached_property
    def is_srgb(self) -> bool:
        """Whether the profile is for RGB and equals sRGB, except for rounding."""
        if self._mode != "RGB":
            return False
        cube = np.stack(np.meshgrid(_TEST_VALUES, _TEST_VALUES, _TEST_VALUES), -1)
        cube = cube.reshape(1, -1, 3)
        converted = np.asarray(_apply(self._to_srgb, Pillow.fromarray(cube)))
        return bool(np.abs(converted.astype(int) - cube).max() <= _MAX_DIFFERENCE)

    def to_srgb(self, pil_image: Pillow.Image) -> Pillow.Image:
        """Return an image without transparency in sRGB."""
        if self.is_srgb:
            return pil_image.convert("RGB")
        return _apply(self._to_srgb, pil_image.convert(self._mode))

    def from_srgb(self, pil_image: Pillow.Image) -> Pillow.Image:
        """Return an image in sRGB in the colors of the profile `data`."""
        if self._mode != "RGB" or self.is_srgb:
            return pil_image
        return _apply(ImageCms.buildTransform(self._srgb, self._own, "RGB", "RGB"), pil_image)


def _apply(transform: Any, pil_image: Pillow.Image) -> Pillow.Image:
    result = ImageCms.applyTransform(pil_image, transform)
    assert result is not None  # it is None only when done in place
    return result
