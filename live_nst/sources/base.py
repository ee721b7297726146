"""What a source of live frames owes its reader."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from live_nst.types import Frame


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What is asked of a camera or of the demo; what was granted stands in `SourceInfo`.

    Attributes:
        width: Pixels.
        height: Pixels.
        fps: Frames per second.
    """

    width: int = 1280
    height: int = 720
    fps: float = 30.0


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source really gives.

    Attributes:
        name: For people: "camera 0 (HD Webcam)", "demo".
        width: Pixels of the frames, as far as the source knows.
        height: Pixels.
        fps: Frames per second that the source promises; 0.0 when it does not say.
        detail: One more fact worth telling, such as the pixel format; may be empty.
        waits: Whether it stands still until it is first read, as a file does and no camera.
    """

    name: str
    width: int
    height: int
    fps: float
    detail: str = ""
    paused_until_read: bool = False

    def __str__(self) -> str:
        rate = f" at {self.fps:g} fps" if self.fps else ""
        detail = f", {self.detail}" if self.detail else ""
        return f"{self.name}: {self.width}x{self.height}{rate}{detail}"


class Source(Protocol):
    """Live frames, one at a time. The thread that opened it reads it and closes it.

    Obligations:
        - Opening happens in the constructor, which raises `SourceError` with a hint.
        - `read` may block until the next frame is there, but no longer than about five seconds:
          then it raises `SourceLostError`. It never gives the same frame twice, never returns
          a frame later than it must (no buffering), and never writes into a frame it has given.
        - Frames may change their size from one to the next.
    """

    @property
    def info(self) -> SourceInfo:
        """What was granted."""
        ...

    def read(self) -> Frame | None:
        """The next frame, its `time` being `time.monotonic()` at capture; None after the last.

        Raises:
            SourceLostError: The source went away; opening a new one may help.
            SourceError: What comes is damaged for good.
        """
        ...

    def close(self) -> None:
        """Free the device. Calling it again does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
