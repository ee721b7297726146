"""Capture from a real V4L2 device: the kernel's virtual webcam, vivid.

Its Disconnect control makes the device behave as if it were unplugged, until the last program
that has it open lets go.
"""

import itertools
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from live_nst.errors import SourceError, SourceLostError
from live_nst.sources.base import SourceRequest
from live_nst.sources.camera import CameraSource
from live_nst.sources.devices import CameraDevice, CameraProblem, list_cameras
from live_nst.sources.factory import open_source
from live_nst.types import Frame
from tests.devices.vivid import control

pytestmark = pytest.mark.slow

VGA = SourceRequest(640, 480, 25.0)


def pixel_format(camera: CameraDevice) -> tuple[str, int, int]:
    """The format the driver has set, asked past OpenCV."""
    from linuxpy.video import device as v4l2

    handle = os.open(camera.path, os.O_RDWR | os.O_NONBLOCK)
    try:
        form = v4l2.get_raw_format(handle, v4l2.BufferType.VIDEO_CAPTURE).fmt.pix
        return v4l2.human_pixel_format(form.pixelformat), form.width, form.height
    finally:
        os.close(handle)


def read(source: CameraSource, count: int) -> list[Frame]:
    return [source.read() for _ in range(count)]


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (333, 217), (320, 180)])
def test_what_was_granted_is_read_back_and_true(vivid: CameraDevice, size: tuple[int, int]) -> None:
    with CameraSource(vivid.index, SourceRequest(*size, 25.0)) as source:
        info = source.info
        frame = source.read()
        truth = pixel_format(vivid)
    assert frame.size == (info.width, info.height) == truth[1:]
    assert info.detail.split(",")[0] == truth[0]
    assert info.fps > 0
    granted_size = (info.width, info.height) == size
    assert granted_size == (size != (333, 217))
    assert granted_size or "asked 333x217 at 25" in info.detail


def test_frames_arrive_change_and_carry_growing_index_and_time(vivid: CameraDevice) -> None:
    with CameraSource(vivid.index, VGA) as source:
        before = time.monotonic()
        frames = read(source, 25)
        after = time.monotonic()
    assert [frame.index for frame in frames] == list(range(25))
    times = [before, *(frame.time for frame in frames), after]
    assert times == sorted(times)
    for one, other in itertools.pairwise(frames):
        assert (one.image != other.image).any()
        assert not np.shares_memory(one.image, other.image)


def test_the_rate_is_held_when_nobody_else_works(vivid: CameraDevice) -> None:
    """Generous, since the machine may be emulated; twice the rate would be frames given twice."""
    with CameraSource(vivid.index, VGA) as source:
        frames = read(source, 50)
        rate = 49 / (frames[-1].time - frames[0].time)
    print(f"{source.info}; {rate:.1f} frames per second")
    assert 0.3 * source.info.fps < rate < 1.1 * source.info.fps


def test_colors_come_in_the_order_blue_green_red(vivid: CameraDevice) -> None:
    """Vivid's test pattern begins with the bars white, yellow, cyan, green, magenta, red, blue."""
    with CameraSource(vivid.index, VGA) as source:
        line = read(source, 3)[-1].image[240].astype(int)
    blue_bar = line[(line[:, 0] > 150) & (line[:, 1] < 80) & (line[:, 2] < 80)]
    yellow_bar = line[(line[:, 0] < 80) & (line[:, 1] > 150) & (line[:, 2] > 150)]
    assert len(blue_bar) > 40 and len(yellow_bar) > 40


@pytest.mark.parametrize("form", ["index", "path", "name", "part of the name"])
def test_the_camera_is_found_by_whatever_names_it(vivid: CameraDevice, form: str) -> None:
    spec = {
        "index": str(vivid.index),
        "path": vivid.path,
        "name": vivid.name.upper(),
        "part of the name": vivid.name[:4],
    }[form]
    with open_source(spec, VGA) as source:
        assert source.info.name == f"camera {vivid.index} ({vivid.name})"
        assert source.read() is not None


def test_the_list_tells_name_driver_and_modes(vivid: CameraDevice) -> None:
    assert (vivid.name, vivid.usable, vivid.note) == ("vivid", True, "")
    sizes = {(mode.width, mode.height) for mode in vivid.modes}
    assert {(640, 480), (1280, 720)} <= sizes
    assert {"YUYV", "RGB3"} <= {mode.fourcc for mode in vivid.modes}
    assert all(mode.fps == tuple(sorted(mode.fps, reverse=True)) for mode in vivid.modes)
    assert any(25.0 in mode.fps for mode in vivid.modes)


def test_a_loopback_that_nobody_feeds_is_listed_and_refused(vivid: CameraDevice) -> None:
    unfed = [camera for camera in list_cameras() if camera.trouble is CameraProblem.NO_INPUT]
    if not unfed:
        pytest.skip("needs a v4l2loopback device with exclusive_caps=1 that nobody feeds")
    assert unfed[0].note == "virtual camera that no program writes to"
    with pytest.raises(SourceError, match="no program writes to") as caught:
        CameraSource(unfed[0].index, VGA)
    assert f"{vivid.index} (vivid)" in caught.value.hint


def test_a_camera_in_use_is_refused_and_said_to_be_busy(
    vivid: CameraDevice, capfd: pytest.CaptureFixture[str]
) -> None:
    with CameraSource(vivid.index, VGA) as source:
        source.read()
        with pytest.raises(SourceError, match="another program is using camera"):
            CameraSource(vivid.index, VGA)
        (listed,) = (camera for camera in list_cameras() if camera.index == vivid.index)
        assert listed.trouble is CameraProblem.BUSY
        assert listed.modes == vivid.modes
        before = source.read()
        assert source.read().index == before.index + 1, "the stream in use must not suffer"
    assert capfd.readouterr() == ("", "")
    with CameraSource(vivid.index, VGA) as source:
        source.read()


def test_without_permission_the_hint_names_the_group(vivid: CameraDevice) -> None:
    """In a process of its own, which gives up being root."""
    if os.geteuid() != 0 or os.stat(vivid.path).st_mode & 0o006:
        pytest.skip("needs root, and a device that is closed to others")
    program = (
        "import os; from live_nst.sources.devices import probe_device, find_camera; "
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"try: find_camera({vivid.index})\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.stdout.startswith("SourceError no permission to open camera 0"), said
    assert "usermod -aG video" in said.stdout


def test_an_unplugged_camera_is_a_loss_and_comes_back(
    vivid: CameraDevice, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        with CameraSource(vivid.index, VGA) as source:
            read(source, 3)
            with control(vivid, "Disconnect", 1):
                began = time.monotonic()
                with pytest.raises(SourceLostError, match="vivid"):
                    read(source, 10)
                assert time.monotonic() - began < 3.5
                with pytest.raises(SourceError, match=r"not found|does not respond"):
                    CameraSource(vivid.index, VGA)
        with CameraSource(vivid.index, VGA) as again:
            assert [frame.index for frame in read(again, 3)] == [0, 1, 2]
    assert capfd.readouterr() == ("", "")


def test_a_missing_camera_is_refused_with_those_there_are(vivid: CameraDevice) -> None:
    for which in (99, "/dev/video99", "No Such Camera"):
        with pytest.raises(SourceError, match="there is no") as caught:
            CameraSource(which, VGA)
        assert f"{vivid.index} (vivid)" in caught.value.hint


def test_a_camera_that_stalls_is_given_up_within_four_seconds(
    vivid: CameraDevice, capfd: pytest.CaptureFixture[str]
) -> None:
    with CameraSource(vivid.index, VGA) as source:
        read(source, 3)
        with control(vivid, "Percentage of Dropped Buffers", 100):
            began = time.monotonic()
            with pytest.raises(SourceLostError, match="vivid"):
                read(source, 100)
            assert 2 < time.monotonic() - began < 4
        assert source.read().size == (640, 480), "it was only the wait that ended"
    assert capfd.readouterr() == ("", "")


def test_frames_that_the_driver_marks_as_broken_are_a_loss_that_can_be_repaired(
    vivid: CameraDevice,
) -> None:
    with CameraSource(vivid.index, VGA) as source:
        read(source, 3)
        with control(vivid, "Inject V4L2_BUF_FLAG_ERROR", 1):
            pass
        survived = read(source, 10)
    assert [frame.index for frame in survived] == list(range(survived[0].index, 13))
