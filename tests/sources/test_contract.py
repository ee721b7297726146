"""The contract of sources, tested on every source."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from live_nst.sources.base import Source, SourceRequest
from live_nst.types import check_image
from tests.sources.fakes import (
    FakeCapture,
    FakeClock,
    FakeScreens,
    found,
    picture,
    write_video,
)

REQUEST = SourceRequest(64, 48, 30.0)
COUNT = 12

Opener = Callable[[Path], Source]


def camera(folder: Path) -> Source:
    from live_nst.sources.camera import CameraSource

    capture = FakeCapture(picture(10 * number) for number in range(COUNT))
    return CameraSource(0, REQUEST, capture=capture, locate=found)


def video_file(folder: Path) -> Source:
    from live_nst.sources.stream import StreamSource

    path = folder / "clip.mkv"
    write_video(str(path), [number / 30 for number in range(COUNT)])
    return StreamSource(str(path), FakeClock())


def demo(folder: Path) -> Source:
    from live_nst.sources.demo import DemoSource

    return DemoSource(REQUEST, FakeClock())


def screen(folder: Path) -> Source:
    from live_nst.sources.screen import ScreenRegion, ScreenSource

    screens = FakeScreens((64, 48))
    environ = {"DISPLAY": ":0"}
    return ScreenSource(ScreenRegion(), REQUEST, FakeClock(), opener=screens, environ=environ)


@pytest.fixture(params=[camera, video_file, demo, screen])
def open_it(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Source]:
    opener: Opener = request.param
    return lambda: opener(tmp_path)


def test_read_matches_info(
    open_it: Callable[[], Source],
) -> None:
    with open_it() as source:
        info = source.info
        frames = [source.read() for _ in range(COUNT)]
    for frame in frames:
        assert frame is not None
        check_image(frame.image)
        assert frame.size == (info.width, info.height)


def test_info(open_it: Callable[[], Source]) -> None:
    with open_it() as source:
        info = source.info
        assert source.info == info
    assert info.name
    assert str(info).startswith(f"{info.name}: {info.width}x{info.height}")
    assert info.fps >= 0


def test_index_and_time_grow(
    open_it: Callable[[], Source],
) -> None:
    with open_it() as source:
        frames = [source.read() for _ in range(COUNT)]
    assert frames[0] is not None and frames[0].index == 0
    for before, after in itertools.pairwise(frames):
        assert before is not None and after is not None
        assert after.index > before.index
        assert after.time >= before.time


def test_read_does_not_reuse_images(open_it: Callable[[], Source]) -> None:
    with open_it() as source:
        frames = [source.read() for _ in range(COUNT)]
        copies = [frame.image.copy() for frame in frames[: COUNT // 2] if frame]
    with open_it() as again:
        fresh = [again.read() for _ in range(COUNT // 2)]
    for kept, copy, new in zip(frames, copies, fresh, strict=False):
        assert kept is not None and new is not None
        np.testing.assert_array_equal(kept.image, copy)
        np.testing.assert_array_equal(kept.image, new.image)
    for one, other in itertools.combinations(frames, 2):
        assert one is not None and other is not None
        assert not np.shares_memory(one.image, other.image)


def test_images_differ(open_it: Callable[[], Source]) -> None:
    with open_it() as source:
        frames = [source.read() for _ in range(COUNT)]
    pairs = itertools.pairwise(frame.image for frame in frames if frame)
    assert all((before != after).any() for before, after in pairs)


def test_close_twice(open_it: Callable[[], Source]) -> None:
    source = open_it()
    source.read()
    source.close()
    source.close()


def test_close_without_read(open_it: Callable[[], Source]) -> None:
    with open_it() as source:
        pass
    source.close()


def test_with_block_passes_errors(
    open_it: Callable[[], Source],
) -> None:
    with pytest.raises(ZeroDivisionError), open_it():
        raise ZeroDivisionError
