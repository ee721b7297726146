"""Find out why a virtual camera cannot be opened, and which commands correct it."""

import os
import re
import struct
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
    """What the driver of a video device reports.

    Attributes:
        driver: Its name, such as "v4l2 loopback" or "uvcvideo".
        output: Whether frames can be written to the device now.
        capture: Whether frames can be read from the device now.
    """

    driver: str
    output: bool
    capture: bool


def query_capability(device: str) -> DeviceCapability | None:
    """Query the driver of a device; None if it is no video device or cannot be opened."""
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


def claim_and_leave(device: str) -> None:
    """Take a device for writing, and leave it again.

    v4l2loopback 0.12 with exclusive_caps=1 takes a writer again only after one has left that had
    called VIDIOC_STREAMON. Programs that call write() alone, as pyvirtualcam does, never call it.
    """
    import fcntl

    from linuxpy.video import raw

    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return
    try:
        output = struct.pack("i", raw.BufType.VIDEO_OUTPUT)
        fcntl.ioctl(descriptor, int(raw.IOC.STREAMON), output)
    except OSError:
        pass  # without a format it cannot stream, but it has marked the writer by then
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class HostSystem:
    """The parts of the operating system that are searched for the cause.

    Attributes:
        platform: As `sys.platform`.
        module: Folder of the kernel module v4l2loopback; it exists while the module is loaded.
        devices: Folder of the devices.
        capability: Queries the driver of a device.
        claim: Takes a device for writing, and leaves it again.
    """

    platform: str = sys.platform
    module: Path = Path("/sys/module/v4l2loopback")
    devices: Path = Path("/dev")
    capability: Callable[[str], DeviceCapability | None] = field(default=query_capability)
    claim: Callable[[str], None] = field(default=claim_and_leave)

    def revive(self, device: str | None, *, was_ours: bool = False) -> bool:
        """Make a v4l2loopback device take a writer again that was written to once.

        Args:
            device: The device; None for the first one that needs it.
            was_ours: Whether this program has just written to it. Otherwise one that is read stays
                as it is: another program may write to it.

        Returns:
            Whether a device takes a writer now that took none before.
        """
        if not self.platform.startswith("linux"):
            return False
        for path in self.loopbacks() if device is None else [device]:
            before = self.capability(path)
            if (
                before is not None
                and before.driver == LOOPBACK_DRIVER
                and not before.output
                and (was_ours or not before.capture)
            ):
                self.claim(path)
                after = self.capability(path)
                return after is not None and after.output
        return False

    def loopbacks(self) -> list[str]:
        """Return the v4l2loopback devices that can be opened."""
        found = []
        for path in sorted(self.devices.glob("video*")):
            capability = self.capability(str(path))
            if capability and capability.driver == LOOPBACK_DRIVER:
                found.append(str(path))
        return found


def virtual_camera_error(device: str | None, reason: str, system: HostSystem) -> VirtualCameraError:
    """Return an error that says why a virtual camera cannot be opened.

    Args:
        device: The device that was asked for; None for any.
        reason: The error of the library; used where no other cause is found.
        system: Searched for the cause.
    """
    if system.platform.startswith("linux"):
        return _on_linux(device, reason, system)
    reason = _one_line(reason)
    message = f"Cannot open the virtual camera: {reason}"
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
    """Join the lines of an error of the library to a part of a sentence."""
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
            f"No permission to write to {device}",
            "join the group that owns it with `sudo usermod -aG video $USER`, then log out and in",
        )
    capability = system.capability(device)
    if capability is None or capability.driver != LOOPBACK_DRIVER:
        return _not_a_loopback(device, capability, system)
    if not capability.output:
        return _no_output(device, capability, system)
    return VirtualCameraError(
        f"Cannot open the virtual camera {device}: {_one_line(reason)}",
        f"close every program that uses it (`fuser {device}` lists them), or reload it with "
        f"`sudo modprobe -r v4l2loopback && {_load(device)}`",
    )


def _no_loopback(system: HostSystem) -> VirtualCameraError:
    if system.module.exists():
        return VirtualCameraError(
            "The kernel module v4l2loopback is loaded, but none of its devices can be opened",
            "join the group that owns them with `sudo usermod -aG video $USER`, then log out and "
            f"in; or reload it with `sudo modprobe -r v4l2loopback && {_load(None)}`",
        )
    return VirtualCameraError(
        "There is no virtual camera: the kernel module v4l2loopback is not loaded",
        f"load it with `{_load(None)}`; if it is not installed, {INSTALL}",
    )


def _no_such_device(device: str, system: HostSystem) -> VirtualCameraError:
    if not system.module.exists():
        return VirtualCameraError(
            f"There is no {device}: the kernel module v4l2loopback is not loaded",
            f"load it with `{_load(device)}`; if it is not installed, {INSTALL}",
        )
    found = system.loopbacks()
    others = f"use {' or '.join(found)}, or " if found else ""
    return VirtualCameraError(
        f"There is no {device}",
        f"{others}reload v4l2loopback with `sudo modprobe -r v4l2loopback && {_load(device)}`",
    )


def _not_a_loopback(
    device: str, capability: DeviceCapability | None, system: HostSystem
) -> VirtualCameraError:
    found = system.loopbacks()
    kind = f"a device of the driver {capability.driver}" if capability else "no video device"
    hint = f"use {' or '.join(found)}" if found else f"create a virtual camera with `{_load(None)}`"
    return VirtualCameraError(f"{device} is {kind}, not a virtual camera", hint)


def _no_output(device: str, capability: DeviceCapability, system: HostSystem) -> VirtualCameraError:
    """Explain a v4l2loopback device that reports that nothing can be written to it.

    Loaded with exclusive_caps=1, a device reports one direction at a time: output while no program
    writes to it, capture while one does. Before version 0.13, output never comes back.
    """
    if capability.capture:
        return VirtualCameraError(
            f"Another program is writing to the virtual camera {device}",
            f"close that program (`fuser {device}` finds it), or use another device",
        )
    version = _version(system)
    which = f"v4l2loopback {version}" if version else "v4l2loopback before 0.13"
    return VirtualCameraError(
        f"{device} was written to once and cannot be again: {which}, loaded with "
        "exclusive_caps=1, allows that only once",
        f"close the programs that read it and reload it with `sudo modprobe -r v4l2loopback && "
        f"{_load(device, exclusive_caps=0)}`; browsers may not list it then: for those, keep "
        "exclusive_caps=1 and reload it before every start, or install v4l2loopback 0.13 or "
        "newer",
    )


def _version(system: HostSystem) -> str:
    """Return the version of the loaded module; empty if it is not known."""
    path = system.module / "version"
    return path.read_text().strip() if path.exists() else ""


def _number(device: str | None) -> int:
    """Return the N of /dev/videoN, or `DEFAULT_NUMBER`."""
    match = re.search(r"(\d+)$", device or "")
    return int(match.group(1)) if match else DEFAULT_NUMBER


def _load(device: str | None, exclusive_caps: int = 1) -> str:
    """Return the command that creates one virtual camera."""
    return (
        f"sudo modprobe v4l2loopback devices=1 video_nr={_number(device)} "
        f'card_label="live-nst" exclusive_caps={exclusive_caps}'
    )
