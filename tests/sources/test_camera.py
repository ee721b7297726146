import os
import sys
import time
from typing import Any

import cv2
import numpy as np
import pytest

from live_nst.errors import SourceError, SourceLostError
from live_nst.sources.base import SourceRequest
from live_nst.sources.camera import CameraSource, configure_opencv
from live_nst.sources.devices import CameraDevice
from tests.sources.fakes import FakeCapture, found, picture

REQUEST = SourceRequest(64, 48, 30.0)


def camera(capture: FakeCapture, request: SourceRequest = REQUEST) -> CameraSource:
    return CameraSource(0, request, capture=capture, locate=found)


def test_open_requests_format_size_and_rate() -> None:
    capture = FakeCapture()
    camera(capture, SourceRequest(1280, 720, 29.97))
    ((_, _, wishes),) = capture.calls
    assert list(wishes.items()) == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720),
        (cv2.CAP_PROP_FPS, 30),
    ]


@pytest.mark.parametrize(
    ("platform", "target", "backend"),
    [
        ("linux", "/dev/video0", cv2.CAP_V4L2),
        ("darwin", 0, cv2.CAP_AVFOUNDATION),
        ("win32", 0, cv2.CAP_MSMF),
        ("freebsd", 0, cv2.CAP_ANY),
    ],
)
def test_backend_of_each_system(
    monkeypatch: pytest.MonkeyPatch, platform: str, target: int | str, backend: int
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    capture = FakeCapture()
    camera(capture)
    assert capture.calls[0][:2] == (target, backend)


def test_info() -> None:
    info = camera(FakeCapture(granted=(64, 48, 30.0, "MJPG"))).info
    assert str(info) == "camera 0 (Test Cam): 64x48 at 30 fps, MJPG"


def test_info_differs_from_request() -> None:
    granted = (640, 360, 15.0, "YUYV")
    info = camera(FakeCapture(granted=granted), SourceRequest(1280, 720, 30.0)).info
    assert (info.width, info.height, info.fps) == (640, 360, 15.0)
    assert info.detail == "YUYV, asked 1280x720 at 30"


@pytest.mark.parametrize("fps", [0.0, -1.0])
def test_info_without_rate_and_format(fps: float) -> None:
    info = camera(FakeCapture(granted=(64, 48, fps, ""))).info
    assert (info.fps, info.detail) == (0.0, "asked 64x48 at 30")


def test_open_without_properties_first() -> None:
    capture = FakeCapture([picture(1)], refuses_wishes=True)
    source = camera(capture)
    assert [bool(wishes) for _, _, wishes in capture.calls] == [True, False]
    assert capture.asked_later == capture.calls[0][2]
    assert source.read().image[-1, -1].tolist() == [1, 1, 1]


def test_open_fails() -> None:
    capture = FakeCapture(opens=False)
    with pytest.raises(SourceError, match="cannot be started") as caught:
        camera(capture)
    assert "Test Cam" in caught.value.message
    assert caught.value.hint
    assert capture.released


def test_unknown_camera_is_not_opened() -> None:
    def nothing(which: int | str) -> CameraDevice:
        raise SourceError(f"there is no camera {which}")

    capture = FakeCapture()
    with pytest.raises(SourceError, match="no camera 7"):
        CameraSource(7, REQUEST, capture=capture, locate=nothing)
    assert capture.calls == []


def test_read_index_and_time() -> None:
    source = camera(FakeCapture([picture(level) for level in (1, 2, 3)]))
    before = time.monotonic()
    frames = [source.read() for _ in range(3)]
    assert [frame.index for frame in frames] == [0, 1, 2]
    times = [before, *(frame.time for frame in frames), time.monotonic()]
    assert times == sorted(times)
    assert [int(frame.image[-1, -1, 0]) for frame in frames] == [1, 2, 3]


def test_read_bgr_without_copy() -> None:
    given = picture(5)
    assert camera(FakeCapture([given])).read().image is given


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1)])
def test_read_gray(shape: tuple[int, ...]) -> None:
    image = camera(FakeCapture([np.full(shape, 77, np.uint8)])).read().image
    np.testing.assert_array_equal(image, np.full((48, 64, 3), 77, np.uint8))


def test_read_bgra() -> None:
    color = np.empty((48, 64, 4), np.uint8)
    color[:] = (10, 20, 30, 255)
    image = camera(FakeCapture([color])).read().image
    assert image.shape == (48, 64, 3)
    assert image[5, 5].tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    "odd", [np.zeros((48, 64, 2), np.uint8), np.zeros((48, 64, 3), np.uint16)], ids=["yuyv", "16"]
)
def test_read_unsupported_format(odd: Any) -> None:
    with pytest.raises(SourceLostError, match=str(odd.dtype)):
        camera(FakeCapture([odd])).read()


def test_read_after_unplugging() -> None:
    source = camera(FakeCapture([picture(1)]))
    source.read()
    with pytest.raises(SourceLostError, match="Test Cam") as caught:
        source.read()
    assert caught.value.hint


@pytest.mark.parametrize("broken", [None, np.zeros((0, 0, 3), np.uint8)], ids=["none", "empty"])
def test_read_skips_broken_frame(broken: Any) -> None:
    source = camera(FakeCapture([picture(1), broken, picture(3)]))
    assert [source.read().index, source.read().index] == [0, 2]


@pytest.mark.parametrize("broken", [None, np.zeros((0, 0, 3), np.uint8)], ids=["none", "empty"])
def test_read_only_broken_frames(broken: Any) -> None:
    with pytest.raises(SourceLostError, match="broken frames"):
        camera(FakeCapture([broken] * 100)).read()


def test_close() -> None:
    capture = FakeCapture()
    with camera(capture) as source:
        assert not capture.released
    assert capture.released
    source.close()


def test_configure_opencv(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", raising=False)
    monkeypatch.delenv("OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER", raising=False)
    monkeypatch.setenv("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "1")
    configure_opencv()
    assert os.environ["OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER"] == "0"
    assert int(os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"]) <= 3
    assert os.environ["OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS"] == "1"


def test_opencv_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """With the real `cv2.VideoCapture`, on a device that is not there."""
    with pytest.raises(SourceError):
        CameraSource(0, REQUEST, locate=lambda which: CameraDevice(9999, "/dev/video9999", "Ghost"))
    assert capfd.readouterr() == ("", "")
