"""How a conversion is seen: a bar, lines, JSON, or nothing."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from live_nst.cli.console import notify, result
from live_nst.conversion.batch.folder import BatchReport
from live_nst.conversion.progress import ConversionPlan, ConversionProgress, ConversionReport
from live_nst.conversion.video.preview import Estimate
from live_nst.errors import LiveNstError

_SECONDS_BETWEEN_LINES = 10.0
_SHORTEST_BAR = 12  # characters


@dataclass(frozen=True)
class FolderProgress:
    """How far the conversion of a folder is.

    Attributes:
        files: How many of its files were looked after.
        total: How many there are.
        name: The last of them, or the one that begins.
    """

    files: int
    total: int
    name: str


class ConvertReporter(Protocol):
    """Who tells the user what goes on."""

    def notify(self, sentence: str) -> None:
        """Something worth knowing."""
        ...

    def plan(self, plan: ConversionPlan) -> None:
        """What is about to be done."""
        ...

    def progress(self, step: ConversionProgress) -> None:
        """How far it is."""
        ...

    def done(self, report: ConversionReport) -> None:
        """It is done."""
        ...

    def file(self, step: FolderProgress) -> None:
        """Another file of a folder is done, or begins."""
        ...

    def folder(self, report: BatchReport) -> None:
        """A folder is done."""
        ...

    def estimated(self, estimate: Estimate) -> None:
        """What it would take."""
        ...

    def failed(self, error: LiveNstError) -> None:
        """It failed; the command line itself says why, on stderr."""
        ...


def make_reporter(*, as_json: bool, quiet: bool) -> ConvertReporter:
    """The one that suits: JSON or nothing if asked for, a bar on a terminal, else lines."""
    if as_json:
        return JsonReporter()
    if quiet:
        return QuietReporter()
    return BarReporter() if sys.stderr.isatty() else LineReporter()


class QuietReporter:
    """Says nothing."""

    def notify(self, sentence: str) -> None:
        """Nothing."""

    def plan(self, plan: ConversionPlan) -> None:
        """Nothing."""

    def progress(self, step: ConversionProgress) -> None:
        """Nothing."""

    def done(self, report: ConversionReport) -> None:
        """Nothing."""

    def file(self, step: FolderProgress) -> None:
        """Nothing."""

    def folder(self, report: BatchReport) -> None:
        """What could not be converted."""
        for name, error in report.failed:
            notify(error.message if name in error.message else f"{name}: {error.message}")

    def estimated(self, estimate: Estimate) -> None:
        """What was asked for is told even so."""
        for line in describe_estimate(estimate):
            result(line)

    def failed(self, error: LiveNstError) -> None:
        """Nothing."""


class JsonReporter:
    """One JSON object per line on stdout, each with its kind as "event"."""

    def notify(self, sentence: str) -> None:
        """{"event": "note", "text": ...}."""
        self._print("note", {"text": sentence})

    def plan(self, plan: ConversionPlan) -> None:
        """{"event": "plan", ...}."""
        self._print("plan", plan.as_dict())

    def progress(self, step: ConversionProgress) -> None:
        """{"event": "progress", ...}."""
        self._print("progress", step.as_dict())

    def done(self, report: ConversionReport) -> None:
        """{"event": "done", ...}."""
        self._print("done", report.as_dict())

    def file(self, step: FolderProgress) -> None:
        """{"event": "file", "files": ..., "total": ..., "name": ...}."""
        self._print("file", asdict(step))

    def folder(self, report: BatchReport) -> None:
        """{"event": "folder", "done": [...], "skipped": [...], "failed": [...]}."""
        failed = [
            {"name": name, "message": error.message, "hint": error.hint}
            for name, error in report.failed
        ]
        names = {"done": report.done, "skipped": report.skipped}
        self._print("folder", {**names, "failed": failed})

    def estimated(self, estimate: Estimate) -> None:
        """{"event": "estimate", ...}."""
        self._print("estimate", estimate.as_dict())

    def failed(self, error: LiveNstError) -> None:
        """{"event": "error", "message": ..., "hint": ..., "exit_code": ...}."""
        words = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
        self._print("error", words)

    def _print(self, event: str, values: dict[str, Any]) -> None:
        print(json.dumps({"event": event, **values}), flush=True)


class LineReporter(QuietReporter):
    """Whole lines on stderr, for logs."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._stage = "painting"

    def notify(self, sentence: str) -> None:
        """The sentence."""
        notify(sentence)

    def plan(self, plan: ConversionPlan) -> None:
        """What is read and written, what runs, and what changes when."""
        for line in describe_plan(plan):
            notify(line)

    def progress(self, step: ConversionProgress) -> None:
        """A line every so often, and one where another stage begins."""
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_LINES or step.stage != self._stage:
            self._last, self._stage = now, step.stage
            notify(describe_progress(step))

    def done(self, report: ConversionReport) -> None:
        """One line."""
        result(describe_report(report))

    def file(self, step: FolderProgress) -> None:
        """A line every so often."""
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            notify(describe_step(step))

    def folder(self, report: BatchReport) -> None:
        """One line, and one for every file that could not be converted."""
        result(describe_folder(report))
        super().folder(report)


class BarReporter(LineReporter):
    """A bar that is redrawn, on a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(stderr=True, highlight=False)
        self._bar = Bar(
            BarColumn(None),
            TextColumn("{task.fields[words]}", markup=False),
            console=self._console,
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task("convert", total=None, words="")
        self._longest = 0

    def notify(self, sentence: str) -> None:
        """The sentence, above the bar."""
        notify(sentence)

    def progress(self, step: ConversionProgress) -> None:
        """Move the bar."""
        if not self._bar.live.is_started:
            self._bar.start()
        words = describe_progress(step, self._console.width - _SHORTEST_BAR)
        self._longest = max(self._longest, len(words))
        self._bar.update(
            self._task,
            total=step.total or None,
            completed=step.frames,
            words=words.ljust(self._longest),  # so that the bar's end stays where it is
        )

    def done(self, report: ConversionReport) -> None:
        """Remove the bar; one line stays."""
        self._bar.stop()
        super().done(report)

    def file(self, step: FolderProgress) -> None:
        """Move the bar of files, until a video's frames move it."""
        if not self._bar.live.is_started:
            self._bar.start()
        words, files = describe_step(step), step.files
        self._bar.update(self._task, total=step.total, completed=files, words=words)

    def folder(self, report: BatchReport) -> None:
        """Remove the bar; the lines stay."""
        self._bar.stop()
        super().folder(report)

    def failed(self, error: LiveNstError) -> None:
        """Remove the bar."""
        self._bar.stop()


def describe_plan(plan: ConversionPlan) -> list[str]:
    """What is read and written, what runs and, if it is not one and the same, what shows when."""
    frames = f"about {plan.frames} frames" if plan.frames else "an unknown number of frames"
    return [
        f"Converting {plan.input.name} to {plan.output.name}: {plan.width}x{plan.height}, "
        f"{plan.rate:.5g} fps, {frames}, {plan.codec}",
        f"Running {plan.model} on {plan.engine}, {plan.device}, size {plan.size}, "
        f"style {', '.join(plan.styles)}",
        *describe_timetable(plan),
    ]


def describe_timetable(plan: ConversionPlan) -> list[str]:
    """What is set when: "From 1:30 on, over 2 s: style wave, strength 100%"."""
    lines = []
    for row in plan.timetable:
        words = [_setting(name, value) for name, value in row.items() if name != "time"]
        fades = f", over {plan.fade:g} s" if plan.fade and row["time"] else ""
        lines.append(f"From {moment(row['time'])} on{fades}: {', '.join(words)}")
    plain = len(plan.timetable) == 1 and set(plan.timetable[0]) <= {"time", "style"}
    return [] if plain else lines


def _setting(name: str, value: Any) -> str:
    """In words: "strength 30%", "only person"."""
    shown = f"{value:.0%}" if isinstance(value, float) else str(value)
    return f"{name.replace('_', '-')} {shown}"


def describe_progress(step: ConversionProgress, room: int | None = None) -> str:
    """Frames, percent, rate, times and size: "120/250 48% 31.2 fps, 0:04, 0:04 left, 1.2 MB".

    Args:
        step: How far it is.
        room: How many characters there are; time gone and size are left out where they are few.
    """
    if step.stage == "joining":
        return f"{step.frames} frames painted in {clock(step.elapsed)}, joining {size(step.bytes)}"
    total = f"/{step.total} {step.share:.0%}" if step.total else ""
    frames = f"{step.frames}{total} {step.fps:.1f} fps"
    gone, written = clock(step.elapsed), size(step.bytes)
    left = [] if step.left is None else [f"{clock(step.left)} left"]
    whole = ", ".join([frames, gone, *left, written])
    return whole if room is None or len(whole) <= room else ", ".join([frames, *left])


def describe_estimate(estimate: Estimate) -> list[str]:
    """What would be done, how long it would take and how large it would be."""
    took = f"measured on {estimate.measured} frames: {estimate.fps:.1f} fps"
    if estimate.seconds is None or estimate.bytes is None:
        return [*describe_plan(estimate.plan), f"How long it takes cannot be told; {took}"]
    return [
        *describe_plan(estimate.plan),
        f"It would take {clock(estimate.seconds)} and about {size(estimate.bytes)} without sound; "
        f"{took}",
    ]


def describe_report(report: ConversionReport) -> str:
    """What was made, in one line."""
    before = f", {report.resumed} of them before" if report.resumed else ""
    return (
        f"{report.output}: {report.frames} frames{before}, {size(report.bytes)}, in "
        f"{clock(report.seconds)} ({report.fps:.1f} fps)"
    )


def describe_step(step: FolderProgress) -> str:
    """Files and the last name: "12/100 files, holiday/a.jpg"."""
    return f"{step.files}/{step.total} files, {step.name}"


def describe_folder(report: BatchReport) -> str:
    """What became of a folder, in one line."""
    parts = [f"{len(report.done)} converted"]
    if report.skipped:
        parts.append(f"{len(report.skipped)} done already")
    if report.failed:
        parts.append(f"{len(report.failed)} failed")
    return f"Files: {', '.join(parts)}"


def clock(seconds: float) -> str:
    """Seconds as people write them: 0:04, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(seconds: float) -> str:
    """A place in a video: 1:30, 0:00.5."""
    whole = int(seconds)
    rest = f"{seconds - whole:.3f}"[1:].rstrip("0").rstrip(".")
    return f"{clock(whole)}{rest}"


def size(count: float) -> str:
    """Bytes as people write them: 1.2 MB."""
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000 or unit == "GB":
            return f"{count:.1f} {unit}"
    return ""
