from typing import Any

import numpy as np
import pytest
import pyvirtualcam
from pyvirtualcam.util import decode_fourcc

from live_nst.errors import VirtualCameraError
from live_nst.sinks.virtual_camera import VirtualCamera
from live_nst.sinks.virtual_camera_setup import (
    LOOPBACK_DRIVER,
    DeviceCapability,
    HostSystem,
)
from live_nst.types import Frame
from tests.sinks.conftest import FakeBackend, frames, plain


def test_write(backend: type[FakeBackend]) -> None:
    camera = VirtualCamera(None, 20, (64, 48))
    for frame in frames(3):
        camera.write(frame)
    fake = backend.opened[0]
    assert fake.size == camera.size == (64, 48)
    assert fake.fps == camera.rate == 20
    assert decode_fourcc(fake.fourcc) == pyvirtualcam.PixelFormat.BGR.value
    for sent, frame in zip(fake.sent, frames(3), strict=True):
        np.testing.assert_array_equal(sent, frame.image)


def test_name(backend: type[FakeBackend]) -> None:
    assert VirtualCamera(None, 20, (64, 48)).name == "virtual camera /dev/video7"
    assert VirtualCamera("/dev/video3", 20, (64, 48)).name == "virtual camera /dev/video3"
    assert backend.opened[1].asked == "/dev/video3"


def test_odd_size(backend: type[FakeBackend]) -> None:
    camera = VirtualCamera(None, 20, (65, 47))
    assert camera.size == (66, 48)
    image = np.arange(65 * 47 * 3, dtype=np.uint32).reshape(47, 65, 3).astype(np.uint8)
    camera.write(Frame(image, 0, 0.0))
    # Padded, not scaled: every pixel stays what it was.
    np.testing.assert_array_equal(backend.opened[0].sent[0][:47, :65], image)


def test_write_another_size(backend: type[FakeBackend]) -> None:
    camera = VirtualCamera(None, 20, (64, 64))
    camera.write(Frame(plain((128, 64), (200, 200, 200)), 0, 0.0))
    sent = backend.opened[0].sent[0]
    assert sent.shape == (64, 64, 3)
    assert (sent[16:48] == 200).all()
    assert (sent[:16] == 0).all()


def test_write_non_contiguous_image(backend: type[FakeBackend]) -> None:
    image = np.arange(64 * 48 * 3, dtype=np.uint32).reshape(48, 64, 3).astype(np.uint8)
    VirtualCamera(None, 20, (64, 48)).write(Frame(image[:, ::-1], 0, 0.0))
    np.testing.assert_array_equal(backend.opened[0].sent[0], image[:, ::-1])


def test_close_twice(backend: type[FakeBackend]) -> None:
    camera = VirtualCamera(None, 20, (64, 48))
    camera.close()
    camera.close()
    assert backend.opened[0].closings == 1
    with pytest.raises(VirtualCameraError, match="is closed"):
        camera.write(frames(1)[0])


def test_open_error(backend: type[FakeBackend]) -> None:
    with pytest.raises(VirtualCameraError, match="not a video output device") as caught:
        VirtualCamera("broken", 20, (64, 48), system=HostSystem(platform="win32"))
    assert "OBS" in caught.value.hint
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_write_error(backend: type[FakeBackend]) -> None:
    camera = VirtualCamera("unplugged", 20, (64, 48))
    with pytest.raises(VirtualCameraError, match="accepts no more frames: No such device"):
        camera.write(frames(1)[0])
    camera.close()
    assert backend.opened[0].closings == 1


def test_no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {})
    with pytest.raises(VirtualCameraError, match="Cannot open the virtual camera"):
        VirtualCamera(None, 20, (64, 48), system=HostSystem(platform="darwin"))


def test_rest(backend: type[FakeBackend]) -> None:
    camera = VirtualCamera(None, 20, (64, 48))
    first, second, third = frames(3)
    camera.write(first)
    camera.rest()
    camera.rest()
    assert camera.rate == 1.0
    camera.write(second)
    camera.wake()
    assert camera.rate == 20
    camera.write(third)
    sent = backend.opened[0].sent
    np.testing.assert_array_equal(sent[0], first.image)
    assert sent[1].shape == second.image.shape and (sent[1] != second.image).any()
    np.testing.assert_array_equal(sent[2], third.image)
    assert camera.device == "/dev/video7"


class OneWriter(FakeBackend):
    """v4l2loopback 0.12 with exclusive_caps=1: it takes no writer until somebody claims it."""

    free = False

    def __init__(self, **options: Any) -> None:
        if not OneWriter.free:
            raise RuntimeError("Device /dev/video7 is not a video output device.")
        super().__init__(**options)
        OneWriter.free = False


def test_device_that_takes_one_writer(
    backend: type[FakeBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {})
    pyvirtualcam.register_backend("one writer", OneWriter)

    def claim(device: str) -> None:
        OneWriter.free = True

    def capability(device: str) -> DeviceCapability:
        return DeviceCapability(LOOPBACK_DRIVER, output=OneWriter.free, capture=False)

    system = HostSystem("linux", capability=capability, claim=claim)
    for _ in range(3):
        camera = VirtualCamera("/dev/video7", 20, (64, 48), system=system)
        assert not OneWriter.free
        camera.close()
        assert OneWriter.free  # for any other program as well
