"""The command line: options, messages and exit codes."""

import os
import re
import sys

_OPTIONAL_VALUES = {"--virtual-camera", "--osc", "--metrics", "--control"}


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        _run()
    except KeyboardInterrupt:  # before Typer handles it: modules are being loaded
        sys.exit(130)


def _run() -> None:
    """Run the command line, and answer every error."""
    from live_nst.cli.standard_streams import prepare_standard_streams

    prepare_standard_streams()
    from live_nst.cli.app import app
    from live_nst.cli.console import show_error
    from live_nst.errors import LiveNstError
    from live_nst.files.secrets import hide_keys

    try:
        app(add_optional_values(sys.argv[1:]), prog_name="live-nst")
    except LiveNstError as exc:
        _reraise_when_debugging()
        show_error(exc.message, exc.hint)
        sys.exit(exc.exit_code)
    except Exception as exc:
        _reraise_when_debugging()
        show_error(
            f"live-nst failed unexpectedly: {type(exc).__name__}: {hide_keys(str(exc))}",
            "set LIVE_NST_DEBUG=1 to see where, and please report it",
        )
        sys.exit(1)


def add_optional_values(arguments: list[str]) -> list[str]:
    """Return arguments in which options with an optional value have one; Typer needs it.

    The value of most is whatever does not look like an option. That of `--keep-colors` must look
    like a number, as a file name may follow the option.
    """
    completed = []
    for argument, following in zip(arguments, [*arguments, "-"][1:], strict=True):
        completed.append(argument)
        if argument in _OPTIONAL_VALUES and following.startswith("-"):
            completed.append("auto")
        if argument == "--keep-colors" and not re.fullmatch(r"[-+]?\.?\d+\.?\d*(@.*)?", following):
            completed.append("1")
    return completed


def _reraise_when_debugging() -> None:
    """Raise the current exception again if LIVE_NST_DEBUG is set, for the traceback."""
    if os.environ.get("LIVE_NST_DEBUG"):
        raise
