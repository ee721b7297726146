"""List the cameras of this machine, find one of them, and tell why it cannot be used.

On Linux, linuxpy queries the video nodes. On other systems, cv2-enumerate-cameras reads the
system's own list, which has names but no modes.
"""

import errno
import glob
import logging
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from live_nst.errors import SourceError

_LOOPBACK_DRIVER = "v4l2 loopback"


class CameraProblem(StrEnum):
    """Why a camera cannot be used. The value is a note for people."""

    MISSING = "not found"
    NO_PERMISSION = "no permission"
    BUSY = "busy"
    NO_VIDEO = "gives no video"
    NO_INPUT = "virtual camera that no program writes to"
    BROKEN = "does not respond"


@dataclass(frozen=True, slots=True)
class CameraMode:
    """One mode that a camera offers.

    Attributes:
        fourcc: Pixel format, four letters: "MJPG", "YUYV".
        width: Width in pixels.
        height: Height in pixels.
        fps: The rates in frames per second, highest first; empty if the driver has no list.
    """

    fourcc: str
    width: int
    height: int
    fps: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraDevice:
    """One camera.

    Attributes:
        index: Its number for `--source`.
        path: Its device file; empty where the system has none.
        name: Its own name; may be empty.
        driver: The kernel driver (Linux) or OpenCV's capture backend.
        modes: The modes that it offers, as far as they are known.
        problem: Why it cannot be used now; None if no reason is known.
        note: A remark for people; may be empty.
    """

    index: int
    path: str = ""
    name: str = ""
    driver: str = ""
    modes: tuple[CameraMode, ...] = ()
    problem: CameraProblem | None = None
    note: str = ""

    @property
    def usable(self) -> bool:
        """Whether it has no known problem."""
        return self.problem is None

    def __str__(self) -> str:
        return f"camera {self.index} ({self.name})" if self.name else f"camera {self.index}"


def list_cameras() -> list[CameraDevice]:
    """Return every camera by index, with the problems of those that cannot be used.

    Nodes that never give video (metadata, codecs) are left out. A virtual camera without input is
    kept: it gives video as soon as a program writes to it.
    """
    if sys.platform == "linux":
        devices = [probe_device(path) for path in glob.glob("/dev/video[0-9]*")]
        cameras = [device for device in devices if device.problem is not CameraProblem.NO_VIDEO]
    else:
        cameras = list(_cameras_of_system())
    return sorted(cameras, key=lambda camera: camera.index)


def find_camera(which: int | str) -> CameraDevice:
    """Return the camera that is meant, if it can be used.

    Args:
        which: Its index, its device file, or any part of its name in upper or lower case.

    Raises:
        SourceError: It is not found, its name is ambiguous, or it cannot be used now.
    """
    if isinstance(which, str) and not which.startswith("/dev/"):
        device = _find_by_name(which, list_cameras())
    elif sys.platform == "linux":
        device = probe_device(which if isinstance(which, str) else f"/dev/video{which}")
    else:
        device = _find_by_index(which, list_cameras())
    if device.problem:
        raise _problem_error(which, device, device.problem)
    return device


def probe_device(path: str) -> CameraDevice:
    """Query a V4L2 node (Linux only). It never raises: a problem is part of the result."""
    index = _node_index(path)
    name = _sysfs_name(path)
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as exc:
        return _unusable(index, path, name, _problem_of_open(exc))
    try:
        return _query(handle, index, path, name)
    finally:
        os.close(handle)


def _unusable(
    index: int, path: str, name: str, problem: CameraProblem, driver: str = ""
) -> CameraDevice:
    return CameraDevice(index, path, name, driver, problem=problem, note=str(problem))


def _query(handle: int, index: int, path: str, name: str) -> CameraDevice:
    """Read driver, capabilities and modes of the open node `handle`."""
    from linuxpy.video import device as v4l2

    # It logs a warning for every pixel format that it does not know.
    logging.getLogger("linuxpy").setLevel(logging.ERROR)
    try:
        answer = v4l2.read_capabilities(handle)
    except OSError as exc:
        no_video = exc.errno in (errno.ENOTTY, errno.EINVAL)
        problem = CameraProblem.NO_VIDEO if no_video else CameraProblem.BROKEN
        return _unusable(index, path, name, problem)
    driver = answer.driver.decode(errors="replace")
    name = answer.card.decode(errors="replace") or name
    capabilities = v4l2.Capability(answer.device_caps)
    single_plane = bool(capabilities & v4l2.Capability.VIDEO_CAPTURE)
    if not single_plane and not capabilities & v4l2.Capability.VIDEO_CAPTURE_MPLANE:
        # With exclusive_caps=1 the loopback is a camera only while a program writes to it.
        loopback = driver == _LOOPBACK_DRIVER
        problem = CameraProblem.NO_INPUT if loopback else CameraProblem.NO_VIDEO
        return _unusable(index, path, name, problem, driver)
    modes = _modes(handle) if single_plane else ()
    if driver == _LOOPBACK_DRIVER:
        return CameraDevice(index, path, name, driver, modes, note="virtual camera")
    busy = CameraProblem.BUSY if single_plane and _is_busy(handle) else None
    return CameraDevice(index, path, name, driver, modes, busy, str(busy or ""))


def _modes(handle: int) -> tuple[CameraMode, ...]:
    """Read formats, sizes and rates; after an error of the driver, those until then."""
    from linuxpy.video import device as v4l2

    modes = []
    try:
        for offer in v4l2.iter_read_formats(handle, v4l2.BufferType.VIDEO_CAPTURE):
            fourcc = v4l2.human_pixel_format(offer.pixel_format)
            for size in v4l2.iter_read_frame_sizes(handle, offer.pixel_format):
                discrete = size.type == v4l2.FrameSizeType.DISCRETE
                width = size.info.width if discrete else size.info.max_width
                height = size.info.height if discrete else size.info.max_height
                rates = v4l2.iter_read_frame_intervals(handle, offer.pixel_format, width, height)
                modes.append(CameraMode(fourcc, width, height, _descending(rates)))
    except OSError:
        logging.getLogger(__name__).debug("the modes could not be read in full", exc_info=True)
    return tuple(modes)


def _descending(intervals: Iterable[object]) -> tuple[float, ...]:
    """Return the frames per second of linuxpy's intervals, each once, highest first."""
    rates = {float(getattr(each, end)) for each in intervals for end in ("min_fps", "max_fps")}
    return tuple(round(fps, 3) for fps in sorted(rates, reverse=True) if fps > 0)


def _is_busy(handle: int) -> bool:
    """Return whether another program streams: only then setting the current format fails."""
    from linuxpy.video import device as v4l2

    try:
        v4l2.set_raw_format(handle, v4l2.get_raw_format(handle, v4l2.BufferType.VIDEO_CAPTURE))
    except OSError as exc:
        return exc.errno == errno.EBUSY
    return False


def _problem_of_open(exc: OSError) -> CameraProblem:
    """Return what an error of `os.open` means for a camera."""
    if exc.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR):
        return CameraProblem.MISSING
    if exc.errno in (errno.EACCES, errno.EPERM):
        return CameraProblem.NO_PERMISSION
    if exc.errno == errno.EBUSY:
        return CameraProblem.BUSY
    if exc.errno == errno.EISDIR:
        return CameraProblem.NO_VIDEO
    return CameraProblem.BROKEN


def _node_index(path: str) -> int:
    """Return the number of a node, also through links (/dev/v4l/by-id/...); -1 if it has none."""
    number = re.fullmatch(r"video(\d+)", Path(os.path.realpath(path)).name)
    return int(number[1]) if number else -1


def _sysfs_name(path: str) -> str:
    """Return the kernel's name for a node, which needs no permission to open it."""
    node = Path(os.path.realpath(path)).name
    try:
        return Path("/sys/class/video4linux", node, "name").read_text(errors="replace").strip()
    except OSError:
        return ""


def _cameras_of_system() -> Iterable[CameraDevice]:
    """List the cameras of Windows or macOS, numbered as OpenCV's backend numbers them."""
    import cv2
    from cv2_enumerate_cameras import enumerate_cameras

    backend = cv2.CAP_MSMF if sys.platform == "win32" else cv2.CAP_AVFOUNDATION
    driver = cv2.videoio_registry.getBackendName(backend)
    for camera in enumerate_cameras(backend):
        yield CameraDevice(camera.index, camera.path or "", camera.name or "", driver)


def _find_by_index(which: int | str, cameras: Sequence[CameraDevice]) -> CameraDevice:
    """Return the camera with that number. One that the system does not list may still open."""
    if not isinstance(which, int) or which < 0:
        return CameraDevice(-1, problem=CameraProblem.MISSING)
    return next((camera for camera in cameras if camera.index == which), CameraDevice(which))


def _find_by_name(name: str, cameras: Sequence[CameraDevice]) -> CameraDevice:
    """Return the camera whose name is `name` or, if there is none, contains it.

    Raises:
        SourceError: There is none, or there are several.
    """
    wanted = name.casefold()
    equal = [camera for camera in cameras if camera.name.casefold() == wanted]
    found = equal or [camera for camera in cameras if wanted in camera.name.casefold()]
    if not found:
        raise SourceError(f"camera '{name}' not found", _available(cameras))
    if len(found) > 1:
        raise SourceError(
            f"several cameras match '{name}'", f"choose one by its number: {_names(found)}"
        )
    return found[0]


def _problem_error(which: int | str, device: CameraDevice, problem: CameraProblem) -> SourceError:
    """Return the error for a camera that cannot be used, with a hint."""
    number = f"camera {which}" if isinstance(which, int) else f"device {which}"
    label = str(device) if device.name else number
    if problem is CameraProblem.NO_PERMISSION:
        return SourceError(
            f"no permission to open {label}",
            "run `sudo usermod -aG video $USER`, then log out and in again",
        )
    if problem is CameraProblem.BUSY:
        return SourceError(
            f"another program is using {label}", f"close it; `fuser -v {device.path}` names it"
        )
    if problem is CameraProblem.BROKEN:
        return SourceError(f"{label} does not respond", "unplug the camera and plug it in again")
    others = [other for other in list_cameras() if other.index != device.index]
    if problem is CameraProblem.NO_INPUT:
        return SourceError(
            f"no program writes to {label}, a virtual camera",
            f"start the program that writes to it; {_available(others)}",
        )
    if problem is CameraProblem.NO_VIDEO:
        return SourceError(f"{label} gives no video", _available(others))
    return SourceError(f"{label} not found", _available(others))


def _available(cameras: Sequence[CameraDevice]) -> str:
    """Return a hint with the names of the cameras."""
    if not cameras:
        return "no camera was found; connect one, or use `--source demo`"
    return f"available cameras: {_names(cameras)}"


def _names(cameras: Sequence[CameraDevice]) -> str:
    return ", ".join(f"{camera.index} ({camera.name or camera.path})" for camera in cameras)
