"""Tell whether a program reads a virtual camera of v4l2loopback.

From version 0.13 on the driver says so, by an event at each start and end of a reader's stream.
Before that, inotify counts who has the device open.
"""

import ctypes
import os
import select
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from live_nst.errors import VirtualCameraError
from live_nst.types import Closeable

CLIENT_USAGE_EVENT = 0x08000000 + 0x08E00000 + 1
"""V4L2_EVENT_PRI_CLIENT_USAGE of v4l2loopback.h: V4L2_EVENT_PRIVATE_START and an offset."""

_SEND_INITIAL = 1  # V4L2_EVENT_SUB_FL_SEND_INITIAL: the first event comes at once
_COUNT_OFFSET = 8  # of the number of readers in struct v4l2_event

_IN_CLOSE_WRITE, _IN_CLOSE_NOWRITE, _IN_OPEN = 0x08, 0x10, 0x20
_INOTIFY_EVENT = struct.Struct("iIII")  # struct inotify_event without the name

Ioctl = Callable[[int, int, Any], int]


class DeviceUsage(Protocol):
    """Tells whether a program reads a device. One thread uses it."""

    def wait(self, timeout: float) -> bool:
        """Return whether a program reads now; after a change at once, else after `timeout` s."""
        ...

    def close(self) -> None:
        """Watch no more. Calling it again does nothing."""
        ...


class UsageEvents(Closeable):
    """Asks the driver itself: v4l2loopback from 0.13 on.

    Args:
        device: The device file.
        ioctl: Talks to the driver; None for that of the system.

    Raises:
        OSError: The driver has no such event, or the device cannot be opened.
    """

    is_exact = True

    def __init__(self, device: str, ioctl: Ioctl | None = None) -> None:
        from linuxpy.video import raw

        self._raw = raw
        self._ioctl = ioctl or _system_ioctl()
        self._in_use = False
        self._handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        request = raw.v4l2_event_subscription(type=CLIENT_USAGE_EVENT, id=0, flags=_SEND_INITIAL)
        try:
            self._ioctl(self._handle, int(raw.IOC.SUBSCRIBE_EVENT), request)
        except OSError:
            self.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._handle, select.POLLPRI)

    def wait(self, timeout: float) -> bool:
        """See `DeviceUsage.wait`."""
        if self._poll.poll(1000 * timeout):
            self._read_events()
        return self._in_use

    def close(self) -> None:
        """Unsubscribe. Calling it again does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _read_events(self) -> None:
        while True:
            event = self._raw.v4l2_event()
            try:
                self._ioctl(self._handle, int(self._raw.IOC.DQEVENT), event)
            except OSError:  # there are no more
                return
            if event.type == CLIENT_USAGE_EVENT:
                (readers,) = struct.unpack_from("I", bytes(event), _COUNT_OFFSET)
                self._in_use = readers > 0
            if not event.pending:
                return


class OpenWatch(Closeable):
    """Counts who has a file open, from now on: for drivers that cannot be asked.

    Args:
        device: The file.
        already_open: How often others have it open already.

    Raises:
        OSError: The system cannot watch it.
    """

    is_exact = False

    def __init__(self, device: str, already_open: int = 0) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._open = already_open
        self._handle = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._handle < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        mask = _IN_OPEN | _IN_CLOSE_WRITE | _IN_CLOSE_NOWRITE
        if libc.inotify_add_watch(self._handle, os.fsencode(device), mask) < 0:
            number = ctypes.get_errno()
            self.close()
            raise OSError(number, os.strerror(number))
        self._poll = select.poll()
        self._poll.register(self._handle, select.POLLIN)

    def wait(self, timeout: float) -> bool:
        """See `DeviceUsage.wait`."""
        if self._poll.poll(1000 * timeout):
            self._read_events()
        return self._open > 0

    def close(self) -> None:
        """Watch no more. Calling it again does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _read_events(self) -> None:
        try:
            data = os.read(self._handle, 65536)
        except BlockingIOError:
            return
        place = 0
        while place + _INOTIFY_EVENT.size <= len(data):
            _, mask, _, length = _INOTIFY_EVENT.unpack_from(data, place)
            place += _INOTIFY_EVENT.size + length
            if mask & _IN_OPEN:
                self._open += 1
            elif mask & (_IN_CLOSE_WRITE | _IN_CLOSE_NOWRITE):
                self._open = max(0, self._open - 1)  # one that was open before


def watch_usage(device: str) -> UsageEvents | OpenWatch:
    """Watch a virtual camera in the best way that its driver offers.

    Raises:
        VirtualCameraError: This system has no way.
    """
    if not sys.platform.startswith("linux"):
        raise VirtualCameraError(
            "--on-demand works on Linux only: other systems do not tell who uses a virtual camera",
            "leave out --on-demand",
        )
    try:
        return UsageEvents(device)
    except OSError:
        pass
    try:
        return OpenWatch(device, count_open(device))
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise VirtualCameraError(
            f"{device} cannot be watched: {reason}", "leave out --on-demand"
        ) from exc


def count_open(device: str, processes: Path = Path("/proc")) -> int:
    """Return how often other processes have a file open, as far as this user may know.

    Args:
        device: The file.
        processes: The folder of processes.
    """
    real, count = os.path.realpath(device), 0
    for folder in processes.glob("[0-9]*/fd"):
        if folder.parent.name == str(os.getpid()):
            continue
        try:
            links = [os.readlink(entry) for entry in folder.iterdir()]
        except OSError:  # a process of someone else, or one that has ended
            continue
        count += links.count(real)
    return count


def _system_ioctl() -> Ioctl:
    import fcntl

    return fcntl.ioctl
