"""What a sink owes the pipeline that feeds it."""

from types import TracebackType
from typing import Protocol, Self

from live_nst.types import Frame


class Sink(Protocol):
    """A place where stylized frames go: a recording, a virtual camera.

    Obligations:
        - Opening happens in the constructor, which raises a `SinkError` with a hint.
        - `write` may block for as long as the device takes: the pipeline calls it from a thread
          of its own. It does not keep or change the picture.
        - Frames may change their size; the sink keeps the size that it promised to its reader.
        - `close` finishes the file or frees the device, may be called twice, and is called from
          whatever thread wrote last (or the one that opened it, if none did).

    Attributes:
        name: For people: "recording out.mp4".
        rate: None: every stylized frame is written once, as it comes. A number: the newest frame
            is written that many times a second, repeated when there is none newer.
    """

    name: str
    rate: float | None

    def write(self, frame: Frame) -> None:
        """Take one frame: BGR uint8 of any size, its time in seconds on the monotonic clock.

        Raises:
            SinkError: It cannot be written, now or ever again.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def close(self) -> None:
        """Finish. What was written until now stays usable, also after an error.

        Raises:
            SinkError: It could not be finished properly.
        """
        ...
