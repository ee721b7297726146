"""From a picture file to a painted one."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from live_nst.conversion.folders import Item
from live_nst.conversion.pictures import (
    check_still,
    format_of,
    is_moving,
    read_still,
    save_still,
    whole_file,
)
from live_nst.frames import Image

Say = Callable[[str], None]


class Painter(Protocol):
    """What paints stills: a `live_nst.Stylizer`, nearly always. Several threads may call it."""

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Image:
        """Paint a picture of its own; `size` bounds what the network sees."""
        ...


def convert_still(
    source: Path,
    target: Path,
    painter: Painter,
    say: Say,
    *,
    size: int | None = None,
    as_it_came: bool = False,
) -> None:
    """Paint a picture into a file, replacing what is there.

    Args:
        source: The picture's file.
        target: Its suffix tells the format.
        painter: Paints.
        say: Told what was lost on the way, in sentences.
        size: Longest side, in pixels, of what the network sees; None for the picture's own.
        as_it_came: Write in the format of `source` instead, or in PNG if that is not written.

    Raises:
        SourceError: It cannot be read.
        UsageError: The target's suffix names no format for stills, or the picture moves.
        ModelError: The model cannot paint a picture of that size.
        SinkError: It cannot be written.
    """
    to = None if as_it_came else format_of(target.name)
    check_still(source)
    still = read_still(source, source.name)
    painted = painter.still(still.image, size=size)
    with whole_file(target) as file:
        lost = save_still(still, painted, file, to or still.format, target.name)
    for sentence in (*still.notices, *lost):
        say(sentence)


class PictureConverter:
    """Converts the pictures of a folder; see `live_nst.conversion.folders.Converter`.

    Args:
        painter: Paints.
        settings: All that shapes what it paints, as a short text.
        say: Told what was lost on the way, in sentences.
        size: Longest side, in pixels, of what the network sees; None for each picture's own.
    """

    def __init__(self, painter: Painter, settings: str, say: Say, size: int | None = None) -> None:
        self.settings = settings
        self._size = size
        self._painter = painter
        self._say = say

    def __call__(self, item: Item) -> bool:
        """Convert one, unless it moves."""
        if is_moving(item.source, item.name):
            return False
        convert_still(item.source, item.target, self._painter, self._say, size=self._size)
        return True
