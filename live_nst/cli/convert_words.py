"""Say what a conversion will do, does and did, in words."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from live_nst.cli.console import count

if TYPE_CHECKING:
    from live_nst.conversion.batch.folder import BatchReport
    from live_nst.conversion.progress import (
        ConversionPlan,
        ConversionProgress,
        ConversionReport,
        WorkerProgress,
    )
    from live_nst.conversion.video.preview import Estimate


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
