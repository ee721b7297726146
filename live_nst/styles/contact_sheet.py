"""The contact sheet: one photo in every style, each with its name."""

import errno
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from live_nst.errors import SinkError, UsageError
from live_nst.types import Image, Size

CELL_SIDE = 512
"""Longest side, in pixels, of a painted picture on the sheet."""

_COLUMNS = 4
_LEAST_WIDTH = 200  # of a cell, so that its words have room
_MARGIN = 40
_GAP = 28
_ABOVE_WORDS = 12
_BELOW_WORDS = 14
_LEADING = 1.3
_BACKGROUND = (18, 19, 23)
_BRIGHT = (238, 236, 230)
_MUTED = (150, 152, 160)
_LOSSY = {"JPEG", "WEBP", "AVIF"}

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class SheetCell:
    """One picture of a sheet.

    Attributes:
        picture: BGR uint8 `[height, width, 3]`, of any size.
        name: The words below it, on one line.
        description: What follows the name, smaller; wrapped to the picture's width.
    """

    picture: Image
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class _Words:
    """How a picture is labeled: sizes of the name and of its description, in pixels."""

    name: int
    description: int

    def wrap(self, cell: SheetCell, width: int) -> list[str]:
        """The description in lines that are at most `width` pixels wide, words kept whole."""
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
        """Pixels that a name and `lines` lines of description take, with the space around."""
        text = _LEADING * (self.name + lines * self.description)
        return _ABOVE_WORDS + round(text) + _BELOW_WORDS


_LARGE, _SMALL = _Words(36, 24), _Words(24, 18)


def scale_to_fit(picture: Image, box: Size) -> Image:
    """Scale a picture up or down, in proportion, until it touches the box (width, height).

    Returns:
        BGR uint8, at least one pixel wide and high.
    """
    height, width = picture.shape[:2]
    scale = min(box[0] / width, box[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Pillow.fromarray(picture).resize(size, Pillow.Resampling.LANCZOS))


def draw_sheet(original: SheetCell, painted: Sequence[SheetCell]) -> Image:
    """Lay out a sheet of four columns: the original at twice the size, the painted ones around it.

    Args:
        original: The photo, as large as there is.
        painted: The photo in each style, at least one, all in one shape.

    Returns:
        BGR uint8 `[height, width, 3]`.
    """
    first = painted[0].picture
    cell = max(_LEAST_WIDTH, first.shape[1]), first.shape[0]
    lines = max(len(_SMALL.wrap(each, cell[0])) for each in painted)
    step = cell[0] + _GAP, cell[1] + _SMALL.height(lines) + _GAP
    places = _places(len(painted))
    width = 2 * _MARGIN + _COLUMNS * step[0] - _GAP
    rows = max(2, 1 + places[-1][1])  # the original alone takes two
    sheet = Pillow.new("RGB", (width, 2 * _MARGIN + rows * step[1] - _GAP), _BACKGROUND)

    # Two cells and the gap between them; what remains of the words' height is for its own words.
    large = scale_to_fit(original.picture, (step[0] + cell[0], 2 * cell[1] + _GAP))
    _place(sheet, original, large, (0, 0), step[0] + cell[0], _LARGE)
    for each, (column, row) in zip(painted, places, strict=True):
        _place(sheet, each, each.picture, (column * step[0], row * step[1]), cell[0], _SMALL)
    return np.ascontiguousarray(np.asarray(sheet)[..., ::-1])


def check_sheet(path: Path) -> None:
    """Make sure that a sheet can be written; touch nothing.

    Raises:
        UsageError: The suffix means no picture, something is there already, or nothing can be
            written there.
    """
    if path.is_dir():
        raise UsageError(
            f"The sheet {path} is a folder.", f"name a file in it, such as {path / 'sheet.png'}"
        )
    if not _can_write(_format(path)):
        raise UsageError(
            f"A sheet cannot be written to '{path.name}'.",
            "let the name end in .png, .jpg, .webp or .tiff",
        )
    if os.path.lexists(path):
        raise UsageError(f"There is a file {path} already.", "choose another name, or remove it")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}.", "make it, or choose another")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(
            f"Nothing can be written into the folder {path.parent}.", "choose another one"
        )


def write_sheet(sheet: Image, path: Path) -> None:
    """Write a sheet, BGR uint8 `[height, width, 3]`, in the format of the path's suffix.

    Raises:
        SinkError: It cannot be written; what was at `path` stays, and no half file is left.
    """
    kind = _format(path)
    buffer = io.BytesIO()
    quality = {"quality": 92} if kind in _LOSSY else {}
    Pillow.fromarray(np.ascontiguousarray(sheet[..., ::-1])).save(buffer, kind, **quality)
    try:
        with path.open("xb") as file:
            _write_all(file, buffer.getvalue())
    except OSError as exc:
        full = exc.errno == errno.ENOSPC
        reason = "the disk is full" if full else exc.strerror or str(exc)
        raise SinkError(
            f"The sheet {path} cannot be written: {reason}.", "choose another place"
        ) from exc


def _places(count: int) -> list[tuple[int, int]]:
    """(column, row) of each small picture; the upper left four places are the original's."""
    free = (
        (column, row)
        for row in range(count + 2)
        for column in range(_COLUMNS)
        if column >= 2 or row >= 2
    )
    return [place for place, _ in zip(free, range(count), strict=False)]


def _place(
    sheet: Pillow.Image,
    cell: SheetCell,
    picture: Image,
    corner: tuple[int, int],
    width: int,
    words: _Words,
) -> None:
    """Put a picture and its words at `corner`, counted from the margin."""
    left, top = _MARGIN + corner[0], _MARGIN + corner[1]
    sheet.paste(Pillow.fromarray(np.ascontiguousarray(picture[..., ::-1])), (left, top))
    draw = ImageDraw.Draw(sheet)
    y = float(top + picture.shape[0] + _ABOVE_WORDS)
    draw.text((left, y), cell.name, _BRIGHT, ImageFont.load_default(words.name))
    y += _LEADING * words.name
    for line in words.wrap(cell, width):
        draw.text((left, y), line, _MUTED, ImageFont.load_default(words.description))
        y += _LEADING * words.description


def _format(path: Path) -> str:
    """Pillow's name for what the suffix means; empty when it means no picture."""
    return Pillow.registered_extensions().get(path.suffix.lower(), "")


def _can_write(kind: str) -> bool:
    """Whether a color picture in this format comes back whole.

    Tried, as Pillow also lists formats that it only reads, that know no colors, or that shrink
    what they are given, such as icons.
    """
    if kind not in Pillow.SAVE:
        return False
    size = (300, 200)
    buffer = io.BytesIO()
    try:
        Pillow.new("RGB", size).save(buffer, kind)
        return Pillow.open(buffer).size == size
    except (OSError, ValueError):
        return False


def _write_all(file: io.BufferedWriter, data: bytes) -> None:
    """Write and flush; a file that cannot be completed is removed."""
    try:
        file.write(data)
        file.flush()
    except OSError:
        Path(file.name).unlink(missing_ok=True)
        raise
