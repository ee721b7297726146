"""The function `live_nst.convert`."""

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from live_nst.conversion.images.convert import ImageTask, convert_image, is_image_conversion
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import (
    CancelEvent,
    ConversionProgress,
    ConversionReport,
    ProgressReporter,
)
from live_nst.conversion.timetable import parse_look_changes, parse_style_changes
from live_nst.conversion.video.convert import convert_video
from live_nst.conversion.video.task import VideoTask
from live_nst.errors import SourceError, UsageError
from live_nst.runtime.machine import available_cores
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.stylizer import Stylizer, core_of
from live_nst.types import Notify


def convert(
    input: str | Path,
    output: str | Path,
    styles: Sequence[Any] = ("starry",),
    *,
    stylizer: Stylizer | StylizerCore | None = None,
    progress: Callable[[ConversionProgress], None] | None = None,
    cancel: CancelEvent | None = None,
    notify: Notify = lambda sentence: None,
    fade: float = 0.0,
    start: float = 0.0,
    end: float | None = None,
    every: int = 1,
    codec: str | None = None,
    crf: int | None = None,
    preset: str | None = None,
    audio: str = "copy",
    restart: bool = False,
    looks: Sequence[tuple[Look, float]] = (),
    chunk: int | None = None,
    look: Look | None = None,
    model: str = "auto",
    size: int | None = None,
    device: str = "auto",
    engine: str = "auto",
    precision: str = "auto",
    concurrency: int | None = None,
    stabilize: str = "fast",
    stroke: float = 1.0,
    content_style_seconds: float = 0.0,
) -> ConversionReport:
    """Convert a video or an image, as `live-nst convert` does.

        live_nst.convert("film.mp4", "painted.mp4", styles=["starry", ("wave", 30.0)], fade=2.0)
        live_nst.convert("photo.jpg", "painted.png", styles=["candy"])

    Every frame of a video is stylized and keeps its time; sound, subtitles and chapters are copied.
    An interrupted conversion continues where it stopped when it is called again with the same
    arguments.

    An image is stylized at its full size unless `size` is given. It takes none of `fade`, `start`,
    `end`, `every`, `codec`, `crf`, `preset`, `audio`, `looks` and times of styles. Its progress is
    not reported, and `cancel` is checked only before it begins.

    Args:
        input: A video or image file. Call the function once for each file of a folder.
        output: A file that ends in .mp4, .mov, .mkv, .webm or .gif, or in .png, .jpg, .webp, .tif,
            .bmp or .avif.
        styles: Styles as `live_nst.Stylizer` takes them; all but the first with the seconds at
            which they begin: (style, seconds), (style, seconds, stroke) or "STYLE@1:30".
        stylizer: The stylizer; None to create one, and close it at the end.
        progress: Called with the progress about ten times a second, from this thread.
        cancel: A `threading.Event` that stops the conversion when it is set.
        notify: Called with a sentence for everything that the user should know.
        fade: Seconds that a change of style or look takes.
        start: Frames before this are left out, in seconds into the input.
        end: Frames from here on are left out.
        every: Keep one frame in so many.
        codec: The encoder; None for the container's default.
        crf: Constant quality on the codec's own scale, lower is better.
        preset: The codec's name of a speed.
        audio: "copy" to copy sound, but encode what the container does not take; "encode" to encode
            all of it; "none" to leave it out.
        restart: Discard what an earlier run left, and replace an existing output.
        chunk: Paint a video in chunks of so many frames, each by itself after 32 frames of warm-up;
            None to paint it in one go. `content_style_seconds` must be 0 for chunks.
        looks: Looks that begin later, with their seconds: (live_nst.Look(strength=0.5), 30.0).
        look: The look at the start; the stylizer's own if a stylizer is given. This and all that
            follow are options of the stylizer that is created; see `live_nst.Stylizer`.
        model: The model.
        size: Longer side, in pixels, of the image that the network sees.
        device: "auto", "cpu", "gpu", "gpu:1" (the second one) or "npu".
        engine: "auto", "tensorflow" or "openvino".
        precision: "auto", "float32", "bfloat16" or "float16".
        concurrency: How many frames the network may compute at the same time; None for one per
            processor core.
        stabilize: "off", "fast" or "best".
        stroke: Size of the brush strokes.
        content_style_seconds: How long the content style of one frame is used.

    Returns:
        The result.

    Raises:
        ConversionCancelled: `cancel` was set; what is finished is kept.
        LiveNstError: The conversion is not possible, or failed; what is finished is kept.
    """
    changes = parse_style_changes(styles)
    first_look = (look or Look()) if stylizer is None else stylizer.look
    options = ConvertOptions(
        changes=changes,
        fade=fade,
        start=start,
        end=end,
        every=every,
        codec=codec,
        crf=crf,
        preset=preset,
        audio=audio,
        restart=restart,
        looks=parse_look_changes(first_look, looks),
        chunk=chunk,
    )
    if chunk is not None and content_style_seconds:
        raise UsageError("content_style_seconds and chunk exclude each other", "use one of them")
    reporter = ProgressReporter(
        notify=notify, progress=progress or (lambda step: None), cancel=cancel
    )
    source, target = Path(input), Path(output)
    if os.path.isdir(source):
        raise SourceError(
            f"{source} is a folder", "convert its files one by one, or run `live-nst convert`"
        )
    task: ImageTask | VideoTask
    if is_image_conversion(source, target):
        task = ImageTask.open(source, target, options, size)
    else:
        task = VideoTask.open(source, target, options)

    def create_stylizer() -> StylizerCore:
        stylizer_options = StylizerOptions(
            model=model,
            styles=tuple(change.style for change in changes),
            size=size,
            device=device,
            engine=engine,
            precision=precision,
            concurrency=concurrency or available_cores(),
            stabilize=stabilize,
            look=first_look,
            stroke=stroke,
            content_style_seconds=content_style_seconds,
        )
        return StylizerCore(stylizer_options, notify=notify)

    context = create_stylizer() if stylizer is None else nullcontext(core_of(stylizer))
    with context as core:
        if isinstance(task, ImageTask):
            return convert_image(task, core, reporter)
        return convert_video(task, core, reporter)
