"""What every source owes its reader, tested on every source."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from live_nst.sources.base import Source, SourceRequest
from live_nst.types import check_image
from tests.sources.fakes import FakeCapture, FakeClock, found, picture, write_video

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


@pytest.fixture(params=[camera, video_file, demo])
def open_it(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Source]:
    opener: Opener = request.param
    return lambda: opener(tmp_path)


def test_frames_are_bgr_pictures_of_the_size_that_info_tells(
    open_it: Callable[[], Source],
) -> None:
    with open_it() as source:
        info = source.info
        frames = [source.read() for _ in range(COUNT)]
    for frame in frames:
        assert frame is not None
        check_image(frame.image)
        assert frame.size == (info.width, info.height)


def test_info_is_fit_for_people(open_it: Callable[[], Source]) -> None:
    with open_it() as source:
        info = source.info
        assert source.info == info
    assert info.name
    assert str(info).startswith(f"{info.name}: {info.width}x{info.height}")
    assert info.fps >= 0


def test_index_begins_at_zero_and_grows_and_time_never_goes_back(
    open_it: Callable[[], Source],
) -> None:
    with open_it() as source:
        frames = [source.read() for _ in range(COUNT)]
    assert frames[0] is not None and frames[0].index == 0
    for before, after in itertools.pairwise(frames):
        assert before is not None and after is not None
        assert after.index > before.index
        assert after.time >= before.time


def test_a_frame_is_never_written_into_after_it_was_given(open_it: Callable[[], Source]) -> None:
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


def test_the_scene_moves(open_it: Callable[[], Source]) -> None:
    with open_it() as source:
        frames = [source.read() for _ in range(COUNT)]
    pairs = itertools.pairwise(frame.image for frame in frames if frame)
    assert all((before != after).any() for before, after in pairs)


def test_closing_twice_does_no_harm(open_it: Callable[[], Source]) -> None:
    source = open_it()
    source.read()
    source.close()
    source.close()


def test_a_source_that_was_never_read_closes(open_it: Callable[[], Source]) -> None:
    with open_it() as source:
        pass
    source.close()


def test_leaving_the_context_closes_and_lets_errors_through(
    open_it: Callable[[], Source],
) -> None:
    with pytest.raises(ZeroDivisionError), open_it():
        raise ZeroDivisionError
