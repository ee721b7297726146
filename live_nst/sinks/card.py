"""A card with a few words, shown where there is no frame."""

from collections.abc import Sequence

import cv2
import numpy as np

from live_nst.types import Image, Size

_BACKGROUND = (48, 40, 36)  # BGR
_TEXT = (225, 220, 215)
_FONT = cv2.FONT_HERSHEY_DUPLEX
_FONT_HEIGHT = 22  # pixels of a capital at scale 1


def draw_card(size: Size, lines: Sequence[str]) -> Image:
    """Return an image with centered lines of text.

    Args:
        size: (width, height) in pixels.
        lines: The text, in ASCII.
    """
    width, height = size
    image = np.full((height, width, 3), _BACKGROUND, np.uint8)
    widest = max(cv2.getTextSize(line, _FONT, 1.0, 1)[0][0] for line in lines)
    scale = min(0.7 * width / widest, 0.5 * height / (2 * _FONT_HEIGHT * len(lines)))
    step = 2 * _FONT_HEIGHT * scale
    baseline = (height - step * len(lines)) / 2 + 1.5 * _FONT_HEIGHT * scale
    for number, line in enumerate(lines):
        text_width = cv2.getTextSize(line, _FONT, scale, 1)[0][0]
        place = (round((width - text_width) / 2), round(baseline + number * step))
        cv2.putText(image, line, place, _FONT, scale, _TEXT, max(1, round(scale)), cv2.LINE_AA)
    return image
