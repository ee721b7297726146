"""`live-nst convert` of pictures and folders, and by way of standard input and output."""

import shutil
import sys
import tempfile
from pathlib import Path

from live_nst import __version__
from live_nst.cli.convert import Request
from live_nst.cli.convert_reporters import ConvertReporter, FolderProgress
from live_nst.conversion.batch.converters import VideoConverter
from live_nst.conversion.batch.folder import convert_items, find_items
from live_nst.conversion.batch.manifest import settings_fingerprint
from live_nst.conversion.images.convert import (
    ImageConverter,
    ImageTask,
    check_image_options,
    convert_image,
    convert_image_file,
    is_image_conversion,
)
from live_nst.conversion.images.reading import (
    IMAGE_FORMATS,
    check_still_image,
    is_still_image,
)
from live_nst.conversion.progress import ProgressReporter
from live_nst.conversion.video.convert import VideoTask, available_cores, convert_video
from live_nst.errors import ConversionError, SinkError, SourceError, UsageError
from live_nst.files.output import write_errors
from live_nst.stylizer.core import StylizerCore

STREAM = "-"
"""Standard input or output, in the place of a file."""

MOST_JOBS = 4
"""Pictures at once, if nobody says how many: each takes its memory."""


def is_for_files(request: Request) -> bool:
    """Whether what is asked for is not the conversion of one video into another."""
    if STREAM in (str(request.input), str(request.output)) or request.input.is_dir():
        return True
    return is_image_conversion(request.input, request.output)


def run_files(request: Request, listener: ProgressReporter, told: ConvertReporter) -> None:
    """Convert it.

    Raises:
        LiveNstError: It cannot be done; of a folder's files, some cannot be.
    """
    if STREAM in (str(request.input), str(request.output)):
        _convert_stream(request, listener, told)
    elif request.input.is_dir():
        _convert_folder(request, listener, told)
    else:
        task = ImageTask.open(request.input, request.output, request.options, request.size)
        with request.make_stylizer(told, concurrency=1) as stylizer:
            convert_image(task, stylizer, listener)
        told.notify(f"The picture is in {request.output}")


def _convert_folder(request: Request, listener: ProgressReporter, told: ConvertReporter) -> None:
    items = find_items(request.input, request.output)
    if not items:
        raise SourceError(f"There are no pictures and no videos in {request.input}.")
    request.options.check()
    jobs = min(request.jobs or min(MOST_JOBS, available_cores()), len(items))
    concurrency = (
        available_cores() if any(item.moves for item in items) else min(jobs, available_cores())
    )
    with request.make_stylizer(told, concurrency) as stylizer:
        pictures = _picture_settings(request, stylizer)
        report = convert_items(
            items,
            request.output,
            ImageConverter(stylizer, pictures, told.notify, request.size),
            VideoConverter(stylizer, request.options, _video_settings(request, stylizer), listener),
            jobs=jobs,
            restart=request.options.restart,
            on_file=lambda report, name: told.file(FolderProgress(len(report), len(items), name)),
            check=listener.check,
        )
    told.folder(report)
    if report.failed:
        raise ConversionError(
            f"{len(report.failed)} of {len(items)} files could not be converted",
            "the others are done; mend these and run the same command again",
        )


def _picture_settings(request: Request, stylizer: StylizerCore) -> str:
    """All that shapes a still."""
    first = request.options.changes[0].style
    settings: dict[str, object] = {**stylizer.settings([first]), "program": __version__}
    settings["size"] = "full" if request.size is None else request.size
    settings.pop("stabilizer")  # it is for streams
    return settings_fingerprint(settings)


def _video_settings(request: Request, stylizer: StylizerCore) -> str:
    """All that shapes a video."""
    options = request.options
    encoder = {"codec": options.codec, "crf": options.crf, "preset": options.preset}
    styles = stylizer.settings([change.style for change in options.changes])
    return settings_fingerprint({**styles, **options.as_dict(), **encoder, "program": __version__})


def _convert_stream(request: Request, listener: ProgressReporter, told: ConvertReporter) -> None:
    """Convert by way of files: a video is looked at more than once, and an encoder goes back."""
    to_stdout = str(request.output) == STREAM
    if to_stdout and sys.stdout.isatty():
        raise UsageError("A terminal shows no pictures.", "send the output somewhere: - > out.jpg")
    if to_stdout and request.as_json:
        raise UsageError("Both --json and the output - are for standard output.", "use one of them")
    with tempfile.TemporaryDirectory(prefix="live-nst-") as folder:
        source = request.input
        if str(source) == STREAM:
            source = Path(folder) / "standard input"
            _spool(source)
        target = request.output
        still = is_still_image(source) or target.suffix.lower() in IMAGE_FORMATS
        if to_stdout:
            target = Path(folder) / ("picture" if still else "video.mkv")
        else:
            request.options.check_output(target, source)
        if still:
            if not to_stdout:
                check_image_options(target, request.options)
            check_still_image(source)
            with request.make_stylizer(told, concurrency=1) as stylizer:
                convert_image_file(
                    source, target, stylizer, told.notify, size=request.size, as_it_came=to_stdout
                )
        else:
            task = VideoTask.open(source, target, request.options)
            with request.make_stylizer(told, available_cores()) as stylizer:
                report = convert_video(task, stylizer, listener)
            if not to_stdout:
                told.done(report)
        if to_stdout:
            _pour(target)


def _spool(path: Path) -> None:
    """Standard input, in a file."""
    if sys.stdin.isatty():
        raise UsageError("Nothing comes from standard input.", "send a file into it: - < in.jpg")
    with write_errors(path), path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)


def _pour(path: Path) -> None:
    """A file, to standard output."""
    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise SinkError(f"Standard output cannot be written: {reason}") from exc
