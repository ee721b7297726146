"""Show the progress of a conversion: as a bar, as lines, as JSON, or not at all."""

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from live_nst.cli.console import notify, show_result
from live_nst.cli.convert_words import (
    FolderProgress,
    describe_estimate,
    describe_folder,
    describe_folder_progress,
    describe_plan,
    describe_progress,
    describe_report,
    describe_worker,
)

if TYPE_CHECKING:
    from live_nst.conversion.batch.folder import BatchReport
    from live_nst.conversion.progress import (
        ConversionPlan,
        ConversionProgress,
        ConversionReport,
    )
    from live_nst.conversion.video.preview import Estimate
    from live_nst.errors import LiveNstError

_SECONDS_BETWEEN_LINES = 10.0
_MIN_BAR = 12  # characters


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
