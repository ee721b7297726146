"""What differs between the versions of PyAV that are supported: opening files, and fractions.

PyAV 19 dropped Python 3.11, so both it and PyAV 18 are in use. PyAV 18 decodes metadata by an
argument of `av.open` and returns `Fraction` or None where PyAV 19 always returns an `AVRational`,
which is 0 for None and lacks much of what a `Fraction` does.
"""

from fractions import Fraction
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


def open_for_reading(
    url: str, *, options: dict[str, str] | None = None, timeout: float | None = None
) -> "InputContainer":
    """Open a file or stream with `av.open`, whatever the encoding of its metadata.

    Args:
        url: A path or an address, as FFmpeg takes them.
        options: FFmpeg's options for the format and the protocol.
        timeout: Seconds to wait for the network; None to wait without end.

    Returns:
        The container. Bytes of metadata that are not UTF-8 are surrogate escapes (PEP 383).

    Raises:
        av.FFmpegError: It cannot be opened.
    """
    open_any: Any = av.open
    container: InputContainer = open_any(url, options=options, timeout=timeout, **_METADATA)
    return container


def open_for_writing(
    file: Any, *, format: str | None = None, options: dict[str, str] | None = None
) -> "OutputContainer":
    """Create a file with `av.open`; it takes the metadata that `open_for_reading` gives.

    Args:
        file: A path, or an object with `write`.
        format: FFmpeg's name of the container format; None to choose it by the path.
        options: FFmpeg's options for the format.

    Raises:
        av.FFmpegError: It cannot be created.
        ValueError: The format is not known.
    """
    open_any: Any = av.open
    container: OutputContainer = open_any(
        file, "w", format=format, options=options or {}, **_METADATA
    )
    return container


def fraction(value: Ratio | None) -> Fraction | None:
    """Return a time base, a rate or an aspect ratio of PyAV as a `Fraction`; None if it is unset.

    FFmpeg writes an unset value as 0/1 or with a denominator of 0.
    """
    if value is None or not value.numerator or not value.denominator:
        return None
    return Fraction(value.numerator, value.denominator)
