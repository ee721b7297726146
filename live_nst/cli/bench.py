"""`live-nst bench`: measure how fast this machine is, and recommend options."""

import json
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from live_nst.cli.console import DownloadProgressBar, count, notify, show_result
from live_nst.cli.options import (
    CameraSizeOption,
    DeviceOption,
    JsonOption,
    ModelOption,
)

if TYPE_CHECKING:
    from live_nst.bench.report import BenchReport, BenchResult
    from live_nst.bench.run import BenchOptions
    from live_nst.bench.setups import StylizerSetups

_INTERRUPTED = 130  # exit code


def bench(
    model: ModelOption = "auto",
    device: DeviceOption = "auto",
    camera_size: CameraSizeOption = "1280x720",
    fps: Annotated[float, typer.Option(metavar="RATE", help="The rate that you want.")] = 30.0,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Only what live-nst would choose by itself, in 10 seconds."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure how fast this machine is, and recommend options."""
    from live_nst.sources.camera import configure_opencv

    configure_opencv()  # before anything imports cv2
    from live_nst.bench.run import BenchOptions
    from live_nst.sources.base import parse_size

    given = {"--model": model, "--device": device}
    options = BenchOptions(
        camera=parse_size(camera_size),
        fps=fps,
        quick=quick,
        extra=tuple(word for item in given.items() if item[1] != "auto" for word in item),
    )
    options.check()
    run(options, model, device, as_json=as_json)


def run(options: "BenchOptions", model: str, device: str, *, as_json: bool) -> None:
    """Load the model, measure, and print the report; see `measure`."""
    from live_nst.bench.setups import StylizerSetups

    with closing(DownloadProgressBar()) as bar:
        setups = StylizerSetups(model, device, notify, bar)
    measure(options, setups, as_json=as_json)


def measure(options: "BenchOptions", setups: "StylizerSetups", *, as_json: bool) -> None:
    """Measure, and print the report.

    Raises:
        LiveNstError: Nothing can be measured.
        typer.Exit: With exit code 130 if it was interrupted.
    """
    from live_nst.bench.run import run_bench
    from live_nst.runtime.signals import handle_stop_signals, raise_interrupt

    with handle_stop_signals(raise_interrupt), _MeasuringBar() as measuring:
        report = run_bench(options, setups, notify=measuring.notify, progress=measuring)
    if as_json:
        show_result(json.dumps(report.as_dict(), indent=2))
    else:
        show_report(report)
    if report.interrupted:
        raise typer.Exit(_INTERRUPTED)


class _MeasuringBar:
    """A progress bar on a terminal; nothing in a pipe."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        columns = (TextColumn("Measuring"), BarColumn(), TextColumn("{task.description}"))
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("", total=1.0)

    def __enter__(self) -> "_MeasuringBar":
        if self._progress.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._progress.live.is_started:
            self._progress.stop()

    def __call__(self, done: float, what: str) -> None:
        """Show the share that is done, 0..1, and the current step."""
        self._progress.update(self._task, completed=done, description=what)

    def notify(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        self._progress.console.print(sentence, markup=False)


def show_report(report: "BenchReport") -> None:
    """Print the table and the recommendation."""
    console = Console(highlight=False)
    machine, (width, height) = report.machine, report.camera
    peaks = ", ".join(f"{flops / 1e9:.0f} GFLOP/s in {p}" for p, flops in report.peaks.items())
    products = f"; matrix products: {peaks}" if peaks else ""
    show_result(f"{machine['processor']}, {machine['cores']} cores{products}.")
    show_result(f"Model {report.model} on {report.device}; {width}x{height} frames in and out.")
    show_result()
    console.print(_table(report))
    show_result()
    if report.busy:
        show_result(
            f"Other programs took {report.other_load:.0%} of this machine all the time: "
            "it can do more than this when they are closed."
        )
    if report.interrupted:
        show_result(
            f"Interrupted after {count(report.rounds, 'round')}: take the figures with care."
        )
    show_result(report.recommendation.sentence)
    show_result(f"    {report.recommendation.command}")


def _table(report: "BenchReport") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    several = len({row.setup.device for row in report.rows}) > 1
    for heading in ("device", "engine", "precision") if several else ("engine", "precision"):
        table.add_column(heading, no_wrap=True)
    for heading in ("--size", "network", "fps", "p50 ms", "p99 ms", "of peak"):
        table.add_column(heading, justify="right", no_wrap=True)
    before: BenchResult | None = None
    for row in report.rows:
        if before is not None and row.setup != before.setup:
            table.add_section()
        chosen = row is report.recommendation.row
        share = "" if row.share is None else f"{row.share:.0%}"
        table.add_row(
            *([row.setup.device] if several else []),
            row.setup.engine,
            row.setup.precision,
            str(row.size),
            f"{row.network[0]}x{row.network[1]}",
            f"{row.fps:.1f}",
            f"{row.p50_ms:.1f}",
            f"{row.p99_ms:.1f}",
            share,
            style="bold green" if chosen else None,
        )
        before = row
    return table
