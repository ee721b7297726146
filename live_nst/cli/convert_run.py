"""Carry out `live-nst convert`: a video, an image, a folder, or standard input and output."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from live_nst.cli.console import DownloadProgressBar
from live_nst.cli.convert_reporters import ConvertReporter
from live_nst.cli.convert_words import FolderProgress
from live_nst.conversion.batch.converters import (
    ImageConverter,
    VideoConverter,
    image_settings,
    video_settings,
)
from live_nst.conversion.batch.discovery import find_items
from live_nst.conversion.batch.folder import ItemConverter, convert_items
from live_nst.conversion.cluster.address import ClusterRequest
from live_nst.conversion.cluster.pictures import SpreadImageConverter
from live_nst.conversion.cluster.spread import SpreadPainter, default_chunk
from live_nst.conversion.cluster.workers import Workers
from live_nst.conversion.images.convert import (
    ImageTask,
    check_image_options,
    convert_image,
    convert_image_file,
    examine_image,
    is_image_conversion,
)
from live_nst.conversion.images.reading import check_still_image, is_still_image
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import CancelEvent, ConversionReport, ProgressReporter
from live_nst.conversion.video import preview
from live_nst.conversion.video.convert import convert_video
from live_nst.conversion.video.task import VideoTask
from live_nst.errors import ConversionError, SinkError, SourceError, UsageError
from live_nst.files.formats import IMAGE_FORMATS, OUTPUT_VIDEO_SUFFIXES, image_format_for
from live_nst.files.names import sibling
from live_nst.files.output import write_errors
from live_nst.runtime.machine import available_cores
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions

STREAM = Path("-")
"""Stands for standard input or output."""

MAX_DEFAULT_JOBS = 4
"""The number of images at once unless the user gives one: each needs memory."""


@dataclass(frozen=True, kw_only=True)
class ConvertRequest:
    """What the user asked for.

    Attributes:
        input: A file, a folder or `STREAM`.
        output: A file, a folder or `STREAM`.
        options: How it is converted.
        stylizer: The options of the stylizer, except for its concurrency.
        jobs: The number of images of a folder at once; None to choose it by the machine.
        preview: Only write a few frames.
        dry_run: Only estimate time and size.
        as_json: Whether JSON is printed to standard output.
        cluster: The workers that paint; None to paint in this process.
    """

    input: Path
    output: Path
    options: ConvertOptions
    stylizer: StylizerOptions
    jobs: int | None = None
    preview: bool = False
    dry_run: bool = False
    as_json: bool = False
    cluster: ClusterRequest | None = None


class ConvertRun:
    """Carries out one request.

    Args:
        request: The request.
        reporter: Shows the progress.
        cancel: Set to stop: what is finished stays.
    """

    def __init__(
        self, request: ConvertRequest, reporter: ConvertReporter, cancel: CancelEvent
    ) -> None:
        self._request, self._reporter = request, reporter
        self._progress = ProgressReporter(reporter.notify, reporter.plan, reporter.progress, cancel)

    def run(self) -> None:
        """Convert.

        Raises:
            LiveNstError: The conversion is not possible, failed or was stopped.
        """
        request = self._request
        is_stream = STREAM in (request.input, request.output)
        is_folder = not is_stream and os.path.isdir(request.input)
        is_image = not is_folder and is_image_conversion(request.input, request.output)
        if request.cluster is not None:
            if is_image:
                raise UsageError(
                    "A single picture is painted on this machine",
                    "leave out --workers and --cluster",
                )
            if request.options.chunk is None:
                chunk = default_chunk(request.output, request.options)
                request = replace(request, options=replace(request.options, chunk=chunk))
                self._request = request
        if request.cluster is not None and (request.preview or request.dry_run):
            raise UsageError(
                "--preview and --dry-run work on this machine only",
                "leave out --workers and --cluster",
            )
        if is_stream or is_folder or is_image:
            if request.preview or (request.dry_run and not is_image):
                raise UsageError(
                    "--preview works for videos only, and --dry-run for one file",
                    "leave the option out",
                )
            if is_stream:
                self._convert_stream()
            elif is_folder:
                self._convert_folder()
            elif request.dry_run:
                self._examine_image()
            else:
                self._convert_image()
        elif request.preview or request.dry_run:
            self._examine_video()
        else:
            report = self._convert_video(request.input, request.output)
            self._reporter.done(report)

    def _convert_video(self, source: Path, target: Path) -> ConversionReport:
        task = VideoTask.open(source, target, self._request.options)
        with self._open_workers() as workers, self._open_stylizer(available_cores()) as stylizer:
            return convert_video(task, stylizer, self._progress, self._painter(workers))

    def _examine_video(self) -> None:
        """Estimate the conversion, or write a few frames; the output is not touched."""
        request = self._request
        task = VideoTask.open(request.input, request.output, request.options)
        with self._open_stylizer(available_cores()) as stylizer:
            if request.preview:
                path = sibling(request.output, suffix=".preview.png", stem=True)
                preview.preview(task, stylizer, path)
                self._reporter.notify(f"A few frames, before and after, are in {path}")
            else:
                self._reporter.estimated(preview.estimate(task, stylizer, self._progress))

    def _convert_image(self) -> None:
        request = self._request
        task = ImageTask.open(request.input, request.output, request.options, request.stylizer.size)
        with self._open_stylizer(concurrency=1) as stylizer:
            convert_image(task, stylizer, self._progress)
        self._reporter.notify(f"The picture is in {request.output}")

    def _examine_image(self) -> None:
        """Say what the picture would be; the output is not touched."""
        request = self._request
        task = ImageTask.open(request.input, request.output, request.options, request.stylizer.size)
        width, height = examine_image(task, self._reporter.notify)
        kind = image_format_for(request.output).name
        self._reporter.notify(
            f"{request.input.name} would become {request.output.name}: {width}x{height}, {kind}"
        )

    def _convert_folder(self) -> None:
        request, options, size = self._request, self._request.options, self._request.stylizer.size
        contents = find_items(request.input, request.output)
        items = contents.items
        if not items:
            for _, error in contents.unreadable:
                raise error
            raise SourceError(
                f"There are no pictures and no videos in {request.input}", "use another folder"
            )
        options.check()
        cores = available_cores()
        jobs = min(request.jobs or min(MAX_DEFAULT_JOBS, cores), len(items))
        concurrency = cores if any(item.is_video for item in items) else min(jobs, cores)
        with self._open_workers() as workers, self._open_stylizer(concurrency) as stylizer:
            for_images = image_settings(stylizer, options, size)
            for_videos = video_settings(stylizer, options)
            images: ItemConverter = ImageConverter(
                stylizer, for_images, self._reporter.notify, size
            )
            if workers is not None and any(not item.is_video for item in items):
                images = SpreadImageConverter(
                    workers,
                    request.stylizer,
                    options,
                    size,
                    stylizer,
                    for_images,
                    self._progress,
                )
                jobs = min(request.jobs or images.jobs, len(items))
            report = convert_items(
                contents,
                request.output,
                images,
                VideoConverter(
                    stylizer, options, for_videos, self._progress, self._painter(workers)
                ),
                jobs=jobs,
                restart=options.restart,
                on_file=lambda report, name: self._reporter.file(
                    FolderProgress(len(report), len(contents), name)
                ),
                check=self._progress.check,
            )
        self._reporter.folder(report)
        if report.failed:
            raise ConversionError(
                f"{len(report.failed)} of {len(contents)} files could not be converted",
                "the others are done; repair these and run the same command again",
            )

    def _convert_stream(self) -> None:
        """Convert with temporary files: videos are read more than once, and encoders seek."""
        request, options = self._request, self._request.options
        to_stdout = request.output == STREAM
        if to_stdout and sys.stdout is None:
            raise SinkError("Standard output is closed", "redirect the output: - > out.jpg")
        if to_stdout and sys.stdout.isatty():
            raise UsageError("A terminal cannot show pictures", "redirect the output: - > out.jpg")
        if to_stdout and request.as_json:
            raise UsageError("--json and the output - both use standard output", "use one of them")
        with tempfile.TemporaryDirectory(prefix="live-nst-") as folder:
            source, target = request.input, request.output
            if source == STREAM:
                source = Path(folder) / "standard input"
                _copy_stdin(source)
            is_image = target.suffix.lower() in IMAGE_FORMATS or (
                target.suffix.lower() not in OUTPUT_VIDEO_SUFFIXES and is_still_image(source)
            )
            if to_stdout:
                target = Path(folder) / ("picture" if is_image else "video.mkv")
            else:
                options.check_output(target, source)
            if is_image:
                if not to_stdout:
                    check_image_options(target, options)
                check_still_image(source)
                with self._open_stylizer(concurrency=1) as stylizer:
                    convert_image_file(
                        source,
                        target,
                        stylizer,
                        self._reporter.notify,
                        size=request.stylizer.size,
                        keep_format=to_stdout,
                    )
            else:
                report = self._convert_video(source, target)
                if not to_stdout:
                    self._reporter.done(report)
            if to_stdout:
                _copy_to_stdout(target)

    @contextmanager
    def _open_workers(self) -> Iterator[Workers | None]:
        """Connect to the workers, or start them; None if there are to be none."""
        cluster = self._request.cluster
        if cluster is None:
            yield None
            return
        from live_nst.conversion.cluster.dask_cluster import DaskWorkers

        if cluster.address is not None:
            workers = DaskWorkers.connect(
                cluster.address, cluster.certificates, self._progress.check
            )
        else:
            number = cluster.workers
            workers = DaskWorkers.start(number, max(1, available_cores() // number))
        with closing(workers):
            if workers.dashboard:
                self._reporter.notify(f"Dask's dashboard is at {workers.dashboard}")
            yield workers

    def _painter(self, workers: Workers | None) -> SpreadPainter | None:
        if workers is None:
            return None
        return SpreadPainter(workers, self._request.stylizer, self._progress)

    def _open_stylizer(self, concurrency: int) -> StylizerCore:
        options = replace(self._request.stylizer, concurrency=concurrency)
        with closing(DownloadProgressBar()) as bar:
            return StylizerCore(options, notify=self._reporter.notify, progress=bar)


def _copy_stdin(path: Path) -> None:
    if sys.stdin is None:
        raise SourceError("Standard input is closed", "send a file to it: - < in.jpg")
    if sys.stdin.isatty():
        raise UsageError("Standard input is a terminal", "send a file to it: - < in.jpg")
    with write_errors(path), path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)


def _copy_to_stdout(path: Path) -> None:
    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise SinkError(f"Standard output cannot be written: {reason}") from exc
