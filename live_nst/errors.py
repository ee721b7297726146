"""All errors that live-nst raises on purpose.

    LiveNstError                 the base of all
    +-- UsageError               an invalid option or argument (exit code 2)
    +-- ModelError               a model cannot be loaded or used
    |   +-- DownloadError        it cannot be downloaded
    |   +-- SplitError           it has no style part that can run separately
    +-- DeviceError              the requested processor is not available
    +-- StyleError               an invalid style image, name or mix
    +-- SourceError              a camera, stream or file cannot be opened or read
    |   +-- SourceLostError      it was open and disappeared: opening it again may help
    +-- SinkError                an output cannot be opened or written
    |   +-- DisplayError         no window can be opened
    |   +-- RecordingError       the recording cannot be written
    |   +-- VirtualCameraError   the virtual camera cannot be opened or written
    +-- ConversionError          a conversion failed; what is finished is kept
        +-- ConversionCancelled  it was stopped (exit code 130)

Errors of other libraries are translated where they appear, with `from exc`.
"""


class LiveNstError(Exception):
    """An error with a message for the user and, if there is a solution, a hint.

    Args:
        message: A sentence that says what is wrong.
        hint: What the user can do; empty if there is nothing.
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
    """A model that cannot be loaded or used."""


class DownloadError(ModelError):
    """A model that cannot be downloaded."""


class SplitError(ModelError):
    """A model in which nothing depends on the style alone, so that nothing can be cached."""


class DeviceError(LiveNstError):
    """The requested processor is not available."""


class StyleError(LiveNstError):
    """An invalid style image, name or mix."""


class SourceError(LiveNstError):
    """A camera, stream or file that cannot be opened or read."""


class SourceLostError(SourceError):
    """A source that was open and disappeared; opening it again may help."""


class SinkError(LiveNstError):
    """An output that cannot be opened or written."""


class DisplayError(SinkError):
    """No window can be opened."""


class RecordingError(SinkError):
    """The recording cannot be written."""


class VirtualCameraError(SinkError):
    """The virtual camera cannot be opened or written."""


class ConversionError(LiveNstError):
    """A conversion that failed; what is finished is kept."""


class ConversionCancelled(ConversionError):
    """A conversion that was stopped; the exit code of the command line is 130."""

    exit_code = 130
