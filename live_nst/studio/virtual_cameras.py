"""The virtual cameras of the machine, as pages see and switch them."""

import sys
import time
from collections.abc import Callable

from live_nst.errors import VirtualCameraError
from live_nst.live.session import LiveSession
from live_nst.sinks.virtual_camera_setup import HostSystem
from live_nst.studio.models import VirtualCameraState
from live_nst.studio.requests import RequestError

_FRESH_SECONDS = 5.0  # they are looked for no more often


class VirtualCameras:
    """Feeds a virtual camera or stops it. Any thread may call everything here.

    Args:
        installed: Returns the devices that frames can be written to; None where that is not known
            before one is opened.
    """

    def __init__(self, installed: Callable[[], list[str] | None]) -> None:
        self._installed = installed
        self._problem = ""
        self._devices: tuple[float, list[str] | None] = (-1e9, None)

    def state(self, session: LiveSession | None) -> VirtualCameraState:
        """Return what a page shows of them."""
        now = time.monotonic()
        if now - self._devices[0] > _FRESH_SECONDS:
            self._devices = now, self._installed()
        devices = self._devices[1]
        name = session.virtual_camera if session is not None else None
        return VirtualCameraState(
            on=name is not None,
            device=(name or "").removeprefix("virtual camera "),
            problem="" if name else self._problem,
            available=devices is None or bool(devices),
        )

    def feed(self, session: LiveSession, on: bool, device: str | None) -> None:
        """Feed a virtual camera, or stop it; see `Studio.feed_virtual_camera`."""
        self._problem = ""
        if not on:
            session.stop_virtual_camera()
            return
        devices = self._installed()
        if device is not None and device not in (devices if devices is not None else [device]):
            raise RequestError(422, "There is no such virtual camera.", "leave out the device")
        try:
            session.start_virtual_camera(device)
        except VirtualCameraError as exc:
            self._problem = str(exc)
            raise


def installed_virtual_cameras() -> list[str] | None:
    """Return the virtual cameras of this machine; None where there is no list of them."""
    if not sys.platform.startswith("linux"):
        return None
    return HostSystem().loopbacks()
