"""The controls of the kernel's virtual webcam."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from live_nst.sources.devices import CameraDevice


@contextmanager
def control(camera: CameraDevice, name: str, value: int) -> Iterator[None]:
    """Set one of vivid's controls; it is back at 0, and this handle closed, afterwards."""
    from linuxpy.video import device as v4l2

    handle = os.open(camera.path, os.O_RDWR | os.O_NONBLOCK)
    try:
        number = next(
            known.id for known in v4l2.iter_read_controls(handle) if known.name == name.encode()
        )
        v4l2.set_control(handle, number, value)
        yield
        if name != "Disconnect":
            v4l2.set_control(handle, number, 0)
    finally:
        os.close(handle)
