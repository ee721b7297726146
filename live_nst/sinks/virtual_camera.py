"""Stylized frames as a camera that other programs can choose."""

import numpy as np
import pyvirtualcam

from live_nst.errors import VirtualCameraError
from live_nst.sinks.geometry import letterbox, pad_to_even, round_up_to_even
from live_nst.sinks.virtual_camera_setup import HostSystem, virtual_camera_error
from live_nst.types import Closeable, Frame


class VirtualCamera(Closeable):
    """A virtual camera: v4l2loopback on Linux, OBS on Windows and macOS.

    Its size is fixed while it is open: frames of another size are scaled into it in proportion,
    on black.

    Args:
        device: "/dev/video10" on Linux, a camera's name elsewhere; None: the first one found.
        fps: Frames per second that readers are told; the pipeline writes at this `rate`.
        size: (width, height) in pixels; odd numbers are rounded up to even ones.
        backend: pyvirtualcam's name of one backend; None: all that this system has.
        system: Where to look for what is wrong when it cannot be opened.

    Raises:
        VirtualCameraError: There is no such camera, or it cannot be fed; the hint says what to
            type on this system.
    """

    def __init__(
        self,
        device: str | None,
        fps: float,
        size: tuple[int, int],
        *,
        backend: str | None = None,
        system: HostSystem | None = None,
    ) -> None:
        self._size = round_up_to_even(size)
        try:
            self._camera = pyvirtualcam.Camera(
                *self._size, fps, fmt=pyvirtualcam.PixelFormat.BGR, device=device, backend=backend
            )
        except RuntimeError as exc:  # pyvirtualcam gathers the errors of all backends in one
            raise virtual_camera_error(device, str(exc), system or HostSystem()) from exc
        self._open = True
        self.name = f"virtual camera {self._camera.device}"
        self.rate: float | None = fps

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels that readers see."""
        return self._size

    def write(self, frame: Frame) -> None:
        """Show one frame, of any size.

        Raises:
            VirtualCameraError: The device takes no more frames.
        """
        if not self._open:
            raise VirtualCameraError(f"the {self.name} is closed")
        image = np.ascontiguousarray(letterbox(pad_to_even(frame.image), self._size))
        try:
            self._camera.send(image)
        except (RuntimeError, OSError) as exc:
            raise VirtualCameraError(
                f"the {self.name} takes no more frames: {exc}", "start live-nst again"
            ) from exc

    def close(self) -> None:
        """Free the device. Calling it again does nothing."""
        if self._open:
            self._open = False
            self._camera.close()
