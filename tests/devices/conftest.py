"""Real devices, where there are any."""

import sys

import pytest

from live_nst.sources.devices import CameraDevice, list_cameras


@pytest.fixture(scope="module")
def vivid() -> CameraDevice:
    cameras = list_cameras() if sys.platform == "linux" else []
    for camera in cameras:
        if camera.driver == "vivid":
            return camera
    pytest.skip("needs the kernel's virtual webcam, vivid")
