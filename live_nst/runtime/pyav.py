"""Open files with PyAV by their paths, whatever their names, in all versions that are supported.

PyAV 19 dropped Python 3.11, so both it and PyAV 18 are in use. PyAV 18 decodes metadata by an
argument of `av.open` and returns `Fraction` or None where PyAV 19 always returns an `AVRational`,
which is 0 for None and lacks much of what a `Fraction` does.
"""

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import av

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

# Metadata that is not UTF-8 is kept byte for byte. PyAV 19 does this always.
_METADATA: dict[str, str] = (
    {"metadata_errors": "surrogateescape"} if int(av.__version__.split(".")[0]) < 19 else {}
)


class Ratio(Protocol):
    """What `Fraction` and `AVRational` have in common."""

    @property
    def numerator(self) -> int:
        """The number above the line."""
        ...

    @property
    def denominator(self) -> int:
        """The number below the line."""
        ...


def file_url(path: Path) -> str:
    """Return an address that FFmpeg takes for that file.

    FFmpeg takes the beginning of "12:30.mp4" for a protocol.
    """
    return f"file:{os.path.abspath(path)}"


def open_for_reading(
    source: Path | str,
    *,
    format: str | None = None,
    options: dict[str, str] | None = None,
    timeout: float | None = None,
) -> "InputContainer":
    """Open a file or stream with `av.open`, whatever the encoding of its metadata.

    Args:
        source: The path of a file, or the address of a stream as text.
        format: FFmpeg's name of the format; None to recognize it.
        options: FFmpeg's options for the format and the protocol.
        timeout: Seconds to wait for the network; None to wait without end.

    Returns:
        The container. Bytes of metadata that are not UTF-8 are surrogate escapes (PEP 383).

    Raises:
        av.FFmpegError: It cannot be opened.
    """
    open_any: Any = av.open
    container: InputContainer = open_any(
        file_url(source) if isinstance(source, Path) else source,
        format=format,
        options=options,
        timeout=timeout,
        **_METADATA,
    )
    return container


def open_for_writing(
    target: Any, *, format: str | None = None, options: dict[str, str] | None = None
) -> "OutputContainer":
    """Create a file with `av.open`; it takes the metadata that `open_for_reading` gives.

    Args:
        target: A `Path`, or an object with `write`.
        format: FFmpeg's name of the container format; None to choose it by the path.
        options: FFmpeg's options for the format.

    Raises:
        av.FFmpegError: It cannot be created.
        ValueError: The format is not known.
    """
    open_any: Any = av.open
    container: OutputContainer = open_any(
        file_url(target) if isinstance(target, Path) else target,
        "w",
        format=format,
        options=options or {},
        **_METADATA,
    )
    return container


def fraction(value: Ratio | None) -> Fraction | None:
    """Return a time base, a rate or an aspect ratio of PyAV as a `Fraction`; None if it is unset.

    FFmpeg writes an unset value as 0/1 or with a denominator of 0.
    """
    if value is None or not value.numerator or not value.denominator:
        return None
    return Fraction(value.numerator, value.denominator)
