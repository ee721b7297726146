"""Show the progress of a conversion: as a bar, as lines, as JSON, or not at all."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from live_nst.cli.console import count, notify, show_result

if TYPE_CHECKING:
    from live_nst.conversion.batch.folder import BatchReport
    from live_nst.conversion.progress import (
        ConversionPlan,
        ConversionProgress,
        ConversionReport,
        WorkerProgress,
    )
    from live_nst.conversion.video.preview import Estimate
    from live_nst.errors import LiveNstError

_SECONDS_BETWEEN_LINES = 10.0
_MIN_BAR = 12  # characters


@dataclass(frozen=True, slots=True)
class FolderProgress:
    """How much of a folder is done.

    Attributes:
        files: The number of finished files.
        total: The number of files.
        name: The last finished file, or the one that begins.
    """

    files: int
    total: int
    name: str


def make_reporter(*, as_json: bool, quiet: bool) -> "ConvertReporter":
    """Return JSON or no output if the user asked for it, else a bar on a terminal, else lines."""
    if as_json:
        return JsonReporter()
    if quiet:
        return ConvertReporter()
    return BarReporter() if sys.stderr.isatty() else LineReporter()


class ConvertReporter:
    """Shows only what is needed: estimates, and the files of a folder that failed."""

    def notify(self, sentence: str) -> None:
        """Show a sentence."""

    def plan(self, plan: "ConversionPlan") -> None:
        """Show what will be done."""

    def progress(self, progress: "ConversionProgress") -> None:
        """Show the progress of a video."""

    def done(self, report: "ConversionReport") -> None:
        """Show that a video is finished."""

    def file(self, progress: FolderProgress) -> None:
        """Show that a file of a folder is finished, or begins."""

    def folder(self, report: "BatchReport") -> None:
        """Show that a folder is finished, and which files failed."""
        for name, error in report.failed:
            notify(error.message if name in error.message else f"{name}: {error.message}")

    def estimated(self, estimate: "Estimate") -> None:
        """Show the result of a dry run."""
        for line in describe_estimate(estimate):
            show_result(line)

    def failed(self, error: "LiveNstError") -> None:
        """Take note of an error, which the command line shows by itself."""


class JsonReporter(ConvertReporter):
    """Prints one JSON object per line, with its kind as "event"."""

    def notify(self, sentence: str) -> None:
        """Print {"event": "note", "text": ...}."""
        self._print("note", {"text": sentence})

    def plan(self, plan: "ConversionPlan") -> None:
        """Print {"event": "plan", ...}."""
        self._print("plan", plan.as_dict())

    def progress(self, progress: "ConversionProgress") -> None:
        """Print {"event": "progress", ...}."""
        self._print("progress", progress.as_dict())

    def done(self, report: "ConversionReport") -> None:
        """Print {"event": "done", ...}."""
        self._print("done", report.as_dict())

    def file(self, progress: FolderProgress) -> None:
        """Print {"event": "file", "files": ..., "total": ..., "name": ...}."""
        self._print("file", asdict(progress))

    def folder(self, report: "BatchReport") -> None:
        """Print {"event": "folder", "done", "skipped", "failed" and "others": lists}."""
        failed = [
            {"name": name, "message": error.message, "hint": error.hint}
            for name, error in report.failed
        ]
        names = {"done": report.done, "skipped": report.skipped, "others": report.others}
        self._print("folder", {**names, "failed": failed})

    def estimated(self, estimate: "Estimate") -> None:
        """Print {"event": "estimate", ...}."""
        self._print("estimate", estimate.as_dict())

    def failed(self, error: "LiveNstError") -> None:
        """Print {"event": "error", "message": ..., "hint": ..., "exit_code": ...}."""
        values = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
        self._print("error", values)

    def _print(self, event: str, values: dict[str, Any]) -> None:
        print(json.dumps({"event": event, **values}), flush=True)


class LineReporter(ConvertReporter):
    """Prints lines to stderr from time to time, for logs."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._stage = "painting"

    def notify(self, sentence: str) -> None:
        """Print the sentence."""
        notify(sentence)

    def plan(self, plan: "ConversionPlan") -> None:
        """Print what will be done."""
        for line in describe_plan(plan):
            notify(line)

    def progress(self, progress: "ConversionProgress") -> None:
        """Print a line every ten seconds, and when another stage begins."""
        if self._is_due() or progress.stage != self._stage:
            self._stage = progress.stage
            notify(
                "; ".join([describe_progress(progress), *map(describe_worker, progress.workers)])
            )

    def done(self, report: "ConversionReport") -> None:
        """Print a line."""
        show_result(describe_report(report))

    def file(self, progress: FolderProgress) -> None:
        """Print a line every ten seconds."""
        if self._is_due():
            notify(describe_folder_progress(progress))

    def folder(self, report: "BatchReport") -> None:
        """Print a line, and one for every file that failed."""
        show_result(describe_folder(report))
        super().folder(report)

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_LINES:
            return False
        self._last = now
        return True


class BarReporter(LineReporter):
    """Shows a progress bar on a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            BarColumn(None),
            TextColumn("{task.fields[words]}", markup=False),
            console=self._console,
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task("convert", total=None, words="")
        self._workers: dict[str, TaskID] = {}
        self._longest = 0

    def progress(self, progress: "ConversionProgress") -> None:
        """Move the bar."""
        words = describe_progress(progress, self._console.width - _MIN_BAR)
        self._longest = max(self._longest, len(words))  # so that the end of the bar stays in place
        self._move(progress.total or None, progress.frames, words.ljust(self._longest))
        self._show_workers(progress)

    def done(self, report: "ConversionReport") -> None:
        """Remove the bar and print a line."""
        self._bar.stop()
        super().done(report)

    def file(self, progress: FolderProgress) -> None:
        """Move the bar to the number of files."""
        self._move(progress.total, progress.files, describe_folder_progress(progress))

    def folder(self, report: "BatchReport") -> None:
        """Remove the bar and print lines."""
        self._bar.stop()
        super().folder(report)

    def failed(self, error: "LiveNstError") -> None:
        """Remove the bar."""
        self._bar.stop()

    def _show_workers(self, progress: "ConversionProgress") -> None:
        """Show a line for each worker: how much of all it painted, and what it does."""
        rows = {worker.name: worker for worker in progress.workers}
        for name in [name for name in self._workers if name not in rows]:
            self._bar.remove_task(self._workers.pop(name))
        for name, worker in rows.items():
            if name not in self._workers:
                self._workers[name] = self._bar.add_task(name, total=None, words="")
            words = describe_worker(worker).ljust(self._longest)
            task, total = self._workers[name], progress.total or None
            self._bar.update(task, total=total, completed=worker.frames, words=words)

    def _move(self, total: int | None, completed: int, words: str) -> None:
        if not self._bar.live.is_started:
            self._bar.start()
        self._bar.update(self._task, total=total, completed=completed, words=words)


def describe_plan(plan: "ConversionPlan") -> list[str]:
    """Return lines about input, output and model, and about what changes over time."""
    frames = f"about {plan.frames} frames" if plan.frames else "an unknown number of frames"
    return [
        f"Converting {plan.input.name} to {plan.output.name}: {plan.width}x{plan.height}, "
        f"{plan.rate:.5g} fps, {frames}, {plan.codec}",
        f"Running {plan.model} on {plan.engine}, {plan.device}, size {plan.size}, "
        f"style {', '.join(plan.styles)}",
        *describe_timetable(plan),
    ]


def describe_timetable(plan: "ConversionPlan") -> list[str]:
    """Return lines such as "From 1:30 on, over 2 s: style wave, strength 100%"."""
    if len(plan.timetable) == 1 and set(plan.timetable[0]) <= {"time", "style"}:
        return []  # a single style with the usual look
    lines = []
    for row in plan.timetable:
        words = [_describe_setting(name, value) for name, value in row.items() if name != "time"]
        fade = f", over {plan.fade:g} s" if plan.fade and row["time"] else ""
        lines.append(f"From {format_timestamp(row['time'])} on{fade}: {', '.join(words)}")
    return lines


def _describe_setting(name: str, value: Any) -> str:
    """Return words such as "strength 30%" or "only person"."""
    shown = f"{value:.0%}" if isinstance(value, float) else str(value)
    return f"{name.replace('_', '-')} {shown}"


def describe_progress(progress: "ConversionProgress", max_length: int | None = None) -> str:
    """Return a text such as "120/250 48% 31.2 fps, 0:04, 0:04 left, 1.2 MB".

    Args:
        progress: The progress.
        max_length: If the text is longer, elapsed time and size are left out.
    """
    elapsed, written = format_duration(progress.elapsed), format_bytes(progress.bytes)
    if progress.stage == "joining":
        return f"{progress.frames} frames done in {elapsed}, joining {written}"
    total = f"/{progress.total} {progress.share:.0%}" if progress.total else ""
    frames = f"{progress.frames}{total} {progress.fps:.1f} fps"
    left = [] if progress.left is None else [f"{format_duration(progress.left)} left"]
    text = ", ".join([frames, elapsed, *left, written])
    return text if max_length is None or len(text) <= max_length else ", ".join([frames, *left])


def describe_worker(worker: "WorkerProgress") -> str:
    """Return a text such as "worker 1: painting, 120 frames, 3.4 fps"."""
    return f"{worker.name}: {worker.state}, {worker.frames} frames, {worker.fps:.1f} fps"


def describe_estimate(estimate: "Estimate") -> list[str]:
    """Return lines about the plan, the time and the size."""
    lines = describe_plan(estimate.plan)
    measured = f"measured on {estimate.measured} frames: {estimate.fps:.1f} fps"
    if estimate.seconds is None or estimate.bytes is None:
        return [*lines, f"The duration is unknown; {measured}"]
    duration, size = format_time_taken(estimate.seconds), format_bytes(estimate.bytes)
    return [*lines, f"It would take {duration} and about {size} without sound; {measured}"]


def describe_report(report: "ConversionReport") -> str:
    """Return a line about the output."""
    resumed = f", {report.resumed} of them before" if report.resumed else ""
    return (
        f"{report.output}: {report.frames} frames{resumed}, {format_bytes(report.bytes)}, in "
        f"{format_time_taken(report.seconds)} ({report.fps:.1f} fps)"
    )


def describe_folder_progress(progress: FolderProgress) -> str:
    """Return a text such as "12/100 files, holiday/a.jpg"."""
    return f"{progress.files}/{progress.total} files, {progress.name}"


def describe_folder(report: "BatchReport") -> str:
    """Return a line with the numbers of files."""
    parts = [f"{len(report.done)} converted"]
    if report.skipped:
        parts.append(f"{len(report.skipped)} done already")
    if report.failed:
        parts.append(f"{len(report.failed)} failed")
    if report.others:
        parts.append(f"{count(len(report.others), 'other file')} left out")
    return f"Files: {', '.join(parts)}"


def format_duration(seconds: float) -> str:
    """Return seconds as "0:04" or "1:02:03"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_time_taken(seconds: float) -> str:
    """Return seconds as "0.4 s", or from ten on as "0:14"."""
    tenths = round(seconds, 1)
    return f"{tenths} s" if tenths < 10 else format_duration(seconds)


def format_timestamp(seconds: float) -> str:
    """Return a position in a video as "1:30" or "0:00.5"."""
    whole = int(seconds)
    fraction = f"{seconds - whole:.3f}"[1:].rstrip("0").rstrip(".")
    return f"{format_duration(whole)}{fraction}"


def format_bytes(count: float) -> str:
    """Return a number of bytes as "1.2 MB"."""
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000 or unit == "GB":
            break
    return f"{count:.1f} {unit}"
