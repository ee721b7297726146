"""Draw a contact sheet: one photo in every style, each with its name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from live_nst.files.images import bgr_to_pillow
from live_nst.types import Image, Size

CELL_SIDE = 512
"""Long side of a stylized image on the sheet, in pixels."""

_COLUMNS = 4
_MIN_CELL_WIDTH = 200  # pixels, so that the text has room
_MARGIN = 40
_GAP = 28
_ABOVE_TEXT = 12
_BELOW_TEXT = 14
_LINE_HEIGHT = 1.3  # of the font size
_BACKGROUND = (18, 19, 23)
_BRIGHT = (238, 236, 230)
_MUTED = (150, 152, 160)


@dataclass(frozen=True, slots=True)
class SheetCell:
    """One image of a sheet.

    Attributes:
        image: BGR uint8 `[height, width, 3]`.
        name: The first line of the text below it.
        description: The lines after that, smaller and wrapped to the image's width.
    """

    image: Image
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class _TextStyle:
    """The font sizes of the text below an image, in pixels."""

    name: int
    description: int

    def wrap(self, cell: SheetCell, width: int) -> list[str]:
        """Return the description in lines of at most `width` pixels, without splitting words."""
        font = ImageFont.load_default(self.description)
        lines: list[str] = []
        for word in cell.description.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and font.getlength(longer) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def height(self, lines: int) -> int:
        """Return the height of a name and `lines` lines of description with the space around."""
        text = _LINE_HEIGHT * (self.name + lines * self.description)
        return _ABOVE_TEXT + round(text) + _BELOW_TEXT


_LARGE, _SMALL = _TextStyle(36, 24), _TextStyle(24, 18)


def scale_to_fit(image: Image, box: Size) -> Image:
    """Return an image scaled up or down, in proportion, until it touches the box (width, height).

    Returns:
        BGR uint8, at least one pixel wide and high.
    """
    height, width = image.shape[:2]
    scale = min(box[0] / width, box[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Pillow.fromarray(image).resize(size, Pillow.Resampling.LANCZOS))


def draw_sheet(original: SheetCell, stylized: Sequence[SheetCell]) -> Image:
    """Return a sheet of four columns: the original at twice the size, the others around it.

    Args:
        original: The photo at its full size.
        stylized: The photo in each style, at least one, all with the same shape.

    Returns:
        BGR uint8 `[height, width, 3]`.
    """
    first = stylized[0].image
    cell = max(_MIN_CELL_WIDTH, first.shape[1]), first.shape[0]
    lines = max(len(_SMALL.wrap(each, cell[0])) for each in stylized)
    step = cell[0] + _GAP, cell[1] + _SMALL.height(lines) + _GAP
    places = _places(len(stylized))
    width = 2 * _MARGIN + _COLUMNS * step[0] - _GAP
    rows = max(2, 1 + places[-1][1])  # the original alone takes two
    sheet = Pillow.new("RGB", (width, 2 * _MARGIN + rows * step[1] - _GAP), _BACKGROUND)

    # As large as two cells and the gap; the text of the second row leaves room for its own text.
    large = scale_to_fit(original.image, (step[0] + cell[0], 2 * cell[1] + _GAP))
    _draw_cell(sheet, original, large, (0, 0), step[0] + cell[0], _LARGE)
    for each, (column, row) in zip(stylized, places, strict=True):
        _draw_cell(sheet, each, each.image, (column * step[0], row * step[1]), cell[0], _SMALL)
    return np.ascontiguousarray(np.asarray(sheet)[..., ::-1])


def _places(number: int) -> list[tuple[int, int]]:
    """Return (column, row) of each small image; the original has the upper left four places."""
    free = (
        (column, row)
        for row in range(number + 2)
        for column in range(_COLUMNS)
        if column >= 2 or row >= 2
    )
    return [place for place, _ in zip(free, range(number), strict=False)]


def _draw_cell(
    sheet: Pillow.Image,
    cell: SheetCell,
    image: Image,
    corner: tuple[int, int],
    width: int,
    style: _TextStyle,
) -> None:
    """Draw an image and its text; `corner` is relative to the margin."""
    left, top = _MARGIN + corner[0], _MARGIN + corner[1]
    sheet.paste(bgr_to_pillow(image), (left, top))
    draw = ImageDraw.Draw(sheet)
    y = float(top + image.shape[0] + _ABOVE_TEXT)
    draw.text((left, y), cell.name, _BRIGHT, ImageFont.load_default(style.name))
    y += _LINE_HEIGHT * style.name
    for line in style.wrap(cell, width):
        draw.text((left, y), line, _MUTED, ImageFont.load_default(style.description))
        y += _LINE_HEIGHT * style.description
