"""What the command line says, and how. Messages go to stderr, results to stdout."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

if TYPE_CHECKING:
    from live_nst.live.stats import LiveReport

_console = Console(stderr=True, highlight=False, soft_wrap=True)
_results = Console(highlight=False, soft_wrap=True)


def notify(sentence: str) -> None:
    """One line about what goes on."""
    _console.print(_sentence(sentence), markup=False)


def show_error(message: str, hint: str) -> None:
    """One sentence that says what is wrong, and a line that says what to do."""
    _console.print("[bold red]Error:[/]", end=" ")
    _console.print(_sentence(message), markup=False)
    if hint:
        _console.print("[dim]Hint:[/]", end=" ")
        _console.print(hint, markup=False)


def _sentence(text: str) -> str:
    """`text` with a full stop and, unless it begins with the name of a file, a capital letter."""
    if text.split(" ", 1)[0].isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def stderr_console() -> Console:
    """Where progress bars go, so that lines said meanwhile stand above them."""
    return _console


def result(text: str = "") -> None:
    """One line of what was asked for."""
    _results.print(text, markup=False)


class DownloadProgressBar:
    """A progress bar that appears with the first byte."""

    def __init__(self) -> None:
        columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress("Fetching the model", *columns, console=_console, transient=True)
        self._task = self._progress.add_task("model", total=None)

    def __call__(self, done: int, total: int | None) -> None:
        """Show that `done` of `total` bytes are here."""
        if not self._progress.live.is_started:
            self._progress.start()
        self._progress.update(self._task, completed=done, total=total)
        if total is not None and done >= total:
            self._progress.stop()

    def close(self) -> None:
        """Remove the bar, if it ever appeared."""
        if self._progress.live.is_started:
            self._progress.stop()


def show_live_report(report: "LiveReport") -> None:
    """The figures of a session that ended."""
    latency = report.latency_ms
    stages = ", ".join(f"{stage} {ms:.1f}" for stage, ms in report.stage_ms.items())
    result(
        f"{report.frames} frames at {report.fps:.1f} fps, {report.dropped} dropped; "
        f"started in {report.startup_seconds:.1f} s"
    )
    result(
        f"latency {latency['p50']:.0f} ms (p95 {latency['p95']:.0f}, p99 {latency['p99']:.0f}); "
        f"stages in ms: {stages}"
    )
    result(
        f"model {report.model}, {report.engine} on {report.device}, size {report.size}, "
        f"style {report.style}; style computations: {report.style_computations}; "
        f"peak memory {report.peak_rss_mb:.0f} MB"
    )
