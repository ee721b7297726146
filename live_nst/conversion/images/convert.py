"""Convert a still image, from file to file."""

from dataclasses import dataclass
from pathlib import Path

from live_nst.conversion.images.reading import (
    check_still_image,
    is_animated,
    read_still_image,
)
from live_nst.conversion.images.writing import plan_writing, write_still_image
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ConversionPlan, ConversionReport, ProgressReporter
from live_nst.errors import SourceError, UsageError
from live_nst.files.atomic import atomic_write
from live_nst.files.formats import (
    IMAGE_FORMATS,
    IMAGE_SUFFIXES,
    OUTPUT_VIDEO_SUFFIXES,
    VIDEO_SUFFIXES,
    image_format_for,
)
from live_nst.files.output import write_errors
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Notify, Size


def convert_image_file(
    source: Path,
    target: Path,
    stylizer: StylizerCore,
    notify: Notify,
    *,
    size: int | None = None,
    keep_format: bool = False,
) -> Size:
    """Stylize an image file, and replace the target.

    Args:
        source: The image file.
        target: The output file.
        stylizer: The stylizer; its `still` may be called from several threads.
        notify: Called with sentences about what was lost.
        size: Longer side of the image that the network sees, in pixels; None for the image's own.
        keep_format: Write in the format of `source`, or in PNG if that is not written; otherwise
            the suffix of `target` names the format.

    Returns:
        (width, height) of the upright image in pixels.

    Raises:
        SourceError: The source cannot be read.
        UsageError: The target's suffix is invalid, or the image is animated.
        ModelError: The model cannot run at that size.
        SinkError: The target cannot be written.
    """
    chosen = None if keep_format else image_format_for(target)
    check_still_image(source)
    original = read_still_image(source, source.name)
    image_format = chosen or original.format
    plan = plan_writing(original, image_format, target.name)
    for sentence in (*original.notices, *plan.notices):
        notify(sentence)
    stylized = stylizer.still(original.image, size=size)
    with write_errors(target), atomic_write(target) as file:
        write_still_image(original, stylized, file, image_format, target.name, plan)
    height, width = original.image.shape[:2]
    return width, height


def is_image_conversion(source: Path, target: Path) -> bool:
    """Return whether an image is to be written and not a video, according to the suffixes.

    A WebP is either: an animation if the source is a video or an animation.
    """
    suffix = target.suffix.lower()
    if suffix == ".webp" and _is_moving(source):
        return False
    return suffix in IMAGE_FORMATS or (
        suffix not in OUTPUT_VIDEO_SUFFIXES and source.suffix.lower() in IMAGE_SUFFIXES
    )


def _is_moving(source: Path) -> bool:
    """Return whether a file is an animated picture or, by its suffix, a video."""
    try:
        return is_animated(source, source.name)
    except SourceError:
        return source.suffix.lower() in VIDEO_SUFFIXES


def check_image_options(target: Path, options: ConvertOptions) -> None:
    """Raise if options are invalid for an image, or if no image is written to such a file.

    Raises:
        LiveNstError: They are.
    """
    image_format_for(target)
    allowed = ConvertOptions(options.changes[:1], restart=options.restart, looks=options.looks[:1])
    if options != allowed:
        raise UsageError(
            "A picture has no times, frames or codec",
            "leave out --fade, --start, --end, --every, --codec, --crf, --preset, --audio, --chunk "
            "and all @TIMEs",
        )
    options.check()


@dataclass(frozen=True)
class ImageTask:
    """An image to convert, checked as far as that is possible without a model.

    Attributes:
        input: The input file.
        output: The output file.
        options: How it is converted.
        size: Longer side of the image that the network sees, in pixels; None for the image's own.
    """

    input: Path
    output: Path
    options: ConvertOptions
    size: int | None = None

    @classmethod
    def open(
        cls, input: Path, output: Path, options: ConvertOptions, size: int | None
    ) -> "ImageTask":
        """Check everything that can be checked before a model is loaded.

        Raises:
            LiveNstError: The conversion is not possible.
        """
        check_image_options(output, options)
        options.check_output(output, input)
        check_still_image(input)
        return cls(input, output, options, size)


def examine_image(task: ImageTask, notify: Notify) -> Size:
    """Read an image and find out what its output would lack, without stylizing it.

    Args:
        task: The image.
        notify: Called with sentences about what would be lost.

    Returns:
        (width, height) of the upright image in pixels.

    Raises:
        LiveNstError: The conversion is not possible.
    """
    original = read_still_image(task.input, task.input.name)
    plan = plan_writing(original, image_format_for(task.output), task.output.name)
    for sentence in (*original.notices, *plan.notices):
        notify(sentence)
    height, width = original.image.shape[:2]
    return width, height


def convert_image(
    task: ImageTask, stylizer: StylizerCore, reporter: ProgressReporter
) -> ConversionReport:
    """Convert an image.

    Args:
        task: The image.
        stylizer: The stylizer. Its style and look are set to those of the task.
        reporter: Receives sentences about what was lost; may cancel before the work begins.

    Returns:
        The report of a video of one frame.

    Raises:
        ConversionCancelled: The reporter's `cancel` was set.
        LiveNstError: The conversion failed; nothing is written.
    """
    reporter.check()
    task.options.apply(stylizer)
    begin = reporter.clock.now()
    width, height = convert_image_file(
        task.input, task.output, stylizer, reporter.notify, size=task.size
    )
    seconds = reporter.clock.now() - begin
    plan = ConversionPlan(
        input=task.input,
        output=task.output,
        width=width,
        height=height,
        rate=0.0,
        frames=1,
        resumed=0,
        codec=image_format_for(task.output).name,
        model=stylizer.model_name,
        engine=stylizer.engine,
        device=stylizer.device,
        size=min(task.size or max(width, height), max(width, height)),
        styles=stylizer.styles,
        timetable=task.options.timetable(),
        fade=task.options.fade,
    )
    fps = 1 / seconds if seconds > 0 else 0.0
    size = task.output.stat().st_size
    return ConversionReport(task.output, 1, 0, seconds, fps, size, plan)
