"""Print messages to stderr, and results to stdout."""

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

_stderr = Console(stderr=True, highlight=False, soft_wrap=True)
_stdout = Console(highlight=False, soft_wrap=True)


def notify(sentence: str) -> None:
    """Print a message."""
    _stderr.print(_as_sentence(sentence), markup=False)


def show_error(message: str, hint: str) -> None:
    """Print an error and, on a line of its own, the hint."""
    _stderr.print("[bold red]Error:[/]", end=" ")
    _stderr.print(_as_sentence(message), markup=False)
    if hint:
        _stderr.print("[dim]Hint:[/]", end=" ")
        _stderr.print(hint, markup=False)


def show_result(text: str = "") -> None:
    """Print a line of the result."""
    _stdout.print(text, markup=False)


def stderr_console() -> Console:
    """Return the console for progress bars, above which it prints messages."""
    return _stderr


def count(number: int, noun: str) -> str:
    """Return a number and a noun: "1 round", "2 rounds"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class DownloadProgressBar:
    """A progress bar that appears when the first bytes of a model have arrived."""

    def __init__(self) -> None:
        columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._bar = Progress("Downloading the model", *columns, console=_stderr, transient=True)
        self._task = self._bar.add_task("model", total=None)

    def __call__(self, done: int, total: int | None) -> None:
        """Show the number of bytes that have arrived."""
        if not self._bar.live.is_started:
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total)
        if total is not None and done >= total:
            self._bar.stop()

    def close(self) -> None:
        """Remove the bar."""
        if self._bar.live.is_started:
            self._bar.stop()


def _as_sentence(text: str) -> str:
    """Return `text` with a full stop; its first word is capitalized unless it names a file."""
    if text.split(" ", 1)[0].isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
