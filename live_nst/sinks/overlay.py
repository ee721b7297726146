"""Draw text over an image: figures, a notice, the list of keys.

All functions draw into the array that they are given.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from live_nst.types import Image

TextMask = NDArray[np.uint8]
"""Coverage of each pixel by text: uint8 ``[height, width]``, 0 to 255."""

WHITE = (255, 255, 255)
YELLOW = (90, 220, 255)
PANEL_TRANSPARENCY = 0.3
"""Share of the image that is seen through a panel."""
LINES_PER_HEIGHT = 34
"""Lines of figures that would fill the height of the image."""
MIN_TEXT_PIXELS = 11
"""Smaller text cannot be read."""


def draw_overlay(
    image: Image,
    lines: Sequence[str],
    *,
    notice: str = "",
    keys: Sequence[tuple[str, str]] = (),
) -> Image:
    """Draw figures, or the list of keys, and a notice.

    Args:
        image: BGR uint8 ``[height, width, 3]``; it is drawn on.
        lines: The figures, in the top left corner; empty for none.
        notice: One sentence in a band across the middle; empty for none.
        keys: (key, what it does) in place of the figures; a small image has no room for both.

    Returns:
        `image`.
    """
    if keys:
        draw_keys(image, keys)
    else:
        draw_lines(image, lines)
    draw_notice(image, notice)
    return image


def draw_lines(image: Image, lines: Sequence[str]) -> Image:
    """Draw lines of text on a dark panel in the top left corner; return `image`."""
    if lines:
        pixels = _text_pixels(image)
        mask = _fitting_mask(image, tuple(lines), pixels)
        margin = pixels // 2
        _draw_panel(image, margin, margin, [(mask, WHITE)])
    return image


def draw_notice(image: Image, notice: str) -> Image:
    """Draw one sentence in a dark band across the middle; return `image`."""
    if notice:
        mask = _fitting_mask(image, (notice,), round(1.4 * _text_pixels(image)))
        padding = max(0, image.shape[1] - mask.shape[1])
        band = np.pad(mask, ((0, 0), (padding // 2, padding - padding // 2)))
        _draw_panel(image, 0, (image.shape[0] - band.shape[0]) // 2, [(band, YELLOW)])
    return image


def draw_keys(image: Image, keys: Sequence[tuple[str, str]]) -> Image:
    """Draw what each key does on a dark panel in the middle; return `image`.

    Args:
        image: BGR uint8 ``[height, width, 3]``; it is drawn on.
        keys: Pairs of a key and what it does, such as ("q", "quit"); empty for no panel.
    """
    if not keys:
        return image
    pixels = _text_pixels(image)
    names, actions = _columns(keys, pixels)
    excess = max(names.shape[1] / image.shape[1], names.shape[0] / image.shape[0])
    if excess > 1:
        names, actions = _columns(keys, max(MIN_TEXT_PIXELS, int(pixels / excess)))
    left = max(0, (image.shape[1] - names.shape[1]) // 2)
    top = max(0, (image.shape[0] - names.shape[0]) // 2)
    _draw_panel(image, left, top, [(names, YELLOW), (actions, WHITE)])
    return image


def _columns(keys: Sequence[tuple[str, str]], pixels: int) -> tuple[TextMask, TextMask]:
    """Return the keys, and to their right what they do, as two masks of one size."""
    names = _text_mask(tuple(name for name, _ in keys), pixels)
    actions = _text_mask(tuple(action for _, action in keys), pixels)
    return (
        np.pad(names, ((0, 0), (0, actions.shape[1]))),
        np.pad(actions, ((0, 0), (names.shape[1], 0))),
    )


def _text_pixels(image: Image) -> int:
    """Return a text size that suits the height of an image."""
    height: int = image.shape[0]
    return max(MIN_TEXT_PIXELS, height // LINES_PER_HEIGHT)


def _fitting_mask(image: Image, lines: tuple[str, ...], pixels: int) -> TextMask:
    """Return text of a size in pixels, or smaller if it would be wider than the image."""
    mask = _text_mask(lines, pixels)
    if mask.shape[1] <= image.shape[1]:
        return mask
    return _text_mask(lines, max(MIN_TEXT_PIXELS, pixels * image.shape[1] // mask.shape[1]))


@lru_cache(maxsize=4)
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(pixels)


def _without_accents(text: str) -> str:
    """Return "Klee (Baume)" for "Klee (Bäume)": the font of Pillow has plain letters only."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@lru_cache(maxsize=16)
def _text_mask(lines: tuple[str, ...], pixels: int) -> TextMask:
    """Return antialiased text with a margin around it."""
    font = _font(pixels)
    text = _without_accents("\n".join(lines))
    spacing = pixels // 3
    left, _, right, bottom = ImageDraw.Draw(Pillow.new("L", (1, 1))).multiline_textbbox(
        (0, 0), text, font=font, spacing=spacing
    )
    margin = pixels // 2
    # The height depends on the number of lines only, so that panels do not jump with the letters.
    height = max(int(bottom), len(lines) * (pixels + spacing)) + 2 * margin
    canvas = Pillow.new("L", (int(right - left) + 2 * margin, height))
    ImageDraw.Draw(canvas).multiline_text(
        (margin - left, margin), text, fill=255, font=font, spacing=spacing
    )
    mask = np.asarray(canvas).copy()
    mask.flags.writeable = False  # the cache returns it several times
    return mask


def _draw_panel(
    image: Image, left: int, top: int, texts: Sequence[tuple[TextMask, tuple[int, int, int]]]
) -> None:
    """Darken the rectangle of the masks and draw the texts on it, clipped at the edges."""
    height, width = texts[0][0].shape
    region = image[top : top + height, left : left + width]
    mixed = region * np.float32(PANEL_TRANSPARENCY)
    for mask, color in texts:
        share = mask[: region.shape[0], : region.shape[1], np.newaxis] / np.float32(255)
        mixed += (np.array(color, np.float32) - mixed) * share
    region[:] = np.rint(mixed).astype(np.uint8)
