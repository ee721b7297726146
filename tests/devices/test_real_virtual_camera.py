"""A virtual camera on a real v4l2loopback device, read by a second process through OpenCV.

It needs one device that is free. Loaded with exclusive_caps=0 the pictures are compared; loaded
with exclusive_caps=1 and older than 0.13, the explanation of that trap is checked instead.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from live_nst.errors import VirtualCameraError
from live_nst.sinks.virtual_camera import VirtualCamera
from live_nst.sinks.virtual_camera_setup import HostSystem, query_capability
from live_nst.types import Frame

DEVICES = HostSystem().loopbacks()
EXCLUSIVE = Path("/sys/module/v4l2loopback/parameters/exclusive_caps")
IS_EXCLUSIVE = EXCLUSIVE.exists() and "Y" in EXCLUSIVE.read_text()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DEVICES, reason="no v4l2loopback device here (modprobe v4l2loopback)"),
]

FRAMES_READ = 6
BITS = 10
CORNERS = {(0, 0): (0, 0, 255), (0, 1): (0, 255, 0), (1, 0): (255, 0, 0), (1, 1): (0, 255, 255)}
"""(row, column) of a quadrant: its color, BGR."""

# Reads some frames and saves them as one array.
READER = """
import sys
import cv2
import numpy as np

device, out, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
camera = cv2.VideoCapture(device, cv2.CAP_V4L2)
assert camera.isOpened(), "cannot open"
frames = []
for _ in range(wanted):
    ok, image = camera.read()
    assert ok, "no frame"
    frames.append(image.copy())
np.save(out, np.stack(frames))
"""


def picture(counter: int, size: tuple[int, int]) -> np.ndarray:
    """Four quadrants of strong colors, and the counter's bits as black and white fields."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    for (row, column), color in CORNERS.items():
        image[row * height // 2 :, column * width // 2 :][: height // 2, : width // 2] = color
    for bit in range(BITS):
        left = width * (bit + 1) // (BITS + 2)
        right = width * (bit + 2) // (BITS + 2)
        image[height * 7 // 16 : height * 9 // 16, left:right] = 255 * (counter >> bit & 1)
    return image


def counter_of(image: np.ndarray) -> int:
    """Read back the counter that `picture` wrote."""
    height, width = image.shape[:2]
    fields = [image[height // 2, int(width * (bit + 1.5) / (BITS + 2))] for bit in range(BITS)]
    return sum((field.mean() > 128) << bit for bit, field in enumerate(fields))


def feed_until_read(camera: VirtualCamera, size: tuple[int, int], out: Path) -> np.ndarray:
    """Feed counted pictures while another process reads; return what it read."""
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, DEVICES[0], str(out), str(FRAMES_READ)],
        stderr=subprocess.PIPE,
        text=True,
    )
    counter = 0
    while True:
        camera.write(Frame(picture(counter, size), counter, counter / 20))
        counter += 1
        try:
            _, errors = reader.communicate(timeout=1 / 20)
        except subprocess.TimeoutExpired:
            assert counter < 2**BITS, "the reader does not end"
        else:
            break
    assert reader.returncode == 0, errors
    return np.load(out)


@pytest.mark.skipif(IS_EXCLUSIVE, reason="loaded with exclusive_caps=1: it opens only once")
@pytest.mark.parametrize("size", [(640, 360), (1280, 720)])
def test_another_program_sees_the_frames(size: tuple[int, int], tmp_path: Path) -> None:
    camera = VirtualCamera(DEVICES[0], 20, size)
    try:
        frames = feed_until_read(camera, size, tmp_path / "frames.npy")
    finally:
        camera.close()

    assert frames.shape == (FRAMES_READ, size[1], size[0], 3)
    counters = [counter_of(frame) for frame in frames]
    assert counters == sorted(counters)
    assert counters[-1] > counters[0]
    for (row, column), color in CORNERS.items():
        y, x = size[1] * (1 + 2 * row) // 4 + (row * 2 - 1) * size[1] // 8, size[0] // 4
        patch = frames[:, y - 8 : y + 8, x + column * size[0] // 2 - 8 :][:, :, :16]
        difference = np.abs(patch.mean(axis=(0, 1, 2)) - color)
        assert difference.max() < 6, (row, column, patch.mean(axis=(0, 1, 2)))


@pytest.mark.skipif(IS_EXCLUSIVE, reason="loaded with exclusive_caps=1: it opens only once")
def test_a_device_that_another_sink_holds_is_refused_and_free_after_closing() -> None:
    first = VirtualCamera(DEVICES[0], 20, (320, 240))
    with pytest.raises(VirtualCameraError, match="cannot be opened"):
        VirtualCamera(DEVICES[0], 20, (320, 240))
    first.close()
    VirtualCamera(None, 20, (320, 240)).close()


@pytest.mark.skipif(
    bool(DEVICES) and not IS_EXCLUSIVE, reason="loaded with exclusive_caps=0: the trap is not set"
)
def test_the_trap_of_exclusive_caps_is_explained() -> None:
    capability = query_capability(DEVICES[0])
    assert capability is not None
    if capability.output:
        camera = VirtualCamera(DEVICES[0], 20, (320, 240))
        camera.write(Frame(picture(1, (320, 240)), 0, 0.0))
        camera.close()
    for device in (DEVICES[0], None):
        with pytest.raises(VirtualCameraError, match="fed once and cannot be fed again") as caught:
            VirtualCamera(device, 20, (320, 240))
        assert "sudo modprobe -r v4l2loopback && sudo modprobe" in caught.value.hint
        assert "exclusive_caps=0" in caught.value.hint


def test_a_real_camera_is_not_taken_for_a_virtual_one() -> None:
    cameras = [str(path) for path in sorted(Path("/dev").glob("video*"))]
    others = [path for path in cameras if path not in DEVICES]
    if not others:
        pytest.skip("no other video device here")
    with pytest.raises(VirtualCameraError, match="not a virtual camera") as caught:
        VirtualCamera(others[0], 20, (320, 240))
    assert DEVICES[0] in caught.value.hint
