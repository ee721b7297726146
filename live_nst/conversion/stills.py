"""From a picture file to a painted one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from live_nst.conversion.codecs import CONTAINERS
from live_nst.conversion.disk import check_place
from live_nst.conversion.folders import Item
from live_nst.conversion.listener import Listener
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.pictures import (
    FORMATS,
    PICTURE_SUFFIXES,
    check_still,
    format_of,
    is_moving,
    read_still,
    save_still,
    whole_file,
)
from live_nst.conversion.progress import ConvertReport, Plan
from live_nst.engines.base import Size
from live_nst.errors import UsageError
from live_nst.frames import Image
from live_nst.stylizer import Stylizer

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
) -> Size:
    """Paint a picture into a file, replacing what is there.

    Args:
        source: The picture's file.
        target: Its suffix tells the format.
        painter: Paints.
        say: Told what was lost on the way, in sentences.
        size: Longest side, in pixels, of what the network sees; None for the picture's own.
        as_it_came: Write in the format of `source` instead, or in PNG if that is not written.

    Returns:
        (width, height) of the picture, upright.

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
    return still.image.shape[1], still.image.shape[0]


def is_for_still(source: Path, target: Path) -> bool:
    """Whether, by the files' names, a picture is to be made and not a video."""
    suffix = target.suffix.lower()
    return suffix in FORMATS or (
        suffix not in CONTAINERS and source.suffix.lower() in PICTURE_SUFFIXES
    )


def check_still_options(target: Path, options: ConvertOptions) -> None:
    """Refuse what a picture does not have, and names of files that no picture is written to.

    Raises:
        LiveNstError: It is not for a picture, or cannot be used.
    """
    format_of(target.name)
    given = options
    if given != ConvertOptions(given.changes[:1], restart=given.restart, looks=given.looks[:1]):
        raise UsageError(
            "A picture has no times, frames or codec.",
            "leave out --fade, --start, --end, --every, --codec, --crf, --preset and all @TIMEs",
        )
    given.check()


@dataclass(frozen=True)
class PictureTask:
    """A picture to be converted, looked at and found possible.

    Attributes:
        input: What is read.
        output: What is written.
        options: How.
        size: Longest side, in pixels, of what the network sees; None for the picture's own.
    """

    input: Path
    output: Path
    options: ConvertOptions
    size: int | None = None

    @classmethod
    def open(
        cls, input: Path, output: Path, options: ConvertOptions, size: int | None
    ) -> "PictureTask":
        """Look at everything that can be known before a model is loaded.

        Raises:
            LiveNstError: It cannot be done.
        """
        check_still_options(output, options)
        check_place(output, input, options.restart)
        check_still(input)
        return cls(input, output, options, size)


def convert_picture(task: PictureTask, stylizer: Stylizer, listener: Listener) -> ConvertReport:
    """Convert a picture.

    Args:
        task: What is to be done.
        stylizer: Paints; its style and look are set to the task's.
        listener: Is told what was lost on the way, and may stop it before it begins.

    Returns:
        What became of it, as for a video of one frame.

    Raises:
        ConversionCancelled: It was told to stop.
        LiveNstError: Something failed; nothing is written.
    """
    listener.check()
    task.options.apply(stylizer)
    begin = listener.clock.now()
    width, height = convert_still(task.input, task.output, stylizer, listener.say, size=task.size)
    seconds = listener.clock.now() - begin
    plan = Plan(
        input=task.input,
        output=task.output,
        width=width,
        height=height,
        rate=0.0,
        frames=1,
        resumed=0,
        codec=format_of(task.output.name).name,
        model=stylizer.model_name,
        engine=stylizer.engine,
        device=stylizer.device,
        size=min(task.size or max(width, height), max(width, height)),
        styles=stylizer.styles,
        timetable=task.options.timetable(),
        fade=task.options.fade,
    )
    fps = 1 / seconds if seconds > 0 else 0.0
    return ConvertReport(task.output, 1, 0, seconds, fps, task.output.stat().st_size, plan)


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
