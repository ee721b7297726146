"""A camera, through OpenCV."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from live_nst.errors import SourceError, SourceLostError
from live_nst.sources.base import SourceInfo, SourceRequest
from live_nst.sources.devices import CameraDevice, find_camera
from live_nst.types import Closeable, Frame, Image

_STALL_SECONDS = 3
"""How long OpenCV waits for a frame on Linux before it gives up; whole seconds only."""

_MAX_BROKEN_FRAMES = 5
"""Pictures in a row that may fail to decode. Cheap cameras send a torn one now and then."""


class VideoCapture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool: ...  # noqa: D102

    def get(self, prop: int, /) -> float: ...  # noqa: D102

    def set(self, prop: int, value: float, /) -> bool: ...  # noqa: D102

    def grab(self) -> bool: ...  # noqa: D102

    def retrieve(self) -> tuple[bool, Any]: ...  # noqa: D102

    def release(self) -> None: ...  # noqa: D102


CaptureOpener = Callable[[int | str, int, Sequence[int]], VideoCapture]
"""Opens (index or device file, OpenCV backend, [property, value, ...])."""


def configure_opencv() -> None:
    """Set what OpenCV reads from the environment; call it before cv2 is first imported.

    What the user has set stays.
    """
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(_STALL_SECONDS))
    # Without this, opening a camera on Windows takes up to a minute.
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    # Else its worker threads spin for half a millisecond after every call, on the network's cores.
    os.environ.setdefault("OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER", "0")


class CameraSource(Closeable):
    """Live frames of one camera.

    MJPG is asked for, since many cameras reach their rate at 720p only with it. What the camera
    granted instead stands in `info`.

    Args:
        which: Index, device file, or part of the camera's name.
        request: Size and rate to ask for.
        capture: Opens the device; `cv2.VideoCapture` by default.
        locate: Finds the device that `which` means, or raises `SourceError`.

    Raises:
        SourceError: No such camera, or it cannot be opened.
    """

    def __init__(
        self,
        which: int | str,
        request: SourceRequest,
        *,
        capture: CaptureOpener | None = None,
        locate: Callable[[int | str], CameraDevice] = find_camera,
    ) -> None:
        configure_opencv()
        device = locate(which)
        self._name = str(device) if device.index >= 0 else device.path
        self._capture = _open(device, request, capture or _opencv)
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceError(
                f"{self._name} cannot be started",
                "close other programs that use it, allow access in the system's privacy "
                "settings, or plug it in again",
            )
        self._index = -1
        self._info = _source_info(self._capture, self._name, request)

    @property
    def info(self) -> SourceInfo:
        """What was granted; `detail` has the pixel format, and what was asked if it differs."""
        return self._info

    def read(self) -> Frame:
        """The next frame; blocks until the camera has one, about three seconds at most.

        Raises:
            SourceLostError: The camera was unplugged, stalls, or sends only broken pictures.
        """
        for _ in range(_MAX_BROKEN_FRAMES):
            if not self._capture.grab():
                raise SourceLostError(f"{self._name} gives no more frames", "check its cable")
            moment = time.monotonic()
            self._index += 1
            done, picture = self._capture.retrieve()
            if done and picture is not None and picture.size:
                return Frame(_as_bgr(picture, self._name), self._index, moment)
        raise SourceLostError(f"{self._name} sends broken pictures", "check its cable")

    def close(self) -> None:
        """Free the camera. Calling it again does nothing."""
        self._capture.release()


def _opencv(target: int | str, backend: int, wishes: Sequence[int]) -> VideoCapture:
    """`cv2.VideoCapture`, without its warnings: failures are told in this package's own words."""
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # One call would do, were the stubs not written for each type of target apart.
    if isinstance(target, str):
        return cv2.VideoCapture(target, backend, wishes)
    return cv2.VideoCapture(target, backend, wishes)


def _open(device: CameraDevice, request: SourceRequest, opener: CaptureOpener) -> VideoCapture:
    """Open `device` with the wishes of `request`; the result may not be open."""
    import cv2

    backends = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_MSMF}
    backend = backends.get(sys.platform, cv2.CAP_ANY)
    target = device.path if sys.platform == "linux" and device.path else device.index
    # The format comes first: sizes and rates on offer depend on it.
    wishes = {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: request.width,
        cv2.CAP_PROP_FRAME_HEIGHT: request.height,
        cv2.CAP_PROP_FPS: round(request.fps),
    }
    opened = opener(target, backend, [number for pair in wishes.items() for number in pair])
    if opened.isOpened():
        return opened
    opened.release()
    # A backend that lacks one of the properties (AVFoundation: the format) refuses to open with
    # it. Asked afterwards, it ignores that one, and `info` tells what came of it.
    opened = opener(target, backend, [])
    if opened.isOpened():
        for wish, value in wishes.items():
            opened.set(wish, value)
    return opened


def _source_info(capture: VideoCapture, name: str, request: SourceRequest) -> SourceInfo:
    """What the open camera says that it gives."""
    import cv2

    width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    fps = max(capture.get(cv2.CAP_PROP_FPS), 0.0)
    detail = [_fourcc_text(int(capture.get(cv2.CAP_PROP_FOURCC)))]
    if (width, height) != (request.width, request.height) or abs(fps - request.fps) > 0.5:
        detail.append(f"asked {request.width}x{request.height} at {request.fps:g}")
    return SourceInfo(name, width, height, fps, ", ".join(filter(None, detail)))


def _fourcc_text(fourcc: int) -> str:
    """A pixel format's four letters; empty when the backend gave none."""
    text = "".join(chr(fourcc >> shift & 0xFF) for shift in (0, 8, 16, 24)).strip()
    return text if text.isascii() and text.isprintable() else ""


def _as_bgr(picture: Any, name: str) -> Image:
    """BGR uint8 ``[height, width, 3]`` from what a capture gave; no copy if it is that already.

    Raises:
        SourceLostError: It is a form of picture that has no BGR.
    """
    import cv2

    channels = 1 if picture.ndim == 2 else picture.shape[2]
    to_bgr = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}
    if picture.dtype == np.uint8 and (channels == 3 or channels in to_bgr):
        image: Image = picture if channels == 3 else cv2.cvtColor(picture, to_bgr[channels])
        return image
    raise SourceLostError(
        f"{name} sends pictures of an unknown form: {picture.dtype} {list(picture.shape)}",
        "choose another camera",
    )
