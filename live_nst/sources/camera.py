"""A camera as a source, through OpenCV."""

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
"""Time that OpenCV waits for a frame on Linux before it gives up; whole seconds only."""

_MAX_BROKEN_FRAMES = 5
"""Frames in a row that may fail to decode. Cheap cameras send a broken one now and then."""


class VideoCapture(Protocol):
    """The part of `cv2.VideoCapture` that is used here."""

    def isOpened(self) -> bool: ...  # noqa: D102
    def get(self, prop: int, /) -> float: ...  # noqa: D102
    def set(self, prop: int, value: float, /) -> bool: ...  # noqa: D102
    def grab(self) -> bool: ...  # noqa: D102
    def retrieve(self) -> tuple[bool, Any]: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


CaptureOpener = Callable[[int | str, int, Sequence[int]], VideoCapture]
"""Opens (index or device file, OpenCV backend, [property, value, ...])."""


def configure_opencv() -> None:
    """Set the environment variables that OpenCV reads at import; call this before importing cv2.

    Variables that the user has set stay as they are.
    """
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(_STALL_SECONDS))
    # Without this, opening a camera on Windows takes up to a minute.
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    # Otherwise its threads spin for 0.5 ms after each call, on cores that the network needs.
    os.environ.setdefault("OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER", "0")


class CameraSource(Closeable):
    """Live frames of one camera.

    It asks for MJPG, because many cameras reach their full rate at 720p only with it. `info` shows
    what the camera chose.

    Args:
        which: The camera's index, device file, or part of its name.
        request: Size and rate to ask for.
        capture: Opens the device; None for `cv2.VideoCapture`.
        locate: Finds the device, or raises `SourceError`.

    Raises:
        SourceError: The camera does not exist or cannot be opened.
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
        self._capture = _open(device, request, capture or _open_with_opencv)
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
        """What the camera chose; `detail` has the pixel format, and the request if it differs."""
        return self._info

    def read(self) -> Frame:
        """Return the next frame; wait for it about three seconds at most.

        Raises:
            SourceLostError: The camera was unplugged, stalls, or sends only broken frames.
        """
        for _ in range(_MAX_BROKEN_FRAMES):
            if not self._capture.grab():
                raise SourceLostError(f"{self._name} stopped sending frames", "check its cable")
            captured = time.monotonic()
            self._index += 1
            decoded, array = self._capture.retrieve()
            if decoded and array is not None and array.size:
                return Frame(_as_bgr(array, self._name), self._index, captured)
        raise SourceLostError(f"{self._name} sends broken frames", "check its cable")

    def close(self) -> None:
        """Release the camera. Calling it again does nothing."""
        self._capture.release()


def _open_with_opencv(target: int | str, backend: int, properties: Sequence[int]) -> VideoCapture:
    """Open a `cv2.VideoCapture` without OpenCV's own warnings."""
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # OpenCV's type stubs have one signature for each type of target.
    if isinstance(target, str):
        return cv2.VideoCapture(target, backend, properties)
    return cv2.VideoCapture(target, backend, properties)


def _open(device: CameraDevice, request: SourceRequest, opener: CaptureOpener) -> VideoCapture:
    """Open `device` with the properties of `request`. The result may be closed: it failed."""
    import cv2

    backends = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_MSMF}
    backend = backends.get(sys.platform, cv2.CAP_ANY)
    target = device.path if sys.platform == "linux" and device.path else device.index
    # The format comes first: sizes and rates depend on it.
    properties = {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: request.width,
        cv2.CAP_PROP_FRAME_HEIGHT: request.height,
        cv2.CAP_PROP_FPS: round(request.fps),
    }
    opened = opener(target, backend, [number for pair in properties.items() for number in pair])
    if opened.isOpened():
        return opened
    opened.release()
    # A backend that lacks one of the properties (AVFoundation lacks the format) does not open with
    # it. After opening, it ignores that one.
    opened = opener(target, backend, [])
    if opened.isOpened():
        for name, value in properties.items():
            opened.set(name, value)
    return opened


def _source_info(capture: VideoCapture, name: str, request: SourceRequest) -> SourceInfo:
    """Return what the open camera reports."""
    import cv2

    width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    fps = max(capture.get(cv2.CAP_PROP_FPS), 0.0)
    detail = [_fourcc_text(int(capture.get(cv2.CAP_PROP_FOURCC)))]
    if (width, height) != (request.width, request.height) or abs(fps - request.fps) > 0.5:
        detail.append(f"asked {request.width}x{request.height} at {request.fps:g}")
    return SourceInfo(name, width, height, fps, ", ".join(filter(None, detail)))


def _fourcc_text(fourcc: int) -> str:
    """Return the four letters of a pixel format; "" if the backend reports none."""
    text = "".join(chr(fourcc >> shift & 0xFF) for shift in (0, 8, 16, 24)).strip()
    return text if text.isascii() and text.isprintable() else ""


def _as_bgr(array: Any, name: str) -> Image:
    """Return a captured array as BGR uint8 ``[height, width, 3]``, without a copy if it is that.

    Raises:
        SourceLostError: The format cannot be converted.
    """
    import cv2

    channels = 1 if array.ndim == 2 else array.shape[2]
    to_bgr = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}
    if array.dtype == np.uint8 and (channels == 3 or channels in to_bgr):
        image: Image = array if channels == 3 else cv2.cvtColor(array, to_bgr[channels])
        return image
    raise SourceLostError(
        f"{name} sends an unsupported frame format: {array.dtype} {list(array.shape)}",
        "choose another camera",
    )
