"""A virtual camera that other programs can select."""

from functools import partial

import numpy as np
import pyvirtualcam

from live_nst.errors import VirtualCameraError
from live_nst.sinks.card import draw_card
from live_nst.sinks.geometry import letterbox, pad_to_even, round_up_to_even
from live_nst.sinks.virtual_camera_setup import HostSystem, virtual_camera_error
from live_nst.types import Closeable, Frame, Image

CARD_LINES = ("live-nst", "the camera starts")
CARD_RATE = 1.0


class VirtualCamera(Closeable):
    """A virtual camera: v4l2loopback on Linux, OBS on Windows and macOS.

    Its size is fixed while it is open: frames of another size are scaled to fit, with black bars.

    Args:
        device: "/dev/video10" on Linux, a name of a camera elsewhere; None for the first one found.
        fps: Frames per second, for readers and as `rate` of this sink.
        size: (width, height) in pixels; odd sides are rounded up.
        backend: A backend of pyvirtualcam; None for all that this system has.
        system: Searched for the cause if it cannot be opened; None for this system.

    Raises:
        VirtualCameraError: There is no such camera, or it cannot be written to. The hint says what
            to type on this system.
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
        self._system = system or HostSystem()
        open_camera = partial(
            pyvirtualcam.Camera,
            *self._size,
            fps,
            fmt=pyvirtualcam.PixelFormat.BGR,
            device=device,
            backend=backend,
        )
        try:
            try:
                self._camera = open_camera()
            except RuntimeError:  # the errors of all backends in one
                if not self._system.revive(device):
                    raise
                self._camera = open_camera()
        except RuntimeError as exc:
            raise virtual_camera_error(device, str(exc), self._system) from exc
        self._open = True
        self._device = str(self._camera.device)
        self.name = f"virtual camera {self._device}"
        self.rate: float | None = fps
        self._fps = fps
        self._card: Image | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self._size

    @property
    def device(self) -> str:
        """Its device file or name."""
        return self._device

    def rest(self) -> None:
        """Show a card instead of frames, once in a second, which keeps the device a camera."""
        if self._card is None:
            self._card = draw_card(self._size, CARD_LINES)
            self.rate = CARD_RATE

    def wake(self) -> None:
        """Show frames again."""
        self._card = None
        self.rate = self._fps

    def write(self, frame: Frame) -> None:
        """Write one frame of any size; while it rests, the card.

        Raises:
            VirtualCameraError: The device accepts no more frames.
        """
        if not self._open:
            raise VirtualCameraError(f"the {self.name} is closed")
        card = self._card
        if card is None:
            card = np.ascontiguousarray(letterbox(pad_to_even(frame.image), self._size))
        try:
            self._camera.send(card)
        except (RuntimeError, OSError) as exc:
            raise VirtualCameraError(
                f"the {self.name} accepts no more frames: {exc}", "start live-nst again"
            ) from exc

    def close(self) -> None:
        """Free the device. Calling it again does nothing."""
        if self._open:
            self._open = False
            self._camera.close()
            # Otherwise v4l2loopback 0.12 with exclusive_caps=1 takes no writer again.
            self._system.revive(self.device, was_ours=True)
