import threading
import time

import av
import numpy as np
import pytest

from live_nst.errors import StreamError
from live_nst.sinks.encoder import EncodedReader, VideoEncoder
from live_nst.sinks.h264 import EncodedFrame, choose_bitrate, nal_types
from live_nst.types import Frame
from tests.live.fakes import FakeClock
from tests.sinks.conftest import frames, plain
from tests.sinks.test_recorder import COLORS, bgr_by_bt709


def read(reader: EncodedReader) -> list[EncodedFrame]:
    """All frames that wait in a reader."""
    found = []
    while (frame := reader.get(0)) is not None:
        found.append(frame)
    return found


def decode(encoded: list[EncodedFrame]) -> list[av.VideoFrame]:
    """Pictures of a decoder that gets nothing but the data."""
    decoder = av.CodecContext.create("h264", "r")
    pictures = [picture for e in encoded for picture in decoder.decode(av.Packet(e.data))]
    return pictures + decoder.decode(None)


def test_nothing_is_encoded_without_a_reader() -> None:
    with VideoEncoder() as encoder:
        encoder.write(frames(1)[0])
        assert encoder.size is None
        reader = encoder.subscribe()
        encoder.write(frames(1)[0])
        assert encoder.size == (64, 48)
        reader.close()
        encoder.write(frames(1)[0])
        assert encoder.size is None


def test_frames_come_at_once_and_can_be_decoded() -> None:
    with VideoEncoder(25) as encoder:
        reader = encoder.subscribe()
        encoded = []
        for number, frame in enumerate(frames(60)):
            encoder.write(frame)
            found = read(reader)
            assert [f.index for f in found] == [number]  # without a delay
            encoded += found
    assert [e.keyframe for e in encoded] == [i in (0, 50) for i in range(60)]
    np.testing.assert_allclose([e.time for e in encoded], 1000 + np.arange(60) / 25, atol=1e-4)
    assert {e.size for e in encoded} == {(64, 48)}
    assert len(decode(encoded)) == 60


def test_keyframes_carry_their_parameters() -> None:
    with VideoEncoder(10) as encoder:
        reader = encoder.subscribe()
        for frame in frames(50, fps=10):
            encoder.write(frame)
        encoded = read(reader)
    kinds = [list(nal_types(e.data)) for e in encoded]
    assert sum(e.keyframe for e in encoded) == 3
    for kind, frame in zip(kinds, encoded, strict=True):
        assert (5 in kind, 7 in kind, 8 in kind) == (frame.keyframe,) * 3
        assert 1 in kind or frame.keyframe


def test_new_reader_starts_with_a_keyframe() -> None:
    with VideoEncoder(25) as encoder:
        first = encoder.subscribe()
        given = frames(20)
        for frame in given[:10]:
            encoder.write(frame)
        second = encoder.subscribe()
        for frame in given[10:]:
            encoder.write(frame)
        every, late = read(first), read(second)
    assert [e.keyframe for e in every] == [i in (0, 10) for i in range(20)]
    assert late == every[10:]  # the very same data: encoded once
    assert len(decode(late)) == 10


def test_requested_keyframe() -> None:
    with VideoEncoder(25) as encoder:
        reader = encoder.subscribe()
        for frame in frames(10):
            if frame.index == 5:
                encoder.request_keyframe()
            encoder.write(frame)
        assert [e.keyframe for e in read(reader)] == [i in (0, 5) for i in range(10)]


def test_full_reader_goes_on_at_a_keyframe() -> None:
    with VideoEncoder(25) as encoder:
        slow, fast = encoder.subscribe(5), encoder.subscribe(100)
        given = frames(40)
        for frame in given[:30]:
            encoder.write(frame)
        found = read(slow)
        assert found[0].keyframe
        assert found[0].index == 25  # a second after the last one
        assert slow.dropped + len(found) == 30
        for frame in given[30:34]:
            encoder.write(frame)
        assert [e.index for e in read(slow)] == [30, 31, 32, 33]
        assert fast.dropped == 0
        assert len(read(fast)) == 34


def test_colors() -> None:
    image = np.concatenate([plain((64, 48), color) for color in COLORS], axis=1)
    with VideoEncoder(25, bitrate=4_000_000) as encoder:
        reader = encoder.subscribe()
        for index in range(10):
            encoder.write(Frame(image, index, index / 25))
        picture = decode(read(reader))[-1]
    assert (picture.colorspace, picture.color_range) == (1, 1)
    assert (picture.color_primaries, picture.color_trc) == (1, 1)
    decoded = bgr_by_bt709(picture)
    for index, color in enumerate(COLORS):
        patch = decoded[8:40, index * 64 + 16 : index * 64 + 48].mean(axis=(0, 1))
        np.testing.assert_allclose(patch, color, atol=4, err_msg=str(color))


def test_size_stays_until_the_last_reader_leaves() -> None:
    white = (255, 255, 255)
    with VideoEncoder(25) as encoder:
        reader = encoder.subscribe()
        for index, size in enumerate([(65, 47), (128, 48), (128, 48)]):
            encoder.write(Frame(plain(size, white), index, index / 25))
        encoded = read(reader)
        assert {e.size for e in encoded} == {(66, 48)}
        wide = bgr_by_bt709(decode(encoded)[-1])
        assert wide[:8].max() < 40
        assert wide[20:28].min() > 225
        reader.close()
        encoder.write(Frame(plain((128, 48)), 4, 4.0))
        again = encoder.subscribe()
        encoder.write(Frame(plain((128, 48)), 5, 5.0))
        assert [e.size for e in read(again)] == [(128, 48)]


def test_last_frame_is_repeated_for_waiting_readers() -> None:
    clock = FakeClock()
    with VideoEncoder(25, clock=clock) as encoder:
        encoder.write(Frame(plain((64, 48)), 7, clock.now() - 0.25))
        captured = clock.now() - 0.25
        reader = encoder.subscribe()
        assert reader.get(0) is None
        clock.advance(1.0)
        first = reader.get(0)
        assert first is not None
        assert (first.index, first.keyframe) == (7, True)
        assert first.time == pytest.approx(captured + 1.0, abs=1e-4)
        assert reader.get(0) is None
        clock.advance(0.6)
        second = reader.get(0)
        assert second is not None
        assert (second.index, second.keyframe) == (7, False)
        encoder.write(Frame(plain((64, 48)), 8, captured + 0.7))  # captured before the repetition
        third = reader.get(0)
        assert third is not None
        assert third.time > second.time


def test_get_waits() -> None:
    with VideoEncoder(25) as encoder:
        reader = encoder.subscribe()
        thread = threading.Timer(0.05, encoder.write, [frames(1)[0]])
        thread.start()
        assert reader.get(10.0) is not None
        thread.join()
        start = time.monotonic()
        assert reader.get(0.05) is None
        assert time.monotonic() - start >= 0.05


def test_close_ends_readers() -> None:
    encoder = VideoEncoder(25)
    reader, other = encoder.subscribe(), encoder.subscribe()
    encoder.write(frames(1)[0])
    thread = threading.Timer(0.05, encoder.close)
    other.get(0)
    thread.start()
    assert other.get(10.0) is None
    assert other.closed
    assert reader.get(0) is not None  # what was there before the end
    assert reader.get(10.0) is None
    assert encoder.subscribe().closed
    thread.join()


def test_closed_reader() -> None:
    with VideoEncoder(25) as encoder:
        reader = encoder.subscribe()
        encoder.write(frames(1)[0])
        reader.close()
        reader.close()
        assert reader.closed
        assert reader.get(0) is None


@pytest.mark.parametrize(
    ("size", "fps", "megabits"),
    [
        ((1280, 720), 30, 3.5),
        ((1920, 1080), 30, 5.25),
        ((1920, 1080), 60, 6.24),
        ((16, 16), 30, 0.2),
    ],
)
def test_bitrate_by_size(size: tuple[int, int], fps: float, megabits: float) -> None:
    assert choose_bitrate(size, fps) / 1e6 == pytest.approx(megabits, rel=0.01)


@pytest.mark.parametrize("bitrate", [300_000, 2_000_000])
def test_bitrate_is_kept(bitrate: int) -> None:
    rng = np.random.default_rng(0)
    with VideoEncoder(30, bitrate=bitrate) as encoder:
        reader = encoder.subscribe(1000)
        for index in range(120):
            noise = rng.integers(0, 256, (90, 160, 3), np.uint8).repeat(2, 0).repeat(2, 1)
            encoder.write(Frame(noise, index, index / 30))
        bits = 8 * sum(len(e.data) for e in read(reader)) / 4
    assert bits == pytest.approx(bitrate, rel=0.3)


@pytest.mark.parametrize("bitrate", [0, 99_999, 10**9])
def test_bitrate_out_of_range(bitrate: int) -> None:
    with pytest.raises(StreamError) as caught:
        VideoEncoder(bitrate=bitrate)
    assert caught.value.hint


def test_missing_encoders() -> None:
    with pytest.raises(StreamError, match="no encoder 'x265'"):
        VideoEncoder(encoder="x265")
    for name in ("h264_videotoolbox", "h264_nvenc", "h264_qsv", "h264_amf"):
        try:
            VideoEncoder(encoder=name).close()  # where the hardware is there
        except StreamError as error:
            assert name in error.message
            assert "libx264" in error.hint
