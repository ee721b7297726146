"""From a picture file to a painted one."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from live_nst.conversion.folders import Item
from live_nst.conversion.pictures import (
    Still,
    check_still,
    format_of,
    is_moving,
    read_still,
    save_still,
    whole_file,
)
from live_nst.engines.base import Painted
from live_nst.frames import Image

Say = Callable[[str], None]


class Painter(Protocol):
    """What paints a still: a `live_nst.Stylizer`, nearly always."""

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Painted:
        """Run the network on a picture of its own; may be called from several threads."""
        ...

    def finish(self, image: Image, painted: Painted, time: float = 0.0) -> Image:
        """Bring the painted picture to the size of `image`; from one thread at a time."""
        ...


class StillPainter:
    """Paints pictures, several at once if need be.

    Args:
        painter: Runs the network and what follows it.
        size: Longest side, in pixels, of what the network sees; None for the picture's own.
    """

    def __init__(self, painter: Painter, size: int | None = None) -> None:
        self._painter = painter
        self._size = size
        self._finishing = threading.Lock()

    def __call__(self, still: Still) -> Image:
        """Paint one picture; BGR uint8 of its shape."""
        painted = self._painter.still(still.image, size=self._size)
        with self._finishing:
            return self._painter.finish(still.image, painted)


def convert_still(
    source: Path, target: Path, painter: StillPainter, say: Say, *, as_it_came: bool = False
) -> None:
    """Paint a picture into a file, replacing what is there.

    Args:
        source: The picture's file.
        target: Its suffix tells the format.
        painter: Paints.
        say: Told what was lost on the way, in sentences.
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
    painted = painter(still)
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
    """

    def __init__(self, painter: StillPainter, settings: str, say: Say) -> None:
        self.settings = settings
        self._painter = painter
        self._say = say

    def __call__(self, item: Item) -> bool:
        """Convert one, unless it moves."""
        if is_moving(item.source, item.name):
            return False
        convert_still(item.source, item.target, self._painter, self._say)
        return True
