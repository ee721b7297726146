"""The command line: wiring, messages and exit codes, nothing else."""

import os
import re
import sys


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    from live_nst.cli.app import app
    from live_nst.cli.console import show_error
    from live_nst.errors import LiveNstError

    try:
        app(_with_optional_value(sys.argv[1:]), prog_name="live-nst")
    except LiveNstError as exc:
        _reraise_when_debugging()
        show_error(exc.message, exc.hint)
        sys.exit(exc.exit_code)
    except Exception as exc:
        _reraise_when_debugging()
        show_error(
            f"live-nst failed unexpectedly: {type(exc).__name__}: {exc}",
            "set LIVE_NST_DEBUG=1 to see where, and please report it",
        )
        sys.exit(1)


def _with_optional_value(arguments: list[str]) -> list[str]:
    """Let some options stand without a value, which Typer's cannot.

    `--virtual-camera` takes any value that does not look like an option, `--keep-colors` one that
    begins as a number does: what follows it may be a file.
    """
    completed = []
    for argument, following in zip(arguments, [*arguments, "-"][1:], strict=True):
        completed.append(argument)
        if argument == "--virtual-camera" and following.startswith("-"):
            completed.append("auto")
        if argument == "--keep-colors" and not re.fullmatch(r"[-+]?\.?\d+\.?\d*(@.*)?", following):
            completed.append("1")
    return completed


def _reraise_when_debugging() -> None:
    """Let the exception through to Python, which prints where it came from."""
    if os.environ.get("LIVE_NST_DEBUG"):
        raise
