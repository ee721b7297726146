"""How a stored frame becomes the picture that a player shows: its orientation and pixel shape."""

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from live_nst.runtime.pyav import Ratio, fraction
from live_nst.types import Image, Size

_ROTATIONS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}
_FLIP_LEFT_RIGHT, _FLIP_TOP_BOTTOM = 1, 0

_PLAUSIBLE_ASPECTS = (Fraction(1, 100), Fraction(100))
_MAX_DISPLAY_SIDE = 16_384  # pixels


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored frames become upright: first they are mirrored, then rotated.

    Attributes:
        rotation: Degrees counterclockwise: 0, 90, 180 or 270.
        mirrored: Whether left and right are exchanged before the rotation.
    """

    rotation: int = 0
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """Whether the width of a stored frame is the height of the upright one."""
        return self.rotation % 180 == 90

    def apply(self, image: Image, out: Image) -> None:
        """Write the upright form of an image to `out`, which has its own memory.

        Args:
            image: Any uint8 `[height, width, channels]`.
            out: The result: of the same shape, or with the sides exchanged.
        """
        if self.mirrored and not self.swaps_sides:
            # A mirrored image that is rotated by 180 degrees is one that is upside down.
            cv2.flip(image, _FLIP_TOP_BOTTOM if self.rotation else _FLIP_LEFT_RIGHT, dst=out)
        elif self.mirrored:
            cv2.rotate(cv2.flip(image, _FLIP_LEFT_RIGHT), _ROTATIONS[self.rotation], dst=out)
        elif self.rotation:
            cv2.rotate(image, _ROTATIONS[self.rotation], dst=out)
        else:
            np.copyto(out, image)


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """Return the orientation that the display matrix of a frame asks for.

    An angle in between is rounded to quarter turns. A matrix that shows nothing, such as one of
    zeros, is ignored, as players do.

    Call it for the first frame of a stream and not for each: a frame whose side data was read
    is freed only by the garbage collector.
    """
    try:
        side_data: Any = frame.side_data  # its type does not allow the names of kinds
        matrix = side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not know all kinds of side data, and then gives none
        plausible = -180 <= frame.rotation <= 180
        return Orientation(_quarter_turns(frame.rotation)) if plausible else Orientation()
    if matrix is None:
        return Orientation()
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    return orientation_of_matrix(a, b, c, d)


def orientation_of_matrix(a: float, b: float, c: float, d: float) -> Orientation:
    """Return the orientation of a matrix that maps (x, y) to (a x + c y, b x + d y).

    x points to the right, and y downward.
    """
    horizontal, vertical = math.hypot(a, c), math.hypot(b, d)
    if not horizontal or not vertical or a * d == b * c:
        return Orientation()
    degrees = math.degrees(math.atan2(c / horizontal, d / vertical))
    return Orientation(_quarter_turns(degrees), mirrored=a * d < b * c)


def pixel_aspect_of(stream: av.VideoStream) -> Fraction:
    """Return the width of a stored pixel divided by its height.

    It is 1 if the file does not say, or gives an implausible value.
    """
    return plausible_aspect(stream.sample_aspect_ratio)


def plausible_aspect(ratio: Ratio | None) -> Fraction:
    """Return the shape of a pixel as FFmpeg gives it: 1 if it is unset or implausible."""
    aspect = fraction(ratio)
    if aspect is None or not _PLAUSIBLE_ASPECTS[0] < aspect < _PLAUSIBLE_ASPECTS[1]:
        return Fraction(1)
    return aspect.limit_denominator(4096)


def upright_size(stored: Size, aspect: Fraction, orientation: Orientation) -> tuple[Size, Fraction]:
    """Return the size and the pixel shape of frames after they were made upright.

    Args:
        stored: (width, height) of the stored frames.
        aspect: Width of a stored pixel divided by its height.
        orientation: How they become upright.
    """
    if orientation.swaps_sides:
        return stored[::-1], 1 / aspect
    return stored, aspect


def display_size(size: Size, aspect: Fraction) -> Size:
    """Return the size with square pixels at which frames look as players show them.

    One side stays, and the other one becomes longer, so that no detail is lost. Only if it would
    become longer than any screen, the first one becomes shorter instead.

    Args:
        size: (width, height) of the frames.
        aspect: Width of one of their pixels divided by its height.
    """
    width, height = size
    shown = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
    if max(shown) > _MAX_DISPLAY_SIDE:
        shown = (width, round(height / aspect)) if aspect >= 1 else (round(width * aspect), height)
    return max(shown[0], 1), max(shown[1], 1)


def _quarter_turns(degrees: float) -> int:
    """Return the multiple of 90 degrees that is closest, from 0 to 270."""
    return 90 * round(degrees / 90) % 360
