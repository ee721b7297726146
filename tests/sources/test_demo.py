"""The demo source, with a fake clock."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_nst.errors import UsageError
from live_nst.sources.base import Source, SourceRequest
from live_nst.sources.demo import DemoSource
from live_nst.sources.demo_video import LOOP_SECONDS, DemoVideo

SMALL = SourceRequest(64, 48, 30.0)


class FakeClock:
    """A clock that only moves when told, or when somebody sleeps."""

    def __init__(self, now: float = 1000.0) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self.time += seconds


def test_read_keeps_the_requested_rate() -> None:
    clock = FakeClock()
    with DemoSource(SMALL, clock) as source:
        frames = [source.read() for _ in range(5)]
    assert [frame.index for frame in frames if frame] == [0, 1, 2, 3, 4]
    times = [frame.time for frame in frames if frame]
    np.testing.assert_allclose(times, [1000 + k / 30 for k in range(5)], atol=1e-9)
    np.testing.assert_allclose(clock.slept, [1 / 30] * 4, atol=1e-9)


def test_read_late_returns_the_newest_due_frame() -> None:
    clock = FakeClock()
    source = DemoSource(SMALL, clock)
    assert source.read()
    clock.time = 1000 + 10.5 / 30
    late = source.read()
    assert late is not None
    assert late.index == 10
    assert late.time == 1000 + 10.5 / 30
    assert not clock.slept
    after = source.read()
    assert after is not None
    assert after.index == 11
    assert after.time == pytest.approx(1000 + 11 / 30)
    assert len(clock.slept) == 1


class BlackVideo:
    """A video without anything to decode, where only times matter."""

    def __init__(self, width: int, height: int) -> None:
        self._image = np.zeros((height, width, 3), np.uint8)

    def image_at(self, seconds: float) -> np.ndarray:
        return self._image


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=12), st.sampled_from([7.5, 30.0, 240.0]))
def test_read_never_early_repeated_or_stale(delays: list[float], fps: float) -> None:
    clock = FakeClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("live_nst.sources.demo.DemoVideo", BlackVideo)
        source = DemoSource(SourceRequest(16, 16, fps), clock)
    last = -1
    for delay in delays:
        clock.time += delay
        frame = source.read()
        assert frame is not None
        assert frame.index > last
        assert frame.time == clock.time
        age = (frame.time - 1000) * fps - frame.index
        assert -1e-5 < age < 1
        last = frame.index


def test_image_depends_on_index_alone() -> None:
    clock = FakeClock()
    source = DemoSource(SourceRequest(64, 48, 25.0), clock)
    video = DemoVideo(64, 48)
    for jump in (0.0, 0.33, 7.0):
        clock.time += jump
        frame = source.read()
        assert frame is not None
        np.testing.assert_array_equal(frame.image, video.image_at(frame.index / 25))


def test_read_does_not_reuse_images() -> None:
    source = DemoSource(SMALL, FakeClock())
    first = source.read()
    assert first is not None
    kept = first.image.copy()
    for _ in range(40):
        source.read()
    np.testing.assert_array_equal(first.image, kept)


def test_read_after_many_loops() -> None:
    clock = FakeClock()
    source = DemoSource(SMALL, clock)
    clock.time += 1e6 * LOOP_SECONDS
    frame = source.read()
    assert frame is not None
    assert frame.index == math.floor(1e6 * LOOP_SECONDS * 30)
    assert source.read() is not None


def test_info() -> None:
    source: Source = DemoSource(SourceRequest(160, 90, 12.5), FakeClock())
    assert str(source.info) == "demo: 160x90 at 12.5 fps"
    assert source.info.name == "demo"
    frame = source.read()
    assert frame is not None
    assert frame.size == (160, 90)


def test_close_twice_then_read() -> None:
    clock = FakeClock()
    with DemoSource(SMALL, clock) as source:
        source.close()
    source.close()
    assert source.read() is None
    assert not clock.slept


@pytest.mark.parametrize(
    ("width", "height", "fps"),
    [(15, 480, 30.0), (640, 15, 30.0), (8193, 480, 30.0), (640, 8193, 30.0), (0, 0, 30.0),
     (-640, 480, 30.0), (640, 480, 0.0), (640, 480, 0.99), (640, 480, 240.5), (640, 480, -30.0),
     (640, 480, math.nan), (640, 480, math.inf)],
)  # fmt: skip
def test_invalid_request(width: int, height: int, fps: float) -> None:
    with pytest.raises(UsageError) as caught:
        DemoSource(SourceRequest(width, height, fps), FakeClock())
    assert caught.value.exit_code == 2
    assert caught.value.hint
    wrong = f"{width}x{height}" if 1 <= fps <= 240 else f"{fps:g} frames"
    assert wrong in caught.value.message


@pytest.mark.parametrize("fps", [1.0, 240.0])
def test_smallest_size_and_limits_of_rate(fps: float) -> None:
    frame = DemoSource(SourceRequest(16, 16, fps), FakeClock()).read()
    assert frame is not None
    assert frame.size == (16, 16)
