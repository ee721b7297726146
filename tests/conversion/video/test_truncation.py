"""A file is only called cut off or damaged where something is missing."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from live_nst.conversion.api import convert
from live_nst.conversion.video.truncation import is_truncated
from live_nst.errors import ConversionError
from tests.conversion.fakes import Negative
from tests.conversion.make_streams import write_streams
from tests.conversion.make_videos import cut, write
from tests.conversion.reading import read

FRAMES = 24
PACKET = 188  # bytes of a packet of MPEG-TS
VIDEO, SOUND = 0x100, 0x101  # the numbers of the first streams that FFmpeg writes


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    dice = np.random.default_rng(3)
    small = dice.integers(0, 255, (FRAMES, 9, 16, 3)).astype(np.uint8)
    return [np.ascontiguousarray(each.repeat(10, 0).repeat(10, 1)) for each in small]


def run(source: Path, output: Path) -> list[str]:
    said: list[str] = []
    convert(source, output, stylizer=Negative(), notify=said.append)  # type: ignore[arg-type]
    return said


def box(name: bytes, size: int, content: bytes) -> bytes:
    return size.to_bytes(4, "big") + name + content


@pytest.mark.parametrize("first", [True, False], ids=["index first", "index last"])
@pytest.mark.parametrize(
    "trailer",
    [
        b"8db42d694ccc418790edff439fe026bf",  # as Insta360 cameras write it
        b"\0\0\x01\0" + bytes(60),
        box(b"free", 4000, bytes(60)),
        box(b"uuid", 1 << 20, bytes(60)),
        box(b"LEVK", 64, bytes(20)),
        b"\0\0\0\x20",
    ],
    ids=["digits", "zeros", "free", "uuid", "unknown", "too short"],
)
def test_trailer_behind_mp4(
    images: list[np.ndarray], tmp_path: Path, trailer: bytes, first: bool
) -> None:
    flags = {"movflags": "+faststart"} if first else {}
    source = write(tmp_path / "in.mp4", images[:4], container_options=flags)
    source.write_bytes(source.read_bytes() + trailer)
    assert not is_truncated(source)


def test_mdat_that_is_longer_than_its_frames(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", images[:4], container_options={"movflags": "+faststart"})
    data = bytearray(source.read_bytes())
    place = data.index(b"mdat") - 4
    size = int.from_bytes(data[place : place + 4], "big")
    data[place : place + 4] = (size + 5000).to_bytes(4, "big")
    source.write_bytes(data)
    assert not is_truncated(source)
    source.write_bytes(data[:-10])
    assert is_truncated(source)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_avi_of_a_pipe_has_no_size(images: list[np.ndarray], tmp_path: Path, size: int) -> None:
    source = write(tmp_path / "in.avi", images, time_base=Fraction(1, 25), options={"bf": "0"})
    data = bytearray(source.read_bytes())
    data[4:8] = size.to_bytes(4, "little")
    source.write_bytes(data)
    assert run(source, tmp_path / "out.mp4") == []
    assert len(read(tmp_path / "out.mp4").times) == FRAMES


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".mp4"])
def test_cut_off_files_are_found(images: list[np.ndarray], tmp_path: Path, suffix: str) -> None:
    whole = write(
        tmp_path / f"in{suffix}",
        images,
        time_base=Fraction(1, 25),
        container_options={"movflags": "+faststart"} if suffix == ".mp4" else {},
    )
    assert not is_truncated(whole)
    assert is_truncated(cut(whole, tmp_path / f"cut{suffix}", 0.7))


def ts(path: Path, images: list[np.ndarray], begin: int = 0, codec: str = "libx264") -> bytes:
    base = Fraction(1, 25)
    ticks = [begin + number for number in range(len(images))]
    options = {"bf": "0", "g": "12"} | ({"preset": "ultrafast"} if codec == "libx264" else {})
    write(path, images, ticks=ticks, time_base=base, codec=codec, options=options)
    return path.read_bytes()


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A transport stream with a picture and sound."""
    return write_streams(tmp_path_factory.mktemp("ts") / "in.ts", "ac3").read_bytes()


def as_packets(data: bytes) -> list[bytes]:
    return [data[at : at + PACKET] for at in range(0, len(data), PACKET)]


def number_of(packet: bytes) -> int:
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def wrapped(data: bytes, form: int) -> bytes:
    """The packets with a time before them, as in AVCHD, or a checksum behind them."""
    before, behind = {188: (0, 0), 192: (4, 0), 204: (0, 16)}[form]
    return b"".join(bytes(before) + each + bytes(behind) for each in as_packets(data))


def without_last_sound(data: bytes, number: int) -> bytes:
    """All up to the last packet of the last sound, which has several."""
    packets = as_packets(data)
    last = max(at for at, packet in enumerate(packets) if number_of(packet) == number)
    assert not packets[last][1] & 0x40
    return b"".join(packets[:last])


@pytest.mark.parametrize("form", [188, 192, 204])
def test_transport_stream_that_ends_in_a_frame(stream: bytes, tmp_path: Path, form: int) -> None:
    path = tmp_path / "in.m2ts"
    path.write_bytes(wrapped(stream, form))
    assert not is_truncated(path)
    path.write_bytes(wrapped(stream, form)[:-50])
    assert is_truncated(path)
    path.write_bytes(wrapped(without_last_sound(stream, SOUND), form))
    assert is_truncated(path)
    with pytest.raises(ConversionError, match="is cut off or damaged after 1"):
        run(path, tmp_path / "out.mp4")
    assert len(read(tmp_path / "out.incomplete.mp4").times) == 25


def test_transport_streams_that_are_not_cut_off(stream: bytes, tmp_path: Path) -> None:
    path = tmp_path / "in.ts"
    short = without_last_sound(stream, SOUND)
    packets = as_packets(stream)
    video = [at for at, packet in enumerate(packets) if number_of(packet) == VIDEO]
    whole_sound = b"".join(
        packet for at, packet in enumerate(packets) if at < video[-2] or at > video[-1]
    )
    first = next(at for at, packet in enumerate(packets) if number_of(packet) == SOUND)
    in_frame = b"".join(as_packets(short)[:first] + as_packets(short)[first + 1 :])
    for name, data in {
        "joined with a whole one": short + stream,
        "joined within a packet": stream[:-100] + stream,
        "video without a length": whole_sound,
        "a part of a broadcast": in_frame,
        "other bytes behind it": short + bytes(5000),
        "padding packets": stream + (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 40,
        "no transport stream": b"YUV4MPEG2 W64 H64 F25:1 C420\n" + b"\x47" * 5000,
    }.items():
        path.write_bytes(data)
        assert not is_truncated(path), name


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize("begin", [FRAMES, 0], ids=["on time", "again"])
def test_seam_of_joined_mpeg_ts_is_no_damage(
    images: list[np.ndarray], tmp_path: Path, codec: str, begin: int
) -> None:
    one = ts(tmp_path / "1.ts", images, codec=codec)
    other = ts(tmp_path / "2.ts", images, begin, codec)
    (tmp_path / "in.ts").write_bytes(one + other)
    said = run(tmp_path / "in.ts", tmp_path / "out.mp4")
    assert len(read(tmp_path / "out.mp4").times) == 2 * FRAMES
    assert len(said) == (begin == 0)


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize("lost", ["middle", "end of a frame", "whole frames"])
def test_lost_packets_are_damage(
    images: list[np.ndarray], tmp_path: Path, codec: str, lost: str
) -> None:
    data = ts(tmp_path / "in.ts", images, codec=codec)
    packets = as_packets(data)
    video = [number for number, packet in enumerate(packets) if number_of(packet) == VIDEO]
    frames = [number for number in video if packets[number][1] & 0x40]
    if lost == "middle":
        missing = [number for number in video if number > frames[6]][3:6]
    elif lost == "end of a frame":
        missing = [number for number in video if number < frames[6]][-3:]
    else:
        missing = [number for number in video if frames[5] <= number < frames[7]]
    kept = [packet for number, packet in enumerate(packets) if number not in missing]
    (tmp_path / "cut.ts").write_bytes(b"".join(kept))
    with pytest.raises(ConversionError, match="is damaged in 1 place"):
        run(tmp_path / "cut.ts", tmp_path / "out.mp4")


def test_changed_size_is_told(images: list[np.ndarray], tmp_path: Path) -> None:
    small = [np.ascontiguousarray(image[:60, :80]) for image in images]
    one, other = ts(tmp_path / "1.ts", images), ts(tmp_path / "2.ts", small, FRAMES)
    (tmp_path / "in.ts").write_bytes(one + other)
    said = run(tmp_path / "in.ts", tmp_path / "out.mp4")
    film = read(tmp_path / "out.mp4")
    assert len(film.times) == 2 * FRAMES
    assert film.size == (160, 90)
    assert len(said) == 1 and "size of the video's frames changes" in said[0]
