"""The whole program between real devices: the kernel's webcam vivid, and v4l2loopback.

They need both modules, v4l2loopback with exclusive_caps=0.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from live_nst.engines.base import DeviceImage, StylizedFrame
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.pipeline import LivePipeline
from live_nst.sinks.virtual_camera import VirtualCamera
from live_nst.sources.base import Source, SourceRequest
from live_nst.sources.camera import CameraSource
from live_nst.sources.devices import CameraDevice
from live_nst.stylizer.compositing import compose
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.types import Image
from tests.devices.test_real_virtual_camera import DEVICES, READER
from tests.devices.vivid import control

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DEVICES, reason="no v4l2loopback device here (modprobe v4l2loopback)"),
]

PATIENCE = 400.0  # seconds; an emulated machine takes minutes to import TensorFlow
FRAMES_READ = 5


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def distance(one: Image, other: Image) -> float:
    """Mean absolute difference of two pictures, in levels."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def recorded_pictures(path: Path) -> list[Image]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


@pytest.mark.parametrize("size", [(320, 180), (640, 360)])
def test_another_program_sees_the_painted_camera(
    vivid: CameraDevice, tmp_path: Path, size: tuple[int, int]
) -> None:
    """What it reads are frames of the recording made beside it: same colors, same order."""
    record, stats = tmp_path / "out.mp4", tmp_path / "stats.json"
    options = f"--source {vivid.index} --camera-size {size[0]}x{size[1]} --size 128 --no-window"
    outputs = f"--virtual-camera {DEVICES[0]} --record {record} --stats {stats}"
    log = (tmp_path / "log").open("w+")
    program = subprocess.Popen(
        [sys.executable, "-m", "live_nst", "--style", "candy", *options.split(), *outputs.split()],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(
            lambda: (record.exists() and record.stat().st_size > 0) or program.poll() is not None,
            "nothing was recorded",
            PATIENCE,
        )
        read = tmp_path / "read.npy"
        reader = [sys.executable, "-c", READER, DEVICES[0], str(read), str(FRAMES_READ)]
        subprocess.run(reader, check=True, timeout=PATIENCE)
        time.sleep(5)  # until what was read is in the recording too
    finally:
        program.send_signal(signal.SIGTERM)
        status = program.wait(PATIENCE)
    log.seek(0)
    assert status == 0, log.read()
    figures = json.loads(stats.read_text())
    assert figures["source"].startswith(f"camera {vivid.index}")
    written, seen = recorded_pictures(record), np.load(read)
    assert len(written) == figures["frames"] or abs(len(written) - figures["frames"]) <= 1
    width, height = written[0].shape[1], written[0].shape[0]
    assert seen.shape[1:] == (height, width, 3)
    matches = [int(np.argmin([distance(picture, w) for w in written])) for picture in seen]
    assert matches == sorted(matches), "the frames came in another order"
    for picture, match in zip(seen, matches, strict=True):
        assert distance(picture, written[match]) < 8  # H.264 and YUYV in between
        swapped = picture[..., ::-1]
        assert distance(swapped, written[match]) > 3 * distance(picture, written[match])
    with CameraSource(vivid.index, SourceRequest(width, height, 25)) as camera:
        plain = cv2.resize(camera.read().image, (width, height))
    assert distance(plain, written[-1]) > 20, "the frames are not painted"


class Inverter(StylizerCore):
    """Returns the negative, in no time."""

    look = Look()
    size = 384

    def __init__(self) -> None: ...

    def infer(
        self, image: Image, time: float = 0.0, prefetched: DeviceImage | None = None
    ) -> StylizedFrame:
        return StylizedFrame(image[::2, ::2], 255 - image[::2, ::2])

    def postprocess(self, image: Image, stylized: StylizedFrame, time: float = 0.0) -> Image:
        return compose(image, stylized, Look())

    def prepare(self, frame_size: tuple[int, int], size: int) -> None: ...

    def is_compiled(self, frame_size: tuple[int, int], size: int) -> bool:
        return True

    def resize(self, size: int) -> None: ...


class Session:
    """A pipeline on the real camera in a thread of its own, with its notices."""

    def __init__(self, opener: Callable[[], Source], sinks: list[VirtualCamera]) -> None:
        self.notices: list[str] = []
        self.capture = CaptureWorker(opener)
        self.pipeline = LivePipeline(
            self.capture, Inverter(), sinks=sinks, notify=self.notices.append
        )
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Session":
        self.capture.start()
        self.capture.wait_opened()
        self._thread.start()
        self.wait_for_frames(5)
        return self

    def __exit__(self, *_: object) -> None:
        self.pipeline.stop()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the session hangs"

    def _run(self) -> None:
        try:
            self.pipeline.run()
        except BaseException as exc:
            self.failure = exc

    def wait_for_frames(self, count: int) -> None:
        wanted = self.pipeline.stats.frames + count
        wait_for(lambda: self.pipeline.stats.frames >= wanted, f"no frames; {self.notices}")

    def wait_for_notice(self, part: str) -> None:
        wait_for(lambda: any(part in notice for notice in self.notices), f"{self.notices}")
        self.notices.clear()


def test_a_session_outlives_every_trouble_of_a_real_camera(vivid: CameraDevice) -> None:
    """Unplugged, stalled, broken buffers, and back with another size: it goes on each time."""
    sizes = [(640, 480), (640, 480), (320, 180)]

    def opener() -> CameraSource:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        return CameraSource(vivid.index, SourceRequest(*size, 25.0))

    # Beside it a virtual camera, whose size stays what it promised.
    virtual = VirtualCamera(DEVICES[0], 10.0, (640, 480))
    with Session(opener, [virtual]) as session:
        with control(vivid, "Inject V4L2_BUF_FLAG_ERROR", 1):
            session.wait_for_frames(5)
        with control(vivid, "Percentage of Dropped Buffers", 100):
            session.wait_for_notice("no frames")
        session.wait_for_notice("it is back")
        session.wait_for_frames(5)
        with control(vivid, "Disconnect", 1):
            session.wait_for_notice("reconnecting")
        session.wait_for_notice("it is back")
        session.wait_for_frames(5)
        assert session.capture.reopened >= 1
        with control(vivid, "Disconnect", 1):
            session.wait_for_notice("reconnecting")
        session.wait_for_notice("it is back")
        wait_for(
            lambda: (
                session.pipeline.newest is not None
                and session.pipeline.newest.shape == (180, 320, 3)
            ),
            "the size did not change",
        )
    assert session.failure is None
    assert not [t.name for t in threading.enumerate() if t.name.startswith("live-nst")]
