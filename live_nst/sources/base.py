"""The interface of all sources of live frames."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from live_nst.errors import UsageError
from live_nst.types import Frame


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """The size and rate to ask a camera or the demo for.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        fps: Frames per second.
    """

    width: int = 1280
    height: int = 720
    fps: float = 30.0


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) from a text such as "1280x720".

    Raises:
        UsageError: The text has another form.
    """
    sides = text.strip().lower().split("x")
    if len(sides) != 2 or not all(side.isdecimal() and len(side) <= 5 for side in sides):
        raise UsageError(f"Invalid size {text!r}", "write it as 1280x720")
    return int(sides[0]), int(sides[1])


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source provides, which may differ from the request.

    Attributes:
        name: Name for people: "camera 0 (HD Webcam)", "demo".
        width: Width of the frames in pixels, as far as the source knows.
        height: Height of the frames in pixels.
        fps: Nominal frames per second; 0.0 if unknown.
        detail: One more fact for people, such as the pixel format; may be empty.
        paused_until_read: Whether it starts at the first `read`, as a file does and no camera.
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
    """A source of live frames. One thread opens, reads and closes it.

    Rules for every source:
        - The constructor opens it, and raises `SourceError` with a hint if that fails.
        - `read` blocks until the next frame, but not longer than about five seconds: then it
          raises `SourceLostError`.
        - `read` never returns a frame twice, and never one that is older than it must be.
        - A source never writes into an image that it has returned.
        - The size of frames may change from one to the next.
    """

    @property
    def info(self) -> SourceInfo:
        """What this source provides."""
        ...

    def read(self) -> Frame | None:
        """Return the next frame, or None after the last one.

        `Frame.time` is `time.monotonic()` at capture.

        Raises:
            SourceLostError: The source is gone; opening it again may help.
            SourceError: The source is damaged; opening it again does not help.
        """
        ...

    def close(self) -> None:
        """Release the device. Calling it again does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class InterruptibleSource(Protocol):
    """What a source has as well if its `read` may wait for something that never comes.

    Without it, whoever stops reading waits until `read` returns by itself.
    """

    def interrupt(self) -> None:
        """Let `read` return None at once, also one that is called later.

        Any thread may call this, at any time; it does not block.
        """
        ...
