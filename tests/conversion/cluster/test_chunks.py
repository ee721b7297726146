"""Chunks of compressed frames decode to what a reader of the whole file returns."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.conversion.cluster.chunks import ChunkCutter, decoder_setup
from live_nst.conversion.cluster.packets import Chunk, ChunkMismatch, ChunkReader, DecoderSetup
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.video.painter import CannotSpread
from live_nst.conversion.video.probe import VideoInfo, probe
from live_nst.conversion.video.reader import FrameReader, image_checksum
from live_nst.video.color import ToBgr
from tests.conversion.make_videos import frames_of, write

FRAMES, SIZE = 70, (64, 48)


@pytest.fixture(scope="module")
def images(clips: dict[str, Path]) -> list[np.ndarray]:
    return frames_of(clips["bikes"], FRAMES, SIZE)


def cut(info: VideoInfo, chunk: int = 20, warm_up: int = 8, **options: Any) -> list[Chunk]:
    return list(ChunkCutter(info, ConvertOptions(chunk=chunk, **options), warm_up).chunks())


def described(info: VideoInfo, frames: Any) -> list[tuple[Any, ...]]:
    to_bgr = ToBgr(info.size, info.orientation)
    return [
        (each.index, each.pts, each.end, each.time, image_checksum(to_bgr(each.av_frame)))
        for each in frames
    ]


def check(path: Path, chunk: int = 20, warm_up: int = 8, **options: Any) -> list[Chunk]:
    """Compare all chunks with the frames of one reader; return them."""
    info = probe(path)
    setup, chunks = decoder_setup(info), cut(info, chunk, warm_up, **options)
    whole = described(info, FrameReader(info, **options).frames())
    assert [each.number for each in chunks] == list(range(-(-len(whole) // chunk)))
    for each in chunks:
        assert each.first == each.number * chunk
        assert each.warm_up == min(warm_up, each.first)
        end = min(len(whole), each.first + chunk)
        assert each.is_end == (end - each.first < chunk)
        assert each.length == end - each.first
        reader = ChunkReader(each, setup, info)
        assert described(info, reader.frames()) == whole[each.first - each.warm_up : end]
        assert reader.before == (whole[each.first - 1][4] if each.warm_up else None)
    return chunks


X264 = {"x264-params": "keyint=15:bframes=3:b-adapt=0:scenecut=0:open-gop=1"}
FORMS = [
    ("a.mp4", {"options": X264}),
    ("a.mkv", {"options": X264, "time_base": Fraction(1, 1000)}),
    ("a.ts", {"options": X264, "time_base": Fraction(1, 90_000)}),
    ("a.mov", {"codec": "prores_ks", "pixels": "yuv422p10le"}),
    ("a.mp4", {"codec": "mpeg4", "options": {"bf": "2", "g": "12"}}),
    ("a.ts", {"codec": "mpeg2video", "options": {"bf": "2", "g": "12"},
              "time_base": Fraction(1, 25)}),
    ("a.avi", {"codec": "mjpeg", "pixels": "yuvj420p", "time_base": Fraction(1, 25)}),
    ("a.avi", {"codec": "huffyuv", "pixels": "rgb24", "time_base": Fraction(1, 25)}),
    ("a.avi", {"codec": "msmpeg4", "time_base": Fraction(1, 25)}),
    ("a.avi", {"codec": "rawvideo", "time_base": Fraction(1, 25)}),
    ("a.mkv", {"codec": "ffv1", "pixels": "bgr0", "time_base": Fraction(1, 1000)}),
    ("a.mkv", {"codec": "libvpx", "time_base": Fraction(1, 1000),
               "options": {"auto-alt-ref": "0", "deadline": "realtime", "cpu-used": "8"}}),
    ("a.webm", {"codec": "libvpx-vp9", "time_base": Fraction(1, 1000),
                "options": {"deadline": "realtime", "cpu-used": "8", "g": "20"}}),
    ("a.mp4", {"codec": "libx265", "pixels": "yuv420p10le",
               "options": {"preset": "ultrafast", "x265-params": "log-level=none:keyint=15"}}),
    ("a.mp4", {"codec": "libsvtav1", "options": {"preset": "12", "g": "20"}}),
    ("a.flv", {"codec": "flv1", "time_base": Fraction(1, 1000)}),
    ("a.mov", {"codec": "qtrle", "pixels": "rgb24"}),
    ("a.wmv", {"codec": "wmv2", "time_base": Fraction(1, 1000)}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "form"), FORMS, ids=[f"{n[2:]}-{f.get('codec', 'h264')}" for n, f in FORMS]
)
def test_chunks_of_codec(
    images: list[np.ndarray], tmp_path: Path, name: str, form: dict[str, Any]
) -> None:
    check(write(tmp_path / name, images, **form))


@pytest.mark.parametrize(
    "options", [{"start": 0.7, "end": 2.3}, {"every": 3}, {"every": 2, "start": 0.5}, {"end": 1.6}]
)
def test_chunks_of_part(images: list[np.ndarray], tmp_path: Path, options: dict[str, Any]) -> None:
    check(write(tmp_path / "a.mp4", images, options=X264), chunk=10, warm_up=7, **options)


@pytest.mark.parametrize(("chunk", "warm_up"), [(5, 8), (35, 0), (70, 32), (100, 32), (10, 10)])
def test_lengths(images: list[np.ndarray], tmp_path: Path, chunk: int, warm_up: int) -> None:
    check(write(tmp_path / "a.mp4", images, options=X264), chunk, warm_up)


def test_uneven_times(images: list[np.ndarray], tmp_path: Path) -> None:
    steps = np.random.default_rng(3).integers(200, 9000, FRAMES)
    check(write(tmp_path / "a.mp4", images, ticks=np.cumsum(steps).tolist(), options=X264))


def test_packets_begin_at_key_frame_before_warm_up(
    images: list[np.ndarray], tmp_path: Path
) -> None:
    chunks = check(write(tmp_path / "a.mp4", images, options=X264), chunk=20, warm_up=3)
    first = chunks[2].packets[0]
    assert first.is_keyframe and len(chunks[2].packets) < 45
    assert (first.pts or 0) <= chunks[2].frames[0][0]


def test_joined_recordings(images: list[np.ndarray], tmp_path: Path) -> None:
    part = write(
        tmp_path / "part.ts", images[:35], time_base=Fraction(1, 90_000),
        ticks=[90_000 + 3600 * number for number in range(35)], options=X264,
    )  # fmt: skip
    film = tmp_path / "film.ts"
    film.write_bytes(2 * part.read_bytes())
    with pytest.raises(CannotSpread, match="may be damaged"):  # as the counters of packets jump
        check(film)
    film = tmp_path / "film.flv"
    times = [40 * number for number in range(35)]
    part = write(tmp_path / "part.flv", images[:35], time_base=Fraction(1, 1000), ticks=times)
    film.write_bytes(part.read_bytes() + part.read_bytes()[13:])
    check(film)


def test_only_wanted_chunks(images: list[np.ndarray], tmp_path: Path) -> None:
    info = probe(write(tmp_path / "a.mp4", images))
    cutter = ChunkCutter(info, ConvertOptions(chunk=20), 8, lambda number: number in (0, 3))
    assert [chunk.number for chunk in cutter.chunks()] == [0, 3]


def test_cut_off_film_is_not_spread_to_its_end(images: list[np.ndarray], tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.mkv", images, options=X264, container_options={"cluster_size_limit": "2000"}
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = []
    with pytest.raises(CannotSpread):
        found.extend(ChunkCutter(probe(path), ConvertOptions(chunk=10), 8).chunks())


def test_other_frames_are_a_mismatch(images: list[np.ndarray], tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", images, options=X264)
    info = probe(path)
    setup, chunk = decoder_setup(info), cut(info)[1]
    lost = next(n for n, packet in enumerate(chunk.packets) if packet.pts == chunk.frames[5][0])
    packets = (*chunk.packets[:lost], *chunk.packets[lost + 1 :])
    damaged = Chunk(**{**vars(chunk), "packets": packets})
    with pytest.raises(ChunkMismatch):
        list(ChunkReader(damaged, setup, info).frames())


def test_unknown_brightness_is_a_mismatch(images: list[np.ndarray], tmp_path: Path) -> None:
    info = probe(write(tmp_path / "a.mp4", images))
    setup = DecoderSetup(**{**vars(decoder_setup(info)), "peak": 400.0})
    with pytest.raises(ChunkMismatch):
        list(ChunkReader(cut(info)[0], setup, info).frames())


def test_colors(images: list[np.ndarray], tmp_path: Path) -> None:
    """HDR and its brightness, full range: both as the reader sees them."""
    hdr = write(
        tmp_path / "hdr.mp4", images, codec="libx265", pixels="yuv420p10le", color=(9, 1, 9, 16),
        options={"preset": "ultrafast", "x265-params": "log-level=none:keyint=15:max-cll=600,200"},
    )  # fmt: skip
    assert decoder_setup(probe(hdr)).peak == 600
    check(hdr)
    full = write(tmp_path / "full.mkv", images, codec="ffv1", color=(1, 2, 1, 1))
    check(full)
