"""The stylized video as JPEG pictures: for OBS, and for browsers that decode no video."""

import time
from dataclasses import dataclass

import cv2

from live_nst.live.session import LiveSession
from live_nst.studio.viewers import Viewer, Viewers
from live_nst.types import Closeable, Frame, Image

BOUNDARY = "live-nst-frame"
MOST_VIEWERS = 32
QUALITY = 80  # of a JPEG, in percent
_EARLY = 0.5  # of an interval: a picture that comes so much too early is sent nevertheless


class PictureViewer(Viewer[bytes]):
    """A viewer that gets the newest picture only.

    Args:
        width: Width of the pictures in pixels; None for that of the video.
        fps: The most pictures per second.
    """

    def __init__(self, width: int | None, fps: float) -> None:
        super().__init__(1)
        self.width = width
        self._interval = 1.0 / fps
        self._due = 0.0

    def is_due(self, now: float) -> bool:
        """Return whether it is time for a picture; if so, note when the next one is due."""
        if now < self._due - _EARLY * min(self._interval, 1 / 30):
            return False
        late = now - self._due >= self._interval
        self._due = (now if late else self._due) + self._interval
        return True


class PictureHub:
    """Makes each JPEG once for all viewers who want the same width.

    The thread of the sink makes them; while there are no viewers, nothing is made.
    """

    def __init__(self) -> None:
        self.viewers: Viewers[bytes] = Viewers("the pictures", MOST_VIEWERS)

    def attach(self, session: LiveSession) -> Closeable:
        """Make pictures of a session's frames until it ends."""
        sink = _PictureSink(self)
        session.pipeline.add_sink(sink)
        return sink

    def show(self, frame: Frame) -> None:
        """Give a frame to the viewers that it is time for; called by the thread of the sink."""
        now = time.monotonic()
        due: dict[int | None, list[PictureViewer]] = {}
        for viewer in self.viewers:
            assert isinstance(viewer, PictureViewer)
            if viewer.is_due(now):
                due.setdefault(viewer.width, []).append(viewer)
        for width, viewers in due.items():
            self._deliver(encode_jpeg(frame.image, width), tuple(viewers))

    def _deliver(self, picture: bytes, viewers: tuple[PictureViewer, ...]) -> None:
        def put() -> None:
            for viewer in viewers:
                viewer.put(picture)

        self.viewers.call(put)


@dataclass
class _PictureSink(Closeable):
    """The sink of a session that makes pictures."""

    hub: PictureHub
    name: str = "pictures for viewers"
    rate: float | None = None

    def write(self, frame: Frame) -> None:
        """Show a frame to the viewers."""
        if len(self.hub.viewers):
            self.hub.show(frame)

    def close(self) -> None:
        """Nothing to do."""


def encode_jpeg(image: Image, width: int | None = None, quality: int = QUALITY) -> bytes:
    """Return an image as JPEG.

    Args:
        image: BGR uint8 ``[height, width, 3]``.
        width: Scale it down to this width in pixels; None for its own.
        quality: 0 to 100.
    """
    if width is not None and width < image.shape[1]:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    _, data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return data.tobytes()


def encode_png(image: Image) -> bytes:
    """Return an image, BGR uint8 ``[height, width, 3]``, as PNG."""
    _, data = cv2.imencode(".png", image, (cv2.IMWRITE_PNG_COMPRESSION, 3))
    return data.tobytes()


def as_part(picture: bytes) -> bytes:
    """Return a JPEG as a part of a multipart answer.

    The boundary follows the picture: browsers show a part when the next one begins.
    """
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture + f"\r\n--{BOUNDARY}\r\n".encode()
