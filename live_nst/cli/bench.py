"""`live-nst bench`: what this machine can do, as a table or JSON, and what to run on it."""

import json

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from live_nst.bench.report import BenchReport, BenchResult
from live_nst.bench.run import BenchOptions, BenchSetups, run_bench
from live_nst.bench.setups import StylizerSetups
from live_nst.cli.console import DownloadProgressBar, notify, result
from live_nst.cli.options import parse_size
from live_nst.runtime.signals import handle_stop_signals, raise_interrupt

INTERRUPTED = 130


def run(
    *,
    model: str,
    device: str,
    camera_size: str,
    fps: float,
    quick: bool,
    as_json: bool,
    workshop: BenchSetups | None = None,
) -> None:
    """Measure, and print what was found.

    Args:
        model: As for the live stream.
        device: auto, cpu or gpu.
        camera_size: "1280x720".
        fps: The wanted rate.
        quick: Measure only what live-nst would pick by itself.
        as_json: Print JSON instead of the table.
        workshop: What there is to measure; this machine when None.

    Raises:
        LiveNstError: Nothing can be measured.
    """
    extra = [("--model", model, "auto"), ("--device", device, "auto")]
    options = BenchOptions(
        camera=parse_size(camera_size),
        fps=fps,
        quick=quick,
        extra=tuple(w for name, value, usual in extra if value != usual for w in (name, value)),
    )
    options.check()
    if workshop is None:
        bar = DownloadProgressBar()
        try:
            workshop = StylizerSetups(model, device, notify, bar)
        finally:
            bar.close()
    with handle_stop_signals(raise_interrupt), _MeasuringBar() as measuring:
        report = run_bench(options, workshop, notify=measuring.notify, progress=measuring)
    if as_json:
        result(json.dumps(report.as_dict(), indent=2))
    else:
        show_report(report)
    if report.interrupted:
        raise typer.Exit(INTERRUPTED)


class _MeasuringBar:
    """How far the measuring is, on a terminal; nothing in a pipe."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        columns = (TextColumn("Measuring"), BarColumn(), TextColumn("{task.description}"))
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("", total=1.0)

    def __enter__(self) -> "_MeasuringBar":
        if self._progress.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress.live.is_started:
            self._progress.stop()

    def __call__(self, done: float, what: str) -> None:
        """Show that `done` of 1 is done, and what is done now."""
        self._progress.update(self._task, completed=done, description=what)

    def notify(self, sentence: str) -> None:
        """A sentence above the bar."""
        self._progress.console.print(sentence, markup=False)


def show_report(report: BenchReport) -> None:
    """The table and what to make of it."""
    console = Console(highlight=False)
    machine, (width, height) = report.machine, report.camera
    peaks = ", ".join(f"{flops / 1e9:.0f} GFLOP/s in {p}" for p, flops in report.peaks.items())
    result(f"{machine['processor']}, {machine['cores']} cores; matrix products: {peaks}.")
    result(f"Model {report.model} on {report.device}; {width}x{height} frames in and out.")
    result()
    console.print(_table(report))
    result()
    if report.busy:
        result(
            f"Other programs took {report.other_load:.0%} of this machine all the time: "
            "it can do more than this when they are closed."
        )
    if report.interrupted:
        result(f"Interrupted after {_rounds(report.rounds)}: take the figures with care.")
    result(report.recommendation.sentence)
    result(f"    {report.recommendation.command}")


def _table(report: BenchReport) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("engine", "precision"):
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


def _rounds(number: int) -> str:
    return f"{number} round" if number == 1 else f"{number} rounds"
