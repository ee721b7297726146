"""`live-nst convert INPUT OUTPUT`: a whole file, every frame of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_nst.cli.console import DownloadProgressBar
from live_nst.cli.convert_reporters import ConvertReporter, make_reporter
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ProgressReporter
from live_nst.conversion.timetable import (
    LookChange,
    StyleChange,
    build_look_changes,
    parse_number,
    parse_style_changes,
    parse_time,
    parse_timed_values,
    with_strokes,
)
from live_nst.conversion.video.convert import VideoTask, available_cores, convert_video
from live_nst.errors import LiveNstError, UsageError
from live_nst.runtime.signals import handle_stop_signals
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import EVERYWHERE, Look


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line.

    Attributes:
        input: What is read.
        output: What is written.
        options: How a video is converted.
        stylizer: What `live_nst.Stylizer` is told.
        jobs: How many pictures of a folder at once; None for what suits the machine.
        as_json: Whether standard output is for JSON.
    """

    input: Path
    output: Path
    options: ConvertOptions
    stylizer: dict[str, Any]
    jobs: int | None = None
    as_json: bool = False

    @property
    def size(self) -> int | None:
        """Long side of what the network sees, if one was asked for."""
        size: int | None = self.stylizer["size"]
        return size

    def make_stylizer(self, told: ConvertReporter, concurrency: int) -> StylizerCore:
        """Load the model and the styles, saying which.

        Args:
            told: Is told.
            concurrency: How many frames are painted at once.
        """
        bar = DownloadProgressBar()
        try:
            options = self.options
            return StylizerCore(
                styles=[change.style for change in options.changes],
                stroke=options.changes[0].stroke or 1.0,
                look=options.looks[0].look,
                notify=told.notify,
                progress=bar,
                concurrency=concurrency,
                **self.stylizer,
            )
        finally:
            bar.close()


def run(
    *,
    input: str,
    output: str,
    styles: tuple[str, ...],
    stroke: tuple[str, ...],
    strength: tuple[str, ...],
    blend: str,
    keep_colors: tuple[str, ...],
    detail: tuple[str, ...],
    only: tuple[str, ...],
    fade: str,
    start: str,
    end: str | None,
    every: int,
    codec: str | None,
    crf: int | None,
    preset: str | None,
    restart: bool,
    jobs: int | None,
    preview: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    **stylizer: Any,
) -> None:
    """Convert what was asked for, and tell how it goes.

    Raises:
        LiveNstError: It cannot be done, failed, or was stopped; what is finished is kept.
    """
    from live_nst.cli import convert_files

    told = make_reporter(as_json=as_json, quiet=quiet)
    try:
        options = ConvertOptions(
            changes=_styles(styles, stroke),
            looks=_looks(blend, strength, keep_colors, detail, only),
            fade=parse_time(fade),
            start=parse_time(start),
            end=None if end is None else parse_time(end),
            every=every,
            codec=codec,
            crf=crf,
            preset=preset,
            restart=restart,
        )
        if preview and dry_run:
            raise UsageError("A preview and a dry run are two things.", "ask for one at a time")
        with handle_stop_signals() as stop:
            request = Request(Path(input), Path(output), options, stylizer, jobs, as_json)
            listener = ProgressReporter(told.notify, told.plan, told.progress, stop)
            if convert_files.is_for_files(request):
                if preview or dry_run:
                    raise UsageError(
                        "A preview or a dry run is of a video.", "leave the option out for pictures"
                    )
                convert_files.run_files(request, listener, told)
            elif preview or dry_run:
                _look_at_video(request, listener, told, preview=preview)
            else:
                _convert_video(request, listener, told)
    except LiveNstError as exc:
        told.failed(exc)
        raise


def _styles(styles: tuple[str, ...], stroke: tuple[str, ...]) -> tuple[StyleChange, ...]:
    """The styles and their strokes, over time."""
    strokes = parse_timed_values("--stroke", stroke, 1.0, parse_number("--stroke"))
    return with_strokes(parse_style_changes(styles), strokes)


def _looks(
    blend: str,
    strength: tuple[str, ...],
    keep_colors: tuple[str, ...],
    detail: tuple[str, ...],
    only: tuple[str, ...],
) -> tuple[LookChange, ...]:
    """The looks, over time."""
    given = {
        "strength": (strength, 1.0),
        "keep-colors": (keep_colors, 0.0),
        "detail": (detail, 0.0),
    }
    tracks: dict[str, Any] = {
        name.replace("-", "_"): parse_timed_values(
            f"--{name}", texts, first, parse_number(f"--{name}")
        )
        for name, (texts, first) in given.items()
    }
    tracks["only"] = parse_timed_values("--only", only, EVERYWHERE, str)
    return build_look_changes(Look(blend=blend), tracks)


def _convert_video(request: Request, listener: ProgressReporter, told: ConvertReporter) -> None:
    task = VideoTask.open(request.input, request.output, request.options)
    with request.make_stylizer(told, available_cores()) as stylizer:
        told.done(convert_video(task, stylizer, listener))


def _look_at_video(
    request: Request, listener: ProgressReporter, told: ConvertReporter, *, preview: bool
) -> None:
    """Tell what would be done, or show a few frames of it; the output is not touched."""
    from live_nst.conversion.video import preview as looking

    task = VideoTask.open(request.input, request.output, request.options)
    with request.make_stylizer(told, available_cores()) as stylizer:
        if preview:
            output = request.output
            path = output.with_name(f"{output.stem}.preview.png")
            told.notify(
                f"A few frames, before and after, are in {looking.preview(task, stylizer, path)}"
            )
        else:
            told.estimated(looking.estimate(task, stylizer, listener))
