"""Ten minutes of camera trouble, played below the real camera source, on a simulated clock."""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import cv2
import pytest

from live_nst.errors import SourceError
from live_nst.live import capture_reader as reader_module
from live_nst.live.capture_worker import STALL_LIMIT_SECONDS, STALL_NOTICE_SECONDS, CaptureWorker
from live_nst.live.options import PipelineOptions
from live_nst.live.pipeline import LivePipeline
from live_nst.sources.base import SourceRequest
from live_nst.sources.camera import CameraSource
from live_nst.sources.devices import CameraDevice
from tests.live.fakes import (
    PATIENCE,
    FakeClock,
    FakeSink,
    FakeStylizer,
    Running,
    number_of,
    own_threads,
    picture,
)

SECONDS = 600
FPS = 10
KINDS = ("error", "unplugged", "stall", "hang", "torn", "broken", "size", "opening hangs", "busy")
SIZES = [(64, 48), (96, 54), (48, 64)]


class Rig:
    """A camera that gets into every kind of trouble, and the pipeline that lives with it.

    Every few seconds of good pictures comes the next trouble. Whatever waits for the driver or
    between attempts lets simulated time pass, after the pipeline has looked around.
    """

    def __init__(self, seed: int) -> None:
        self.clock = FakeClock()
        self.random = random.Random(seed)
        self.sink = FakeSink()
        self.warnings: list[str] = []
        self.troubles: list[tuple[str, float, int]] = []
        self.size = SIZES[0]
        self.taken = 0  # pictures that the driver made
        self.good_until = 50  # pictures until the next trouble
        self.absent_until = 0.0
        self.openings = 0
        self.opening_hangs = False
        self.capture = CaptureWorker(self._open, self.clock)
        self.pipeline = LivePipeline(
            self.capture,
            FakeStylizer(),
            PipelineOptions(max_seconds=SECONDS),
            sinks=[self.sink],
            clock=self.clock,
            notify=self.warnings.append,
        )

    @property
    def over(self) -> bool:
        return self.capture.closing and self.seconds >= SECONDS

    @property
    def seconds(self) -> float:
        return self.clock.now() - 1000

    def wait(self, condition: Any) -> None:
        """Wait, in real time, for the pipeline."""
        deadline = time.monotonic() + PATIENCE
        while not condition() and not self.over:
            assert time.monotonic() < deadline, f"stuck at {self.seconds:.1f} s: {self.troubles}"
            time.sleep(0.0001)

    def pass_time(self, seconds: float) -> None:
        """Let simulated time pass, in steps that the pipeline sees."""
        while seconds > 0 and not self.over:
            self.clock.advance(min(seconds, 0.5))
            seconds -= 0.5
            looks = self.clock.looks + 2
            self.wait(lambda looks=looks: self.clock.looks >= looks)

    def next_trouble(self) -> str:
        """What goes wrong now; each kind once, in any order, before one comes again."""
        done = len(self.troubles)
        if done % len(KINDS) == 0:
            self._order = self.random.sample(KINDS, len(KINDS))
        kind = self._order[done % len(KINDS)]
        self.troubles.append((kind, self.seconds, self.pipeline.stats.frames))
        self.good_until = self.taken + self.random.randint(20, 50)
        return kind

    def _open(self) -> CameraSource:
        self.openings += 1
        if self.opening_hangs:
            self.opening_hangs = False
            self.hang()
        driver = Driver(self)
        return CameraSource(0, SourceRequest(64, 48, FPS), capture=driver, locate=self._locate)

    def _locate(self, which: int | str) -> CameraDevice:
        if self.seconds < self.absent_until and self.seconds > 1:
            raise SourceError("there is no camera 0", "plug it in")
        return CameraDevice(0, "/dev/video0", "Test Cam")

    def hang(self) -> None:
        """What a bad driver does: it comes back long after it was given up."""
        mine = self.openings
        while self.openings == mine and not self.over:
            self.pass_time(1.0)
        frames = self.pipeline.stats.frames
        self.wait(lambda: self.pipeline.stats.frames > frames + 3)


class Driver:
    """One opening of the camera, in place of `cv2.VideoCapture`."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._torn = 0

    def __call__(self, target: int | str, backend: int, wishes: Sequence[int]) -> "Driver":
        return self

    def isOpened(self) -> bool:
        return True

    def get(self, prop: int, /) -> float:
        width, height = self._rig.size
        sizes = {cv2.CAP_PROP_FRAME_WIDTH: width, cv2.CAP_PROP_FRAME_HEIGHT: height}
        return float(sizes.get(prop, FPS))

    def set(self, prop: int, value: float, /) -> bool:
        return True

    def grab(self) -> bool:
        rig = self._rig
        if self._torn:
            return True
        rig.wait(lambda: rig.capture.slot.empty)
        rig.clock.advance(1 / FPS)
        if rig.taken < rig.good_until or rig.over:
            return True
        return self._suffer(rig.next_trouble())

    def _suffer(self, kind: str) -> bool:
        """Do what this kind of trouble does; whether there is a picture all the same."""
        rig = self._rig
        match kind:
            case "error":
                return False
            case "unplugged":
                rig.absent_until = rig.seconds + rig.random.uniform(1, 40)
                return False
            case "busy":
                rig.absent_until = rig.seconds + 0.3
                return False
            case "stall":
                rig.pass_time(rig.random.uniform(2.6, 12))
            case "hang":
                rig.hang()
                return rig.random.random() < 0.5
            case "opening hangs":
                rig.opening_hangs = True
                return False
            case "torn":
                self._torn = 2
            case "broken":
                self._torn = 100
            case "size":
                rig.size = SIZES[(SIZES.index(rig.size) + 1) % len(SIZES)]
        return True

    def retrieve(self) -> tuple[bool, Any]:
        if self._torn:
            self._torn -= 1
            return False, None
        self._rig.taken += 1
        return True, picture(self._rig.taken, self._rig.size)

    def release(self) -> None:
        self._torn = 0


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_minutes_of_faults(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(seed)

    class Pause(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if timeout is None:
                return super().wait()
            rig.pass_time(timeout)
            return self.is_set()

    monkeypatch.setattr(reader_module, "threading", SimpleNamespace(Event=Pause))
    rig.capture.start()
    with Running(rig.pipeline) as running:
        deadline = time.monotonic() + 60
        while running.alive:
            assert time.monotonic() < deadline, f"stuck at {rig.seconds:.1f} s: {rig.troubles}"
            time.sleep(0.005)
    assert running.error is None
    assert not own_threads()

    counts = Counter(kind for kind, _, _ in rig.troubles)
    assert min(counts[kind] for kind in KINDS) >= 3, counts
    # It came back from each: pictures were shown before the next one, and again at the end.
    shown = [frames for _, _, frames in rig.troubles] + [rig.pipeline.stats.frames]
    assert all(later > earlier + 5 for earlier, later in itertools.pairwise(shown[:-1])), shown
    # Every picture once, in order, under an index that only grows, in every size.
    numbers = [number_of(frame.image) for frame in rig.sink.frames]
    indexes = [frame.index for frame in rig.sink.frames]
    assert numbers == sorted(set(numbers))
    assert indexes == sorted(set(indexes))
    assert {frame.size for frame in rig.sink.frames} == set(SIZES)
    assert len(numbers) > 0.2 * SECONDS * FPS
    assert rig.sink.closed == 1
    # Notices come and go in turn, and say what is the matter.
    notices = [warning for warning in rig.warnings if warning.startswith("Source:")]
    comings, goings = notices[0::2], notices[1::2]
    assert set(goings) == {"Source: it is back."}
    assert len(comings) - len(goings) in (0, 1)
    assert all(warning.startswith("Source: ") and warning.endswith(".") for warning in comings)
    assert "Source: it is back." not in comings
    said = Counter(comings)
    assert said["Source: no frames arrive."] >= counts["stall"] + counts["hang"] - 1
    assert sum(n for what, n in said.items() if what.startswith("Source: reconnecting:")) >= 12
    assert (
        rig.capture.reopened
        >= sum(
            counts[kind]
            for kind in ("error", "unplugged", "hang", "broken", "opening hangs", "busy")
        )
        - 2
    )


def test_stall_limits_allow_five_seconds() -> None:
    """A source may take five seconds to notice that it is lost; that must not look like a hang."""
    assert STALL_NOTICE_SECONDS < 5 < STALL_LIMIT_SECONDS / 2
