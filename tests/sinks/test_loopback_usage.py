import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from linuxpy.video import raw

from live_nst.errors import VirtualCameraError
from live_nst.sinks import loopback_usage
from live_nst.sinks.loopback_usage import (
    CLIENT_USAGE_EVENT,
    OpenWatch,
    UsageEvents,
    count_open,
    watch_usage,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="V4L2 and inotify are Linux's")


class FakeDriver:
    """v4l2loopback's events, by its ioctls.

    Args:
        supported: Whether it knows the event.
    """

    def __init__(self, supported: bool = True) -> None:
        self.supported = supported
        self.events: list[tuple[int, int]] = []
        self.subscribed: list[tuple[int, int]] = []

    def __call__(self, handle: int, request: int, argument: Any) -> int:
        if request == int(raw.IOC.SUBSCRIBE_EVENT):
            if not self.supported:
                raise OSError(errno.EINVAL, "Invalid argument")
            self.subscribed.append((argument.type, argument.flags))
            return 0
        assert request == int(raw.IOC.DQEVENT)
        if not self.events:
            raise OSError(errno.ENOENT, "No such file")
        kind, readers = self.events.pop(0)
        argument.type, argument.pending = kind, len(self.events)
        ctypes.memmove(ctypes.byref(argument, 8), readers.to_bytes(4, sys.byteorder), 4)
        return 0


class ReadyPoll:
    """Says that something is there to read, if it is."""

    def __init__(self, driver: FakeDriver) -> None:
        self._driver = driver

    def register(self, *_: Any) -> None: ...

    def poll(self, milliseconds: float) -> list[int]:
        return [1] if self._driver.events else []


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    fake = FakeDriver()
    monkeypatch.setattr("select.poll", lambda: ReadyPoll(fake))
    return fake


def test_events(driver: FakeDriver, tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()
    with UsageEvents(str(device), driver) as usage:
        assert driver.subscribed == [(CLIENT_USAGE_EVENT, 1)]
        assert CLIENT_USAGE_EVENT == 0x10E00001
        assert not usage.wait(0)
        driver.events = [(CLIENT_USAGE_EVENT, 1)]
        assert usage.wait(0)
        assert usage.wait(0)  # nothing changed
        driver.events = [(CLIENT_USAGE_EVENT, 2), (CLIENT_USAGE_EVENT, 1), (raw.EventType.EOS, 0)]
        assert usage.wait(0)
        driver.events = [(CLIENT_USAGE_EVENT, 0)]
        assert not usage.wait(0)
    usage.close()


def test_driver_without_the_event(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError):
        UsageEvents(str(device), FakeDriver(supported=False))
    assert len(os.listdir("/proc/self/fd")) == before


def test_open_watch(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()
    ours = os.open(device, os.O_WRONLY)  # before the watch began: not counted
    with OpenWatch(str(device)) as watch:
        assert not watch.wait(0)
        first = os.open(device, os.O_RDWR)
        assert watch.wait(1)
        second = os.open(device, os.O_RDONLY)
        os.close(first)
        assert watch.wait(1)
        os.close(second)
        assert not watch.wait(1)
        os.close(ours)  # is no reader
        assert not watch.wait(1)
        again = os.open(device, os.O_RDONLY)
        assert watch.wait(1)
        os.close(again)
        assert not watch.wait(1)
    watch.close()


def test_readers_that_were_there_before(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()
    reader = os.open(device, os.O_RDONLY)
    with OpenWatch(str(device), 1) as watch:
        assert watch.wait(0)
        os.close(reader)
        assert not watch.wait(1)


def test_count_open(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()
    for process, targets in (
        ("11", [device, device, tmp_path / "other"]),
        ("12", [device]),
        (str(os.getpid()), [device]),
    ):
        folder = tmp_path / "proc" / process / "fd"
        folder.mkdir(parents=True)
        for number, target in enumerate(targets):
            (folder / str(number)).symlink_to(target)
    (tmp_path / "proc" / "13").mkdir()
    assert count_open(str(device), tmp_path / "proc") == 3


def test_watch_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "video10"
    device.touch()
    with watch_usage(str(device)) as watch:  # a file has no events
        assert isinstance(watch, OpenWatch)
    monkeypatch.setattr(loopback_usage, "_system_ioctl", FakeDriver)
    with watch_usage(str(device)) as watch:
        assert isinstance(watch, UsageEvents)


def test_no_device() -> None:
    with pytest.raises(VirtualCameraError, match="cannot be watched"):
        watch_usage("/dev/video4711")


def test_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(VirtualCameraError, match="Linux only") as caught:
        watch_usage("OBS Virtual Camera")
    assert "--on-demand" in caught.value.hint
