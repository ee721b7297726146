"""Test `PreparedSource` with a simulated clock."""

import numpy as np
import pytest

from benchmarks.speed.fixtures import PreparedSource
from tests.bench.fakes import Clock

IMAGES = [np.full((72, 128, 3), level, np.uint8) for level in (10, 20, 30)]


def test_read_rate() -> None:
    clock = Clock()
    source = PreparedSource(IMAGES, 50.0, clock)
    frames = [source.read() for _ in range(4)]
    assert [frame.index for frame in frames if frame] == [0, 1, 2, 3]
    assert [frame.image[0, 0, 0] for frame in frames if frame] == [10, 20, 30, 10]
    assert [frame.time - 100 for frame in frames if frame] == pytest.approx([0, 0.02, 0.04, 0.06])
    assert (source.info.width, source.info.height, source.info.fps) == (128, 72, 50.0)


def test_read_late() -> None:
    clock = Clock()
    source = PreparedSource(IMAGES, 50.0, clock)
    source.read()
    clock.sleep(0.05)
    frame = source.read()
    assert frame is not None
    assert (frame.index, frame.time) == (2, clock.now())


def test_read_closed() -> None:
    with PreparedSource(IMAGES, 50.0, Clock()) as source:
        source.close()
        assert source.read() is None
