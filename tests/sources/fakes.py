"""Stand-ins and makers that the tests of sources share."""

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from live_nst.sources.devices import CameraDevice
from live_nst.types import Image

TICKS = 1000
"""Time base of the files made here: milliseconds."""


class FakeClock:
    """A clock that moves only when it is told to sleep."""

    def __init__(self, cost: float = 0.0) -> None:
        self.time = 100.0
        self._cost = cost

    def now(self) -> float:
        self.time += self._cost
        return self.time

    def sleep(self, seconds: float) -> None:
        assert math.isfinite(seconds)
        self.time += max(seconds, 0.0)


class FakeCapture:
    """What a camera driver may do, in place of `cv2.VideoCapture`.

    Args:
        pictures: What `retrieve` gives, in turn; None is a picture that cannot be decoded. After
            the last one, `grab` fails.
        granted: Width, height, rate and format that the camera insists on.
        refuses_wishes: Opens only if nothing is asked of it, as AVFoundation does.
        opens: Whether it opens at all.
    """

    def __init__(
        self,
        pictures: Iterable[Any] = (),
        granted: tuple[int, int, float, str] = (64, 48, 30.0, "MJPG"),
        *,
        refuses_wishes: bool = False,
        opens: bool = True,
    ) -> None:
        self._pictures = iter(pictures)
        self._refuses_wishes = refuses_wishes
        self._opens = opens
        width, height, fps, fourcc = granted
        self._properties = {
            cv2.CAP_PROP_FRAME_WIDTH: width,
            cv2.CAP_PROP_FRAME_HEIGHT: height,
            cv2.CAP_PROP_FPS: fps,
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*fourcc) if fourcc else 0,
        }
        self.calls: list[tuple[int | str, int, dict[int, int]]] = []
        self.asked_later: dict[int, float] = {}
        self.released = 0
        self._open = False

    def __call__(self, target: int | str, backend: int, wishes: Sequence[int]) -> "FakeCapture":
        asked = dict(zip(wishes[::2], wishes[1::2], strict=True))
        self.calls.append((target, backend, asked))
        self._open = self._opens and not (wishes and self._refuses_wishes)
        return self

    def isOpened(self) -> bool:
        return self._open

    def get(self, prop: int, /) -> float:
        return self._properties[prop]

    def set(self, prop: int, value: float, /) -> bool:
        self.asked_later[prop] = value
        return True

    def grab(self) -> bool:
        try:
            self._grabbed = next(self._pictures)
        except StopIteration:
            return False
        return self._open

    def retrieve(self) -> tuple[bool, Any]:
        return self._grabbed is not None, self._grabbed

    def release(self) -> None:
        self.released += 1
        self._open = False


@dataclass
class FakeShot:
    """What `mss.MSS.grab` returns: BGRA."""

    raw: bytearray
    size: tuple[int, int]


class FakeScreens:
    """Stands in for `mss.MSS`: screens side by side, each of one color that changes with time.

    Args:
        sizes: Their sizes.
        scale: Pixels captured for each pixel asked for.
        failure: Raised by every grab, if set.
    """

    def __init__(self, *sizes: tuple[int, int], scale: int = 1) -> None:
        lefts = [sum(width for width, _ in sizes[:number]) for number in range(len(sizes) + 1)]
        boxes = [(lefts[-1], max((height for _, height in sizes), default=0)), *sizes]
        self.monitors = [
            {"left": left, "top": 0, "width": width, "height": height}
            for left, (width, height) in zip([0, *lefts], boxes, strict=False)
        ]
        self._scale = scale
        self.grabbed: list[dict[str, int]] = []
        self.closed = 0
        self.failure: Exception | None = None

    def __call__(self) -> "FakeScreens":
        return self

    def grab(self, monitor: dict[str, int], /) -> FakeShot:
        if self.failure is not None:
            raise self.failure
        self.grabbed.append(monitor)
        width, height = self._scale * monitor["width"], self._scale * monitor["height"]
        pixel = bytes((10 * len(self.grabbed) % 256, monitor["left"] % 256, 200, 0))
        return FakeShot(bytearray(pixel * (width * height)), (width, height))

    def close(self) -> None:
        self.closed += 1


def found(which: int | str) -> CameraDevice:
    """A `locate` that finds everything."""
    return CameraDevice(0, "/dev/video0", "Test Cam")


def picture(level: int, width: int = 64, height: int = 48) -> Image:
    """A picture without symmetry: `level` everywhere, a blue corner at the top left."""
    image = np.full((height, width, 3), level, np.uint8)
    image[: height // 4, : width // 4] = (255, 0, 0)
    return image


def write_video(
    target: Any,
    seconds: Sequence[float],
    *,
    codec: str = "ffv1",
    pixels: str = "bgr0",
    container: str | None = None,
    draw: Callable[[int], Image] = lambda number: picture(10 * number),
    rate: int = 30,
    options: dict[str, str] | None = None,
    aspect: Fraction | None = None,
) -> None:
    """Write one picture for each time in `seconds`; lossless unless told otherwise.

    `aspect` is the width of a pixel divided by its height.
    """
    with av.open(target, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, options=options or {})
        height, width = draw(0).shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.time_base = Fraction(1, TICKS)
        stream.codec_context.time_base = Fraction(1, TICKS)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        out.start_encoding()
        for number, second in enumerate(seconds):
            frame = av.VideoFrame.from_ndarray(draw(number), format="bgr24")
            frame.pts, frame.time_base = round(second * TICKS), Fraction(1, TICKS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def write_sound(path: Path) -> None:
    """Write a tenth of a second of silence."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        silence.sample_rate = 8000
        out.mux(stream.encode(silence))
        out.mux(stream.encode(None))


class InThread:
    """Runs `work` beside a test, and sees to its end; `stopping` is set when it should return."""

    def __init__(self, work: Callable[[threading.Event], None]) -> None:
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=work, args=(self.stopping,))

    def __enter__(self) -> "InThread":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
