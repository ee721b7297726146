"""From the network's small picture to the camera-sized one that people see.

Everything here works on uint8 planes in OpenCV: a full frame of 1280x720 costs about a
millisecond a step. docs/look.md has the figures and what was tried.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import ImageKind, StylizedFrame
from live_nst.masks.base import AlphaMask
from live_nst.stylizer.look import EVERYWHERE, Look
from live_nst.types import Image

_NOISE = 3
"""Levels of fine detail that are taken for the camera's noise and not added back."""


def compose(
    content: Image, painted: StylizedFrame, look: Look, mask: AlphaMask | None = None
) -> Image:
    """Bring a stylized picture to the size of its content, and mix the two.

    Args:
        content: The camera's frame, BGR uint8 `[height, width, 3]`.
        painted: The same at the network's size, before and after the network.
        look: How the two are mixed.
        mask: How much of the painted picture each pixel of the content gets, 0..255; None for
            all of it everywhere.

    Returns:
        A new array of the content's shape.
    """
    if look.shows_content_only:
        return content.copy()
    detail = _fine_detail(content, painted.content, look.detail) if look.detail > 0 else None
    if look.keep_colors < 1:
        result = _in_style_colors(content, painted, detail)
        if look.keep_colors > 0:
            kept = _in_own_colors(content, painted.stylized, detail)
            cv2.addWeighted(kept, look.keep_colors, result, 1 - look.keep_colors, 0, dst=result)
    else:
        result = _in_own_colors(content, painted.stylized, detail)
    if mask is not None:
        return _blend(content, result, cv2.convertScaleAbs(mask, alpha=look.opacity))  # type: ignore[arg-type]
    if look.opacity < 1:
        cv2.addWeighted(result, look.opacity, content, 1 - look.opacity, 0, dst=result)
    return result


def required_images(look: Look) -> tuple[ImageKind, ...]:
    """The pictures of a painted frame that `compose`, and the look's mask, look at."""
    if look.shows_content_only:
        return ()
    wanted: list[ImageKind] = []
    if look.detail > 0 or look.only != EVERYWHERE:
        wanted.append("content")
    if look.keep_colors > 0:
        wanted.append("stylized")
    if look.keep_colors < 1:
        wanted.append("enlarged")
    return tuple(wanted)


def upscale(picture: NDArray[np.uint8], like: Image) -> NDArray[np.uint8]:
    """A picture or plane at the size of another one.

    Bicubic: crisper than bilinear at a fraction of Lanczos's cost, and no worse to look at. The
    centers of pixels are aligned, so that nothing moves.
    """
    size = like.shape[1], like.shape[0]
    return cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)  # type: ignore[return-value]


def draw_split_view(content: Image, painted: Image) -> None:
    """Show the content in the left half of the painted picture, which is written to."""
    width = content.shape[1]
    middle = width // 2
    painted[:, :middle] = content[:, :middle]
    line = max(1, width // 640)
    painted[:, max(0, middle - line) : middle + line] = 255


_Detail = tuple[AlphaMask, AlphaMask]
"""What is added to the brightness, and what is taken from it: uint8 knows no sign."""


def _in_style_colors(content: Image, painted: StylizedFrame, detail: _Detail | None) -> Image:
    result = painted.take_upscaled(content.shape)
    if result is None:
        result = upscale(painted.stylized, content)
    if detail is not None:
        up, down = (cv2.cvtColor(part, cv2.COLOR_GRAY2BGR) for part in detail)
        cv2.add(result, up, dst=result)
        cv2.subtract(result, down, dst=result)
    return result


def _in_own_colors(content: Image, stylized: Image, detail: _Detail | None) -> Image:
    """The content with the brightness (Y' of BT.601) of the stylized picture.

    A pixel's blue, green and red are moved by the same amount, which leaves Cb and Cr what they
    are: both are differences from Y'. It is moved no further than its first channel that arrives
    at 0 or 255; past it the color would change.
    """
    wanted = upscale(_brightness(stylized), content)
    if detail is not None:
        cv2.add(wanted, detail[0], dst=wanted)
        cv2.subtract(wanted, detail[1], dst=wanted)
    given = _brightness(content)
    channels = cv2.split(content)
    blue, green, red = channels
    headroom = cv2.bitwise_not(cv2.max(cv2.max(blue, green), red))
    footroom = cv2.min(cv2.min(blue, green), red)
    up = cv2.min(cv2.subtract(wanted, given), headroom)
    down = cv2.min(cv2.subtract(given, wanted), footroom)
    for channel in channels:
        cv2.add(channel, up, dst=channel)
        cv2.subtract(channel, down, dst=channel)
    return cv2.merge(channels)  # type: ignore[return-value]


def _fine_detail(content: Image, small: Image, share: float) -> _Detail:
    """The brightness that was lost when `content` was made `small`, less what may be noise."""
    given = _brightness(content)
    coarse = upscale(_brightness(small), content)
    cored = np.maximum(np.arange(256) - _NOISE, 0)
    kept = np.rint(share * cored).astype(np.uint8)
    up, down = cv2.subtract(given, coarse), cv2.subtract(coarse, given)
    return cv2.LUT(up, kept), cv2.LUT(down, kept)  # type: ignore[return-value]


def _brightness(picture: Image) -> AlphaMask:
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]


def _blend(content: Image, painted: Image, share: AlphaMask) -> Image:
    """`share` (0..255) of the painted picture over the content; `painted` is written to."""
    shares = cv2.cvtColor(share, cv2.COLOR_GRAY2BGR)
    cv2.multiply(painted, shares, dst=painted, scale=1 / 255)
    rest = cv2.multiply(content, cv2.bitwise_not(shares), scale=1 / 255)
    return cv2.add(painted, rest, dst=painted)  # type: ignore[return-value]
