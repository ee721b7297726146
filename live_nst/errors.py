"""The one tree of errors.

    LiveNstError                 anything live-nst says no to
    +-- UsageError               an option or argument that cannot be meant (exit code 2)
    +-- ModelError               a model that cannot be had or used
    |   +-- DownloadError        it could not be fetched
    |   +-- SplitError           it has no style part that could run once
    +-- DeviceError              the processor asked for is not there
    +-- StyleError               a style picture, name or mix that cannot be used
    +-- SourceError              a camera, stream or file that cannot be opened
    |   +-- SourceLostError      it was open and went away: worth opening again
    +-- SinkError                a place where frames cannot go
        +-- DisplayError         no window can be opened
        +-- RecordingError       the recording cannot be written
        +-- VirtualCameraError   the virtual camera cannot be fed
    +-- ConversionError          a conversion that did not end as it should; what is done is kept
        +-- ConversionCancelled  it was told to stop (exit code 130)

Errors of other libraries are translated where they appear, `from exc`.
"""


class LiveNstError(Exception):
    """An error with a sentence for the user and, where there is one, a way out.

    Args:
        message: One sentence that says what is wrong.
        hint: What the user can do about it; empty when there is nothing.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(LiveNstError):
    """An option or argument that cannot be meant; the command line's exit code is 2."""

    exit_code = 2


class ModelError(LiveNstError):
    """A model that cannot be had or used."""


class DownloadError(ModelError):
    """A model that could not be fetched."""


class SplitError(ModelError):
    """A model in which nothing depends on the style alone, so that nothing can be cached."""


class DeviceError(LiveNstError):
    """The processor that was asked for is not there."""


class StyleError(LiveNstError):
    """A style picture, name or mix that cannot be used."""


class SourceError(LiveNstError):
    """A camera, stream or file that cannot be opened or read."""


class SourceLostError(SourceError):
    """A source that was open and went away; opening it again may help."""


class SinkError(LiveNstError):
    """A place where frames cannot go."""


class DisplayError(SinkError):
    """No window can be opened."""


class RecordingError(SinkError):
    """The recording cannot be written."""


class VirtualCameraError(SinkError):
    """The virtual camera cannot be opened or fed."""


class ConversionError(LiveNstError):
    """A conversion that did not end as it should; what was finished is kept."""


class ConversionCancelled(ConversionError):
    """A conversion that was told to stop; the command line's exit code is 130."""

    exit_code = 130
