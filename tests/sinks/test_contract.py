"""The contract of sinks, tested on every sink."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from live_nst.errors import SinkError
from live_nst.sinks.base import Sink
from live_nst.sinks.encoder import VideoEncoder
from live_nst.sinks.recorder import Recorder
from live_nst.sinks.virtual_camera import VirtualCamera
from live_nst.types import Frame
from tests.sinks.conftest import FakeBackend, frames, plain

MakeSink = Callable[[], Sink]


def make_recorder(folder: Path, size: tuple[int, int]) -> Sink:
    return Recorder(folder / "out.mp4")


def make_virtual_camera(folder: Path, size: tuple[int, int]) -> Sink:
    return VirtualCamera(None, 25, size)


def make_encoder(folder: Path, size: tuple[int, int]) -> Sink:
    encoder = VideoEncoder(25)
    encoder.subscribe()
    return encoder


def make_broken_encoder(folder: Path) -> Sink:
    return VideoEncoder(encoder="h263_missing")


def make_broken_recorder(folder: Path) -> Sink:
    return Recorder(folder / "missing" / "out.mp4")


def make_broken_virtual_camera(folder: Path) -> Sink:
    return VirtualCamera("broken", 25, (64, 48))


@pytest.fixture(params=[make_recorder, make_virtual_camera, make_encoder])
def make(request: pytest.FixtureRequest, tmp_path: Path, backend: type[FakeBackend]) -> MakeSink:
    return lambda: request.param(tmp_path, (64, 48))


def test_name_and_rate(make: MakeSink) -> None:
    sink = make()
    assert sink.name
    assert "\n" not in sink.name
    assert sink.rate is None or sink.rate > 0
    sink.close()


def test_write_and_close_twice(make: MakeSink) -> None:
    sink = make()
    for frame in frames(10):
        sink.write(frame)
    sink.close()
    sink.close()


def test_with_block_closes(make: MakeSink) -> None:
    with pytest.raises(ZeroDivisionError), make() as sink:
        sink.write(frames(1)[0])
        raise ZeroDivisionError
    with pytest.raises(SinkError):
        sink.write(frames(1)[0])


def test_close_without_a_frame(make: MakeSink) -> None:
    sink = make()
    sink.close()
    sink.close()


def test_write_after_close(make: MakeSink) -> None:
    sink = make()
    sink.write(frames(1)[0])
    sink.close()
    with pytest.raises(SinkError, match="is closed"):
        sink.write(frames(1)[0])


@pytest.mark.parametrize("size", [(64, 48), (65, 47), (48, 64), (1, 1), (640, 360), (3, 200)])
def test_write_any_size(make: MakeSink, size: tuple[int, int]) -> None:
    sink = make()
    sink.write(frames(1)[0])
    sink.write(Frame(plain(size), 1, 1001.0))
    sink.write(Frame(plain((64, 48)), 2, 1002.0))
    sink.close()


@pytest.mark.parametrize("size", [(65, 47), (1, 1), (640, 360)])
def test_first_frame_of_any_size(make: MakeSink, size: tuple[int, int]) -> None:
    sink = make()
    sink.write(Frame(plain(size), 0, 1000.0))
    sink.close()


def test_write_leaves_the_image_alone(make: MakeSink) -> None:
    sink = make()
    image = plain((64, 48))
    image.flags.writeable = False
    sink.write(Frame(image, 0, 0.0))
    sink.close()
    np.testing.assert_array_equal(image, plain((64, 48)))


def test_write_and_close_in_another_thread(make: MakeSink) -> None:
    sink = make()
    failures: list[Exception] = []

    def use() -> None:
        try:
            for frame in frames(5):
                sink.write(frame)
            sink.close()
        except SinkError as error:
            failures.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    sink.close()
    assert failures == []


@pytest.mark.parametrize(
    "make_broken", [make_broken_recorder, make_broken_virtual_camera, make_broken_encoder]
)
def test_open_error_has_a_hint(
    make_broken: Callable[[Path], Sink], tmp_path: Path, backend: type[FakeBackend]
) -> None:
    with pytest.raises(SinkError) as caught:
        make_broken(tmp_path)
    assert caught.value.message
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []
