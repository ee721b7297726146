"""The cameras of this machine: which there are, what they can do, and why one cannot be used.

On Linux the video nodes are asked themselves, through linuxpy; elsewhere the operating system's
own list is read, through cv2-enumerate-cameras, which knows names but no modes.
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

_LOOPBACK = "v4l2 loopback"


class CameraProblem(StrEnum):
    """Why a camera cannot be used; the value is a note for people."""

    MISSING = "not there"
    NO_PERMISSION = "no permission"
    BUSY = "busy"
    NO_VIDEO = "gives no video"
    UNFED = "virtual camera that no program feeds"
    BROKEN = "does not answer"


@dataclass(frozen=True, slots=True)
class CameraMode:
    """One way in which a camera can be run.

    Attributes:
        fourcc: Pixel format, four letters: "MJPG", "YUYV".
        width: Pixels.
        height: Pixels.
        fps: Frames per second on offer, falling; empty when the driver does not say.
    """

    fourcc: str
    width: int
    height: int
    fps: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraDevice:
    """One camera.

    Attributes:
        index: The number to call it by.
        path: Its device file; empty where the system has none.
        name: What it calls itself; may be empty.
        driver: The kernel driver (Linux) or OpenCV's capture backend.
        modes: What it can do, as far as it tells.
        trouble: Why it cannot be used now; None when nothing is known against it.
        note: One remark for people; may be empty.
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
        """Whether nothing is known against opening it now."""
        return self.problem is None

    def __str__(self) -> str:
        return f"camera {self.index} ({self.name})" if self.name else f"camera {self.index}"


def list_cameras() -> list[CameraDevice]:
    """Every camera of this machine, by index; those that cannot be used say why.

    Nodes that can never give pictures (metadata, codecs) are left out; a virtual camera that
    nobody feeds is kept, since it will give pictures as soon as somebody does.
    """
    if sys.platform == "linux":
        devices = [probe_device(path) for path in glob.glob("/dev/video[0-9]*")]
        kept = [device for device in devices if device.problem is not CameraProblem.NO_VIDEO]
    else:
        kept = list(_cameras_by_system())
    return sorted(kept, key=lambda device: device.index)


def find_camera(which: int | str) -> CameraDevice:
    """The camera that is meant, if it can be used.

    Args:
        which: Its index, its device file, or any part of its name in upper or lower case.

    Raises:
        SourceError: There is none such, the name fits several, or it cannot be used now.
    """
    if isinstance(which, str) and not which.startswith("/dev/"):
        device = _find_by_name(which, list_cameras())
    elif sys.platform == "linux":
        device = probe_device(which if isinstance(which, str) else f"/dev/video{which}")
    else:
        device = _find_by_index(which, list_cameras())
    if device.problem:
        raise _refusal(which, device, device.problem)
    return device


def probe_device(path: str) -> CameraDevice:
    """What a V4L2 node says of itself (Linux only). Never raises: trouble is part of the answer."""
    index = _node_index(path)
    name = _sysfs_name(path)
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as exc:
        problem = _open_trouble(exc)
        return CameraDevice(index, path, name, problem=problem, note=str(problem))
    try:
        return _interview(handle, index, path, name)
    finally:
        os.close(handle)


def _interview(handle: int, index: int, path: str, name: str) -> CameraDevice:
    """Ask the open node `handle` for its driver, abilities and modes."""
    from linuxpy.video import device as v4l2

    # It warns of every pixel format that it does not know; nobody needs to read that.
    logging.getLogger("linuxpy").setLevel(logging.ERROR)
    try:
        said = v4l2.read_capabilities(handle)
    except OSError as exc:
        problem = (
            CameraProblem.NO_VIDEO
            if exc.errno in (errno.ENOTTY, errno.EINVAL)
            else CameraProblem.BROKEN
        )
        return CameraDevice(index, path, name, problem=problem, note=str(problem))
    driver = said.driver.decode(errors="replace")
    name = said.card.decode(errors="replace") or name
    abilities = v4l2.Capability(said.device_caps)
    single = bool(abilities & v4l2.Capability.VIDEO_CAPTURE)
    if not single and not abilities & v4l2.Capability.VIDEO_CAPTURE_MPLANE:
        # With exclusive_caps=1 the loopback shows itself as a camera only while it is fed.
        problem = CameraProblem.UNFED if driver == _LOOPBACK else CameraProblem.NO_VIDEO
        return CameraDevice(index, path, name, driver, problem=problem, note=str(problem))
    modes = _modes(handle) if single else ()
    if driver == _LOOPBACK:
        return CameraDevice(index, path, name, driver, modes, note="virtual camera")
    busy = CameraProblem.BUSY if single and _is_busy(handle) else None
    return CameraDevice(index, path, name, driver, modes, busy, str(busy or ""))


def _modes(handle: int) -> tuple[CameraMode, ...]:
    """The formats, sizes and rates on offer; those that can be had when the driver stumbles."""
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
                modes.append(CameraMode(fourcc, width, height, _falling(rates)))
    except OSError:
        # What was told until here is still true, and a listing must not end at a bad driver.
        logging.getLogger(__name__).debug("the modes could not be read in full", exc_info=True)
    return tuple(modes)


def _falling(rates: Iterable[object]) -> tuple[float, ...]:
    """Frames per second out of linuxpy's intervals, each once, the fastest first."""
    ends = {float(getattr(rate, end)) for rate in rates for end in ("min_fps", "max_fps")}
    return tuple(round(fps, 3) for fps in sorted(ends, reverse=True) if fps > 0)


def _is_busy(handle: int) -> bool:
    """Whether another program streams: setting the format that is set fails only then."""
    from linuxpy.video import device as v4l2

    try:
        v4l2.set_raw_format(handle, v4l2.get_raw_format(handle, v4l2.BufferType.VIDEO_CAPTURE))
    except OSError as exc:
        return exc.errno == errno.EBUSY
    return False


def _open_trouble(exc: OSError) -> CameraProblem:
    """What an error of `open` means for a camera."""
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
    """The number of a node, links such as /dev/v4l/by-id/... followed; -1 when it has none."""
    number = re.fullmatch(r"video(\d+)", Path(os.path.realpath(path)).name)
    return int(number[1]) if number else -1


def _sysfs_name(path: str) -> str:
    """The name that the kernel gives a node, known without permission to open it."""
    node = Path(os.path.realpath(path)).name
    try:
        return Path("/sys/class/video4linux", node, "name").read_text(errors="replace").strip()
    except OSError:
        return ""


def _cameras_by_system() -> Iterable[CameraDevice]:
    """The cameras as Windows or macOS lists them, in the numbering of OpenCV's own backend."""
    import cv2
    from cv2_enumerate_cameras import enumerate_cameras

    backend = cv2.CAP_MSMF if sys.platform == "win32" else cv2.CAP_AVFOUNDATION
    driver = cv2.videoio_registry.getBackendName(backend)
    for camera in enumerate_cameras(backend):
        yield CameraDevice(camera.index, camera.path or "", camera.name or "", driver)


def _find_by_index(which: int | str, cameras: Sequence[CameraDevice]) -> CameraDevice:
    """The camera of that number; one unknown to the system's list may still open."""
    if not isinstance(which, int) or which < 0:
        return CameraDevice(-1, problem=CameraProblem.MISSING)
    return next((device for device in cameras if device.index == which), CameraDevice(which))


def _find_by_name(name: str, cameras: Sequence[CameraDevice]) -> CameraDevice:
    """The one camera whose name is, or else contains, `name`.

    Raises:
        SourceError: None does, or several do.
    """
    wanted = name.casefold()
    whole = [device for device in cameras if device.name.casefold() == wanted]
    found = whole or [device for device in cameras if wanted in device.name.casefold()]
    if not found:
        raise SourceError(f"there is no camera called '{name}'", _offer(cameras))
    if len(found) > 1:
        raise SourceError(
            f"several cameras are called '{name}'", f"choose one by its number: {_names(found)}"
        )
    return found[0]


def _refusal(which: int | str, device: CameraDevice, problem: CameraProblem) -> SourceError:
    """The error for a camera in trouble, with the way out."""
    label = str(device) if device.name else _label(which)
    if problem is CameraProblem.NO_PERMISSION:
        return SourceError(
            f"no permission to open {label}",
            "run `sudo usermod -aG video $USER`, then log out and in again",
        )
    if problem is CameraProblem.BUSY:
        return SourceError(
            f"another program is using {label}",
            f"close it; `fuser -v {device.path}` names it",
        )
    if problem is CameraProblem.BROKEN:
        return SourceError(
            f"{label} does not answer",
            "unplug the camera and plug it in again",
        )
    others = [other for other in list_cameras() if other.index != device.index]
    if problem is CameraProblem.UNFED:
        return SourceError(
            f"no program feeds {label}, a virtual camera",
            f"start the program that writes to it; {_offer(others)}",
        )
    if problem is CameraProblem.NO_VIDEO:
        return SourceError(f"{label} gives no video", _offer(others))
    return SourceError(f"there is no {label}", _offer(others))


def _label(which: int | str) -> str:
    return f"camera {which}" if isinstance(which, int) else f"device {which}"


def _offer(cameras: Sequence[CameraDevice]) -> str:
    """A hint that names the cameras there are."""
    if not cameras:
        return "no camera was found; connect one, or use `--source demo`"
    return f"cameras here: {_names(cameras)}"


def _names(cameras: Sequence[CameraDevice]) -> str:
    return ", ".join(f"{device.index} ({device.name or device.path})" for device in cameras)
