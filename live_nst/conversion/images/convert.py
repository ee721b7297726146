"""From a picture file to a painted one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from live_nst.conversion.batch.folder import BatchItem
from live_nst.conversion.images.reading import (
    IMAGE_FORMATS,
    IMAGE_SUFFIXES,
    atomic_write,
    check_still_image,
    image_format_for,
    is_animated,
    read_still_image,
    write_still_image,
)
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ConversionPlan, ConversionReport, ProgressReporter
from live_nst.conversion.video.codecs import CONTAINERS
from live_nst.errors import UsageError
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Image, Notify, Size


class StillPainter(Protocol):
    """What paints stills: a `live_nst.Stylizer`, nearly always. Several threads may call it."""

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Image:
        """Paint a picture of its own; `size` bounds what the network sees."""
        ...


def convert_image_file(
    source: Path,
    target: Path,
    painter: StillPainter,
    notify: Notify,
    *,
    size: int | None = None,
    as_it_came: bool = False,
) -> Size:
    """Paint a picture into a file, replacing what is there.

    Args:
        source: The picture's file.
        target: Its suffix tells the format.
        painter: Paints.
        notify: Told what was lost on the way, in sentences.
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
    to = None if as_it_came else image_format_for(target.name)
    check_still_image(source)
    still = read_still_image(source, source.name)
    painted = painter.still(still.image, size=size)
    with atomic_write(target) as file:
        lost = write_still_image(still, painted, file, to or still.format, target.name)
    for sentence in (*still.notices, *lost):
        notify(sentence)
    return still.image.shape[1], still.image.shape[0]


def is_image_conversion(source: Path, target: Path) -> bool:
    """Whether, by the files' names, a picture is to be made and not a video."""
    suffix = target.suffix.lower()
    return suffix in IMAGE_FORMATS or (
        suffix not in CONTAINERS and source.suffix.lower() in IMAGE_SUFFIXES
    )


def check_image_options(target: Path, options: ConvertOptions) -> None:
    """Refuse what a picture does not have, and names of files that no picture is written to.

    Raises:
        LiveNstError: It is not for a picture, or cannot be used.
    """
    image_format_for(target.name)
    given = options
    if given != ConvertOptions(given.changes[:1], restart=given.restart, looks=given.looks[:1]):
        raise UsageError(
            "A picture has no times, frames or codec.",
            "leave out --fade, --start, --end, --every, --codec, --crf, --preset and all @TIMEs",
        )
    given.check()


@dataclass(frozen=True)
class ImageTask:
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
    ) -> "ImageTask":
        """Look at everything that can be known before a model is loaded.

        Raises:
            LiveNstError: It cannot be done.
        """
        check_image_options(output, options)
        options.check_output(output, input)
        check_still_image(input)
        return cls(input, output, options, size)


def convert_image(
    task: ImageTask, stylizer: StylizerCore, listener: ProgressReporter
) -> ConversionReport:
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
    width, height = convert_image_file(
        task.input, task.output, stylizer, listener.notify, size=task.size
    )
    seconds = listener.clock.now() - begin
    plan = ConversionPlan(
        input=task.input,
        output=task.output,
        width=width,
        height=height,
        rate=0.0,
        frames=1,
        resumed=0,
        codec=image_format_for(task.output.name).name,
        model=stylizer.model_name,
        engine=stylizer.engine,
        device=stylizer.device,
        size=min(task.size or max(width, height), max(width, height)),
        styles=stylizer.styles,
        timetable=task.options.timetable(),
        fade=task.options.fade,
    )
    fps = 1 / seconds if seconds > 0 else 0.0
    return ConversionReport(task.output, 1, 0, seconds, fps, task.output.stat().st_size, plan)


class ImageConverter:
    """Converts the pictures of a folder; see `live_nst.conversion.batch.folder.ItemConverter`.

    Args:
        painter: Paints.
        settings: All that shapes what it paints, as a short text.
        notify: Told what was lost on the way, in sentences.
        size: Longest side, in pixels, of what the network sees; None for each picture's own.
    """

    def __init__(
        self, painter: StillPainter, settings: str, notify: Notify, size: int | None = None
    ) -> None:
        self.settings = settings
        self._size = size
        self._painter = painter
        self._notify = notify

    def __call__(self, item: BatchItem) -> bool:
        """Convert one, unless it moves."""
        if is_animated(item.source, item.name):
            return False
        convert_image_file(item.source, item.target, self._painter, self._notify, size=self._size)
        return True
