import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from live_nst.errors import SourceError
from live_nst.sources import devices
from live_nst.sources.devices import (
    CameraDevice,
    CameraMode,
    CameraProblem,
    find_camera,
    list_cameras,
    probe_device,
)

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is of Linux")

DESK = CameraDevice(0, "/dev/video0", "HD Webcam")
DOOR = CameraDevice(2, "/dev/video2", "Door Webcam")
LOOP = CameraDevice(10, "/dev/video10", "OBS", problem=CameraProblem.NO_INPUT)


def machine(monkeypatch: pytest.MonkeyPatch, *cameras: CameraDevice) -> None:
    """Give the machine exactly these cameras."""
    nodes = {camera.path: camera for camera in cameras}

    def examine(path: str) -> CameraDevice:
        return nodes.get(path, CameraDevice(-1, path, problem=CameraProblem.MISSING))

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(devices, "probe_device", examine)
    monkeypatch.setattr(devices.glob, "glob", lambda pattern: list(nodes))


# Which camera is meant


@pytest.mark.parametrize("which", [2, "/dev/video2", "Door Webcam", "door", "DOOR w"])
def test_find_camera(monkeypatch: pytest.MonkeyPatch, which: int | str) -> None:
    machine(monkeypatch, DESK, DOOR)
    assert find_camera(which) == DOOR


def test_find_camera_prefers_equal_name(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = CameraDevice(4, "/dev/video4", "Webcam")
    machine(monkeypatch, DESK, DOOR, plain)
    assert find_camera("webcam") == plain


def test_find_camera_ambiguous_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, DESK, DOOR, LOOP)
    with pytest.raises(SourceError, match="several cameras") as caught:
        find_camera("webcam")
    assert "0 (HD Webcam), 2 (Door Webcam)" in caught.value.hint
    assert "OBS" not in caught.value.hint


@pytest.mark.parametrize("which", [7, -1, "/dev/video7", "Logitech"])
def test_find_camera_not_found(monkeypatch: pytest.MonkeyPatch, which: int | str) -> None:
    machine(monkeypatch, DESK, DOOR)
    with pytest.raises(SourceError, match="not found") as caught:
        find_camera(which)
    assert str(which) in caught.value.message
    assert caught.value.hint == "available cameras: 0 (HD Webcam), 2 (Door Webcam)"


@pytest.mark.parametrize("which", [0, "HD Webcam"])
def test_find_camera_without_any(monkeypatch: pytest.MonkeyPatch, which: int | str) -> None:
    machine(monkeypatch)
    with pytest.raises(SourceError) as caught:
        find_camera(which)
    assert "--source demo" in caught.value.hint


@pytest.mark.parametrize(
    ("problem", "sentence", "hint"),
    [
        (CameraProblem.NO_PERMISSION, "no permission", "usermod -aG video"),
        (CameraProblem.BUSY, "another program", "/dev/video1"),
        (CameraProblem.BROKEN, "does not respond", "plug"),
        (CameraProblem.NO_INPUT, "no program writes to", "0 (HD Webcam)"),
        (CameraProblem.NO_VIDEO, "gives no video", "0 (HD Webcam)"),
    ],
)
def test_find_camera_with_problem(
    monkeypatch: pytest.MonkeyPatch, problem: CameraProblem, sentence: str, hint: str
) -> None:
    machine(monkeypatch, DESK, CameraDevice(1, "/dev/video1", "Bad Cam", problem=problem))
    with pytest.raises(SourceError, match=sentence) as caught:
        find_camera(1)
    assert "camera 1 (Bad Cam)" in caught.value.message
    assert hint in caught.value.hint


# The list


def test_list_cameras(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    metadata = CameraDevice(1, "/dev/video1", "HD Webcam", problem=CameraProblem.NO_VIDEO)
    machine(monkeypatch, LOOP, DOOR, metadata, DESK)
    assert list_cameras() == [DESK, DOOR, LOOP]


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_cameras_of_windows_and_macos(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    import cv2
    import cv2_enumerate_cameras

    expected = cv2.CAP_MSMF if platform == "win32" else cv2.CAP_AVFOUNDATION
    cameras = [SimpleNamespace(index=1, name="B", path=None), SimpleNamespace(index=0, name="A")]
    cameras[1].path = "usb#1"

    def enumerate_cameras(backend: int) -> list[SimpleNamespace]:
        assert backend == expected
        return cameras

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", enumerate_cameras)
    listed = list_cameras()
    assert [(camera.index, camera.name, camera.path) for camera in listed] == [
        (0, "A", "usb#1"),
        (1, "B", ""),
    ]
    assert all(camera.driver and camera.usable for camera in listed)
    assert find_camera(1).name == "B"
    assert find_camera(5) == CameraDevice(5), "OpenCV may know more than the list"
    with pytest.raises(SourceError):
        find_camera(-1)


# One node


@needs_linux
@pytest.mark.parametrize(
    ("number", "problem"),
    [
        (errno.ENOENT, CameraProblem.MISSING),
        (errno.ENODEV, CameraProblem.MISSING),
        (errno.EACCES, CameraProblem.NO_PERMISSION),
        (errno.EPERM, CameraProblem.NO_PERMISSION),
        (errno.EBUSY, CameraProblem.BUSY),
        (errno.EIO, CameraProblem.BROKEN),
    ],
)
def test_probe_device_open_errors(
    monkeypatch: pytest.MonkeyPatch, number: int, problem: CameraProblem
) -> None:
    def refuse(path: str, flags: int) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(devices.os, "open", refuse)
    device = probe_device("/dev/video3")
    assert (device.index, device.problem, device.usable) == (3, problem, False)
    assert device.note == str(problem)


@needs_linux
@pytest.mark.parametrize("path", ["/dev/null", "folder", "file"])
def test_probe_device_no_camera(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    assert probe_device(str(tmp_path / path)).problem is CameraProblem.NO_VIDEO


@needs_linux
def test_probe_device_link(tmp_path: Path) -> None:
    (tmp_path / "video42").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "video42")
    assert probe_device(str(tmp_path / "by-id")).index == 42


@needs_linux
def test_probe_device_closes_the_node(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = len(os.listdir("/proc/self/fd"))
    probe_device(str(tmp_path / "file"))
    assert len(os.listdir("/proc/self/fd")) == before


class FakeDriver:
    """Answers V4L2's questions in place of a kernel driver.

    Args:
        abilities: Names of V4L2 capabilities of the node.
        busy: Whether somebody streams from it.
        falters: Whether it fails while it lists its sizes.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        abilities: str,
        *,
        driver: bytes = b"uvcvideo",
        busy: bool = False,
        falters: bool = False,
    ) -> None:
        from linuxpy.video import device as v4l2

        self._v4l2 = v4l2
        self._busy = busy
        self._falters = falters
        flags = sum(v4l2.Capability[name] for name in abilities.split())
        said = SimpleNamespace(driver=driver, card=b"HD Webcam", device_caps=flags)
        monkeypatch.setattr(v4l2, "read_capabilities", lambda handle: said)
        monkeypatch.setattr(v4l2, "get_raw_format", lambda handle, kind: "the format")
        for name in ("set_raw_format", "iter_read_formats", "iter_read_frame_sizes"):
            monkeypatch.setattr(v4l2, name, getattr(self, name))
        monkeypatch.setattr(v4l2, "iter_read_frame_intervals", self.intervals)

    def set_raw_format(self, handle: int, form: str) -> None:
        assert form == "the format", "another format would change what somebody else set"
        if self._busy:
            raise OSError(errno.EBUSY, "busy")

    def iter_read_formats(self, handle: int, kind: Any) -> Any:
        for name in ("MJPEG", "YUYV"):
            yield SimpleNamespace(pixel_format=self._v4l2.PixelFormat[name])

    def iter_read_frame_sizes(self, handle: int, form: Any) -> Any:
        kinds = self._v4l2.FrameSizeType
        yield SimpleNamespace(type=kinds.DISCRETE, info=SimpleNamespace(width=1280, height=720))
        if self._falters:
            raise OSError(errno.EIO, "i/o error")
        if form == self._v4l2.PixelFormat.YUYV:
            ends = SimpleNamespace(max_width=1920, max_height=1080, min_width=2, min_height=2)
            yield SimpleNamespace(type=kinds.STEPWISE, info=ends)

    def intervals(self, handle: int, form: Any, width: int, height: int) -> Any:
        if width == 1920:
            yield SimpleNamespace(min_fps=0, max_fps=0)
        else:
            yield SimpleNamespace(min_fps=10, max_fps=10)
            yield SimpleNamespace(min_fps=30000 / 1001, max_fps=30000 / 1001)


@pytest.fixture
def node(tmp_path: Path) -> str:
    (tmp_path / "video5").touch()
    return str(tmp_path / "video5")


@needs_linux
def test_probe_device_modes(monkeypatch: pytest.MonkeyPatch, node: str) -> None:
    FakeDriver(monkeypatch, "VIDEO_CAPTURE STREAMING")
    device = probe_device(node)
    assert (device.index, device.name, device.driver) == (5, "HD Webcam", "uvcvideo")
    assert (device.usable, device.note) == (True, "")
    assert device.modes == (
        CameraMode("MJPG", 1280, 720, (29.97, 10.0)),
        CameraMode("YUYV", 1280, 720, (29.97, 10.0)),
        CameraMode("YUYV", 1920, 1080, ()),
    )


@needs_linux
def test_probe_device_busy(monkeypatch: pytest.MonkeyPatch, node: str) -> None:
    FakeDriver(monkeypatch, "VIDEO_CAPTURE", busy=True)
    device = probe_device(node)
    assert (device.problem, device.note) == (CameraProblem.BUSY, "busy")
    assert device.modes


@needs_linux
def test_probe_device_driver_error(monkeypatch: pytest.MonkeyPatch, node: str) -> None:
    FakeDriver(monkeypatch, "VIDEO_CAPTURE", falters=True)
    device = probe_device(node)
    assert device.usable
    assert [mode.fourcc for mode in device.modes] == ["MJPG"]


@needs_linux
@pytest.mark.parametrize(
    ("abilities", "driver", "problem"),
    [
        ("META_CAPTURE STREAMING", b"uvcvideo", CameraProblem.NO_VIDEO),
        ("VIDEO_M2M", b"bcm2835-codec", CameraProblem.NO_VIDEO),
        ("VIDEO_OUTPUT STREAMING", b"v4l2 loopback", CameraProblem.NO_INPUT),
        ("VIDEO_CAPTURE", b"v4l2 loopback", None),
        ("VIDEO_CAPTURE_MPLANE", b"rkisp", None),
    ],
)
def test_probe_device_capabilities(
    monkeypatch: pytest.MonkeyPatch,
    node: str,
    abilities: str,
    driver: bytes,
    problem: CameraProblem | None,
) -> None:
    FakeDriver(monkeypatch, abilities, driver=driver, busy=driver == b"v4l2 loopback")
    assert probe_device(node).problem is problem
