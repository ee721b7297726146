"""All errors of live-nst, in one tree.

    LiveNstError
    +-- UsageError               an invalid option or argument (exit code 2)
    +-- ModelError               a model that cannot be found or used
    |   +-- DownloadError        a model that cannot be downloaded
    |   +-- SplitError           a model whose style part cannot be separated
    +-- DeviceError              a processor or library that is not available
    +-- StyleError               a style image, name or mix that cannot be used
    +-- SourceError              a camera, stream or file that cannot be opened or read
    |   +-- SourceLostError      a source that was open and is gone; opening it again may help
    +-- SinkError                an output that cannot be opened or written
    |   +-- DisplayError         a window
    |   +-- RecordingError       a recording
    |   +-- VirtualCameraError   a virtual camera
    |   +-- StreamError          a network stream, its encoder or its sound
    +-- ServerError              a server that cannot be started
    +-- ControlError             a running session that cannot be reached, or refuses a request
    +-- ConversionError          a conversion that failed; finished parts are kept
        +-- ConversionCancelled  a conversion that was cancelled (exit code 130)

Errors of other libraries are translated where they occur, with `raise ... from exc`.
"""


class LiveNstError(Exception):
    """An error with a message for the user and, where there is one, a way to solve it.

    Args:
        message: What is wrong, in one sentence.
        hint: What the user can do about it; empty if there is nothing.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(LiveNstError):
    """An invalid option or argument; the exit code of the command line is 2."""

    exit_code = 2


class ModelError(LiveNstError):
    """A model that cannot be found or used."""


class DownloadError(ModelError):
    """A model that cannot be downloaded."""


class SplitError(ModelError):
    """A model in which nothing depends on the style alone, so that no style can be cached."""


class DeviceError(LiveNstError):
    """A processor or library that is not available."""


class StyleError(LiveNstError):
    """A style image, name or mix that cannot be used."""


class SourceError(LiveNstError):
    """A camera, stream or file that cannot be opened or read."""


class SourceLostError(SourceError):
    """A source that was open and is gone; opening it again may help."""


class SinkError(LiveNstError):
    """An output that cannot be opened or written."""


class DisplayError(SinkError):
    """A window that cannot be opened."""


class RecordingError(SinkError):
    """A recording that cannot be written."""


class VirtualCameraError(SinkError):
    """A virtual camera that cannot be opened or written."""


class StreamError(SinkError):
    """A network stream, its encoder or its sound that cannot be opened or used."""


class ServerError(LiveNstError):
    """A server that cannot be started."""


class ControlError(LiveNstError):
    """A running session that cannot be reached, or that refuses what it is asked for."""


class ConversionError(LiveNstError):
    """A conversion that failed; finished parts are kept for the next run."""


class ConversionCancelled(ConversionError):
    """A conversion that was cancelled; the exit code of the command line is 130."""

    exit_code = 130
