"""`live_nst.convert`: what `live-nst convert` does to a file, as a function."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
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
from live_nst.conversion.video.convert import VideoTask, available_cores, convert_video
from live_nst.errors import SourceError
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look


def convert(
    input: str | Path,
    output: str | Path,
    styles: Sequence[Any] = ("starry",),
    *,
    stylizer: StylizerCore | None = None,
    progress: Callable[[ConversionProgress], None] | None = None,
    cancel: CancelEvent | None = None,
    notify: Callable[[str], None] = lambda sentence: None,
    fade: float = 0.0,
    start: float = 0.0,
    end: float | None = None,
    every: int = 1,
    codec: str | None = None,
    crf: int | None = None,
    preset: str | None = None,
    restart: bool = False,
    looks: Sequence[tuple[Look, float]] = (),
    **stylizer_options: Any,
) -> ConversionReport:
    """Paint a video or a picture, as `live-nst convert` does.

        live_nst.convert("film.mp4", "painted.mp4", styles=["starry", ("wave", 30.0)], fade=2.0)
        live_nst.convert("photo.jpg", "painted.png", styles=["candy"])

    Of a video every frame is painted with its own time, and its sound and all that goes with it is
    copied. A conversion that was interrupted goes on where it stopped when it is called again in
    the same way.

    A picture is painted at its full size unless there is a `size`; it takes none of `fade`,
    `start`, `end`, `every`, `codec`, `crf`, `preset`, `looks` and times of styles. Nobody is told
    of its progress, and `cancel` is looked at before it begins.

    Args:
        input: A video or picture file. The files of a folder are converted one by one.
        output: Ends in .mp4, .mov, .mkv, .webm or .gif, or in what pictures are written to: .png,
            .jpg, .webp, .tif and others.
        styles: Styles as `live_nst.Stylizer` takes them; all but the first with the seconds at
            which they come: (style, seconds), (style, seconds, stroke) or "STYLE@1:30".
        stylizer: Paints; one is made if there is none, and closed at the end.
        progress: Called with a `Progress` about ten times a second, in this thread.
        cancel: A `threading.Event`, or the like, that stops the work when it is set.
        notify: Called with one sentence for everything worth telling.
        fade: Seconds that a change takes.
        start: Leave out what comes before, in seconds of the input.
        end: Leave out what comes from here on.
        every: Keep one frame in so many.
        codec: The encoder; None for the container's own.
        crf: Constant quality of the codec, lower is better.
        preset: The codec's name for its speed.
        restart: Throw away what an earlier run left, and replace an output that is there.
        looks: Looks that come later, each with its seconds: (live_nst.Look(strength=0.5), 30.0).
        stylizer_options: What else `live_nst.Stylizer` takes: model, size, device, look, ...

    Returns:
        What became of it.

    Raises:
        ConversionCancelled: `cancel` was set; what is finished is kept.
        LiveNstError: It cannot be done, or failed; what is finished is kept.
    """
    changes = parse_style_changes(styles)
    own = stylizer_options.get("look") or Look() if stylizer is None else stylizer.look
    coming = parse_look_changes(own, looks)
    options = ConvertOptions(changes, fade, start, end, every, codec, crf, preset, restart, coming)
    listener = ProgressReporter(
        notify=notify, progress=progress or (lambda step: None), cancel=cancel
    )
    source, target = Path(input), Path(output)
    if source.is_dir():
        raise SourceError(
            f"{source} is a folder.", "convert its files one by one, or run `live-nst convert`"
        )
    task: ImageTask | VideoTask
    if is_image_conversion(source, target):
        task = ImageTask.open(source, target, options, stylizer_options.get("size"))
    else:
        task = VideoTask.open(source, target, options)
    with ExitStack() as stack:
        if stylizer is None:
            names = [change.style for change in changes]
            stylizer_options = {
                "concurrency": available_cores(),
                "stabilize": "fast",
                **stylizer_options,
            }
            stylizer = stack.enter_context(
                StylizerCore(styles=names, notify=notify, **stylizer_options)
            )
        if isinstance(task, ImageTask):
            return convert_image(task, stylizer, listener)
        return convert_video(task, stylizer, listener)
