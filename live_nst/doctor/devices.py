"""Check cameras, the display and the virtual camera."""

import importlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from live_nst.doctor.finding import Finding, Severity
from live_nst.errors import DisplayError, SourceError
from live_nst.sinks.virtual_camera_setup import HostSystem, virtual_camera_error
from live_nst.sinks.x11 import require_display
from live_nst.sources.devices import CameraDevice, find_camera, list_cameras


def check_cameras(
    cameras: Callable[[], Iterable[CameraDevice]] = list_cameras,
    find: Callable[[int | str], CameraDevice] = find_camera,
) -> Iterator[Finding]:
    """Report the cameras, and why one cannot be used.

    Args:
        cameras: Lists them.
        find: Raises a `SourceError` that explains why a camera cannot be used.
    """
    found = list(cameras())
    if not found:
        hint = "connect one, or use --source demo or the address of a stream"
        yield Finding("camera", Severity.NOTE, "no camera was found", hint)
    for device in found:
        text = ", ".join(filter(None, (str(device), device.path, device.note)))
        if device.usable:
            yield Finding("camera", Severity.OK, text)
            continue
        try:
            find(device.path or device.index)
        except SourceError as exc:
            yield Finding("camera", Severity.NOTE, text, exc.hint)
        else:
            yield Finding("camera", Severity.OK, str(device))  # it has become free meanwhile


def check_display(
    require: Callable[[], tuple[int, int] | None] = require_display,
) -> Iterator[Finding]:
    """Check that a window can be opened.

    Args:
        require: Returns the size of the screen in pixels, None if it is unknown, or raises a
            `DisplayError`.
    """
    try:
        size = require()
    except DisplayError as exc:
        yield Finding("display", Severity.NOTE, exc.message, exc.hint)
    else:
        yield Finding("display", Severity.OK, f"{size[0]}x{size[1]}" if size else "available")


def check_virtual_camera(
    system: HostSystem | None = None, load: Callable[[str], Any] = importlib.import_module
) -> Iterator[Finding]:
    """Check the devices that `--virtual-camera` could write to.

    Args:
        system: The system to look at; None for this one.
        load: Imports a module by its name.
    """
    topic = "virtual camera"
    try:
        load("pyvirtualcam")
    except ImportError as exc:
        text = f"pyvirtualcam does not load: {exc}"
        yield Finding(topic, Severity.FAULT, text, "pip install --force-reinstall pyvirtualcam")
        return
    system = system or HostSystem()
    if not system.platform.startswith("linux"):
        text = "pyvirtualcam loads; OBS is looked for when it is used"
        yield Finding(topic, Severity.OK, text)
        return
    devices = system.loopbacks()
    if not devices:
        error = virtual_camera_error(None, "", system)
        yield Finding(topic, Severity.NOTE, error.message, error.hint)
    for device in devices:
        capability = system.capability(device)
        if capability and capability.output:
            yield Finding(topic, Severity.OK, f"{device} is ready")
        else:
            error = virtual_camera_error(device, "", system)
            yield Finding(topic, Severity.NOTE, error.message, error.hint)
