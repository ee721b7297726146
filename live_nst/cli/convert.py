"""`live-nst convert INPUT OUTPUT`: a whole file, every frame of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_nst.cli.messages import DownloadBar
from live_nst.cli.reporting import Reporter, reporter
from live_nst.cli.stopping import stop_on_signals
from live_nst.conversion.convert import VideoTask, convert_video, cores
from live_nst.conversion.listener import Listener
from live_nst.conversion.options import ConvertOptions, parse_changes, parse_time
from live_nst.errors import LiveNstError, UsageError
from live_nst.stylizer import Stylizer


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

    def make_stylizer(self, told: Reporter, concurrency: int) -> Stylizer:
        """Load the model and the styles, saying which.

        Args:
            told: Is told.
            concurrency: How many frames are painted at once.
        """
        bar = DownloadBar()
        try:
            styles = [change.style for change in self.options.changes]
            return Stylizer(
                styles=styles, say=told.say, progress=bar, concurrency=concurrency, **self.stylizer
            )
        finally:
            bar.close()


def run(
    *,
    input: str,
    output: str,
    styles: tuple[str, ...],
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

    told = reporter(as_json=as_json, quiet=quiet)
    try:
        options = ConvertOptions(
            changes=parse_changes(styles),
            fade=parse_time(fade),
            start=parse_time(start),
            end=None if end is None else parse_time(end),
            every=every,
            codec=codec,
            crf=crf,
            preset=preset,
            restart=restart,
        )
        with stop_on_signals() as stop:
            request = Request(Path(input), Path(output), options, stylizer, jobs, as_json)
            listener = Listener(told.say, told.plan, told.progress, stop)
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


def _convert_video(request: Request, listener: Listener, told: Reporter) -> None:
    task = VideoTask.open(request.input, request.output, request.options)
    with request.make_stylizer(told, cores()) as stylizer:
        told.done(convert_video(task, stylizer, listener))


def _look_at_video(request: Request, listener: Listener, told: Reporter, *, preview: bool) -> None:
    """Tell what would be done, or show a few frames of it; the output is not touched."""
    from live_nst.conversion import looking

    task = VideoTask.open(request.input, request.output, request.options)
    with request.make_stylizer(told, cores()) as stylizer:
        if preview:
            output = request.output
            path = output.with_name(f"{output.stem}.preview.png")
            told.say(
                f"A few frames, before and after, are in {looking.preview(task, stylizer, path)}"
            )
        else:
            told.estimated(looking.estimate(task, stylizer, listener))
