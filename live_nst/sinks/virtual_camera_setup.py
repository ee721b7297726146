"""Why a virtual camera cannot be opened, and the commands that mend it on this system."""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from live_nst.errors import VirtualCameraError

LOOPBACK_DRIVER = "v4l2 loopback"
DEFAULT_NUMBER = 10
INSTALL = (
    "install it with `sudo apt install v4l2loopback-dkms` (Fedora: `sudo dnf install v4l2loopback`,"
    " Arch: `sudo pacman -S v4l2loopback-dkms`)"
)


@dataclass(frozen=True, slots=True)
class DeviceCapability:
    """What a video device says about itself.

    Attributes:
        driver: "v4l2 loopback", "uvcvideo", ...
        output: Frames can be written to it now.
        capture: Frames can be read from it now.
    """

    driver: str
    output: bool
    capture: bool


def query_capability(device: str) -> DeviceCapability | None:
    """Ask a video device's driver about it; None if it is no video device or cannot be opened."""
    from linuxpy.video import raw
    from linuxpy.video.device import read_capabilities

    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        answer = read_capabilities(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    flags = answer.capabilities
    return DeviceCapability(
        driver=answer.driver.decode(errors="replace"),
        output=bool(flags & raw.Capability.VIDEO_OUTPUT),
        capture=bool(flags & raw.Capability.VIDEO_CAPTURE),
    )


@dataclass(frozen=True, slots=True)
class HostSystem:
    """The parts of the operating system that are looked at.

    Attributes:
        platform: As `sys.platform`.
        module: The kernel's folder about v4l2loopback; it exists while the module is loaded.
        devices: The folder that holds the devices.
        capability: Asks a device's driver.
    """

    platform: str = sys.platform
    module: Path = Path("/sys/module/v4l2loopback")
    devices: Path = Path("/dev")
    capability: Callable[[str], DeviceCapability | None] = field(default=query_capability)

    def loopbacks(self) -> list[str]:
        """The v4l2loopback devices that can be opened."""
        found = []
        for path in sorted(self.devices.glob("video*")):
            capability = self.capability(str(path))
            if capability and capability.driver == LOOPBACK_DRIVER:
                found.append(str(path))
        return found


def virtual_camera_error(device: str | None, reason: str, system: HostSystem) -> VirtualCameraError:
    """Say why a virtual camera could not be opened.

    Args:
        device: The device that was asked for; None if any would have done.
        reason: What the library said; used where nothing better is found.
        system: Where to look.
    """
    if system.platform.startswith("linux"):
        return _on_linux(device, reason, system)
    reason = _one_line(reason)
    message = f"the virtual camera cannot be opened: {reason}"
    if system.platform == "darwin":
        return VirtualCameraError(
            message,
            "install OBS 30 or newer (https://obsproject.com) on macOS 13 or newer, click "
            "'Start Virtual Camera' in it once, allow its system extension in System Settings, "
            "then click 'Stop Virtual Camera', quit OBS and start live-nst again",
        )
    return VirtualCameraError(
        message,
        "install OBS 26 or newer (https://obsproject.com), click 'Start Virtual Camera' and "
        "'Stop Virtual Camera' in it once, quit OBS and start live-nst again",
    )


def _one_line(reason: str) -> str:
    """The library's errors, one a line, as a part of a sentence."""
    return "; ".join(reason.rstrip(".").split("\n"))


def _on_linux(device: str | None, reason: str, system: HostSystem) -> VirtualCameraError:
    if device is None:
        found = system.loopbacks()
        if not found:
            return _no_loopback(system)
        device = found[0]
    if not Path(device).exists():
        return _no_such_device(device, system)
    if not os.access(device, os.R_OK | os.W_OK):
        return VirtualCameraError(
            f"you may not write to {device}",
            "join the group that owns it with `sudo usermod -aG video $USER`, then log out and in",
        )
    capability = system.capability(device)
    if capability is None or capability.driver != LOOPBACK_DRIVER:
        return _not_a_loopback(device, capability, system)
    if not capability.output:
        return _no_output(device, capability, system)
    return VirtualCameraError(
        f"the virtual camera {device} cannot be opened: {_one_line(reason)}",
        f"close every program that uses it (`fuser {device}` lists them), or load it anew with "
        f"`sudo modprobe -r v4l2loopback && {_load(device)}`",
    )


def _no_loopback(system: HostSystem) -> VirtualCameraError:
    if system.module.exists():
        return VirtualCameraError(
            "the kernel module v4l2loopback is loaded, but none of its devices can be opened",
            "join the group that owns them with `sudo usermod -aG video $USER`, then log out and "
            f"in; or load it anew with `sudo modprobe -r v4l2loopback && {_load(None)}`",
        )
    return VirtualCameraError(
        "there is no virtual camera: the kernel module v4l2loopback is not loaded",
        f"load it with `{_load(None)}`; if it is not installed, {INSTALL}",
    )


def _no_such_device(device: str, system: HostSystem) -> VirtualCameraError:
    if not system.module.exists():
        return VirtualCameraError(
            f"there is no {device}: the kernel module v4l2loopback is not loaded",
            f"load it with `{_load(device)}`; if it is not installed, {INSTALL}",
        )
    found = system.loopbacks()
    others = f"use {' or '.join(found)}, or " if found else ""
    return VirtualCameraError(
        f"there is no {device}",
        f"{others}load v4l2loopback anew with `sudo modprobe -r v4l2loopback && {_load(device)}`",
    )


def _not_a_loopback(
    device: str, capability: DeviceCapability | None, system: HostSystem
) -> VirtualCameraError:
    found = system.loopbacks()
    kind = f"a device of the driver {capability.driver}" if capability else "no video device"
    way_out = (
        f"use {' or '.join(found)}" if found else f"make a virtual camera with `{_load(None)}`"
    )
    return VirtualCameraError(f"{device} is {kind}, not a virtual camera", way_out)


def _no_output(device: str, capability: DeviceCapability, system: HostSystem) -> VirtualCameraError:
    """The device is a loopback, yet says that nothing can be written to it.

    Loaded with exclusive_caps=1 it offers one direction at a time: output while nobody feeds it,
    capture while somebody does. Before 0.13 output does not come back after the first time.
    """
    if capability.capture:
        return VirtualCameraError(
            f"another program is feeding the virtual camera {device}",
            f"close that program (`fuser {device}` finds it), or use another device",
        )
    version = _version(system)
    which = f"v4l2loopback {version}" if version else "v4l2loopback before 0.13"
    return VirtualCameraError(
        f"{device} was fed once and cannot be fed again: {which}, loaded with exclusive_caps=1, "
        "allows that only once",
        f"close the programs that read it and load it anew with `sudo modprobe -r v4l2loopback && "
        f"{_load(device, exclusive_caps=0)}`; browsers may not list it then: for those, keep "
        "exclusive_caps=1 and load it anew before every start, or install v4l2loopback 0.13 or "
        "newer",
    )


def _version(system: HostSystem) -> str:
    """The loaded module's version; empty if it does not say."""
    path = system.module / "version"
    return path.read_text().strip() if path.exists() else ""


def _number(device: str | None) -> int:
    """The N of /dev/videoN; our default where there is none."""
    match = re.search(r"(\d+)$", device or "")
    return int(match.group(1)) if match else DEFAULT_NUMBER


def _load(device: str | None, exclusive_caps: int = 1) -> str:
    """The command that makes one virtual camera."""
    return (
        f"sudo modprobe v4l2loopback devices=1 video_nr={_number(device)} "
        f'card_label="live-nst" exclusive_caps={exclusive_caps}'
    )
