"""The contract between the live pipeline and its sinks."""

from typing import Protocol

from live_nst.types import Frame


class Sink(Protocol):
    """A place where stylized frames go, such as a recording or a virtual camera.

    Each sink follows these rules:
        - The constructor opens the file or device. It raises a `SinkError` with a hint.
        - `write` may block: the pipeline calls it in a thread of the sink's own. It does not change
          the image, which nobody else changes either.
        - Frames may change their size. The sink keeps the size that its readers know.
        - `close` finishes the file or frees the device. It may be called twice, and is called in
          the thread that wrote last, or in the one that opened the sink if none wrote.

    Attributes:
        name: What messages call it: "recording out.mp4".
        rate: None: each stylized frame is written once, when it comes. A number: the newest frame
            is written that many times per second, repeated if there is no newer one. The number
            may change.
    """

    name: str
    rate: float | None

    def write(self, frame: Frame) -> None:
        """Write one frame: BGR uint8 of any size, its time in seconds on the monotonic clock.

        Raises:
            SinkError: It cannot be written, and no other frame can be.
        """
        ...

    def close(self) -> None:
        """Finish. What was written so far stays usable, also after an error.

        Raises:
            SinkError: It cannot be finished properly.
        """
        ...
