"""Keep standard output and standard error from ending a command that works."""

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterable


def prepare_standard_streams() -> None:
    r"""Make every message printable, whatever the encoding, and whether or not stderr is open.

    - Characters that an encoding lacks are printed as escapes such as `\u6f22`.
    - Messages to a closed stderr, or to a terminal that is gone, are dropped.
    - Closed descriptors are opened on the null device. Otherwise the next file would get their
      numbers, and libraries would write their messages into an output.
    """
    _fill_descriptors()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if not isinstance(sys.stderr, _MessageStream):
        sys.stderr = cast(TextIO, _MessageStream(sys.stderr))
    # A result that is lost in a file or a pipe is an error. One on a closed terminal is none.
    if sys.stdout is not None and sys.stdout.isatty():
        sys.stdout = cast(TextIO, _MessageStream(sys.stdout))


class _MessageStream:
    """A text stream that drops what cannot be written.

    Args:
        stream: The stream that it writes to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def writelines(self, lines: "Iterable[str]") -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what is buffered."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _fill_descriptors() -> None:
    """Open the null device for each of the descriptors 0, 1 and 2 that is closed."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is taken. It is open for reading only: writing a result to it
            # fails, as it must.
            with suppress(OSError):
                os.open(os.devnull, os.O_RDONLY)
