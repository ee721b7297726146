"""Video in, video out: nothing lost, nothing moved, on real footage and variants of it."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.conversion.api import convert
from tests.conversion.fakes import Negative
from tests.conversion.make_videos import (
    frames_of,
    rotate_by_tag,
    set_matrix,
    without_first_packets,
    write,
)
from tests.conversion.reading import Contents, opened, read, within_a_tick

SMALL = (160, 90)
FRAMES = 40


@pytest.fixture(scope="module")
def images(clips: dict[str, Path]) -> list[np.ndarray]:
    return frames_of(clips["bikes"], FRAMES, SMALL)


def converted(source: Path, output: Path, **options: Any) -> tuple[Contents, list[str]]:
    """The output of a conversion, and what was said; what must always hold is checked here."""
    said: list[str] = []
    before = read(source)
    report = convert(source, output, stylizer=Negative(), notify=said.append, **options)  # type: ignore[arg-type]
    after = read(output)
    assert report.frames == len(before.times)
    tick = max(before.time_base, after.time_base)
    assert within_a_tick([time - before.begin for time in before.times], after.times, tick)
    assert [path.name for path in output.parent.iterdir() if path.name.startswith(".")] == []
    return after, said


def assert_same_sound(before: Contents, after: Contents) -> None:
    """The same packets byte for byte, each within a millisecond of its time."""
    for one, other in zip(before.audio, after.audio, strict=True):
        assert [data for _, data in one] == [data for _, data in other]
        moved = (abs(a - before.begin - b) for (a, _), (b, _) in zip(one, other, strict=True))
        assert max(moved) <= Fraction(1, 1000)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("name", ["bigbuckbunny", "carphone_pristine"])
def test_real_footage(clips: dict[str, Path], tmp_path: Path, name: str, suffix: str) -> None:
    source = clips[name]
    after, said = converted(source, tmp_path / f"out{suffix}")

    before = read(source)
    assert after.size == before.size
    assert after.aspect == before.aspect
    assert_same_sound(before, after)
    assert abs(after.duration - before.duration) < 0.002
    assert not said


def test_lossless_output_equals_stylized_frames(clips: dict[str, Path], tmp_path: Path) -> None:
    """Encoded without loss, the output holds what the stylizer made of each frame."""
    source = clips["carphone_pristine"]
    converted(source, tmp_path / "out.mkv", codec="libx264rgb")

    expected = [255 - picture for picture in read(source, "bgr24").images]
    shown = read(tmp_path / "out.mkv", "bgr24").images
    assert all(np.array_equal(a, b) for a, b in zip(expected, shown, strict=True))


def test_variable_frame_rate(images: list[np.ndarray], tmp_path: Path) -> None:
    steps = np.random.default_rng(3).integers(1, 4000, len(images))
    ticks = np.cumsum(steps).tolist()
    source = write(tmp_path / "in.mp4", images, ticks=ticks, options={"bf": "3"})
    after, _ = converted(source, tmp_path / "out.mp4")
    before = read(source)
    assert after.times == [time - before.begin for time in before.times]
    assert after.time_base == read(source).time_base


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    "ticks",
    [
        [*range(11), 80],
        [0, 3, 4, 9, 10, 11, 30, 31, 33, 60, 61, 62],
        [0, *range(60, 71)],
        [*range(0, 48, 4)],
    ],
    ids=["long last", "mixed", "long first", "even"],
)
def test_duration_with_b_frames(
    images: list[np.ndarray], tmp_path: Path, suffix: str, ticks: list[int]
) -> None:
    """MP4 stores how long packets last in the order of decoding."""
    source = write(tmp_path / "in.mkv", images[:12], ticks=ticks, time_base=Fraction(1, 100))
    output = tmp_path / f"out{suffix}"
    after, _ = converted(source, output, preset="medium")
    expected = ticks[-1] / 100 + 0.04  # a frame lasts as long as the frame rate says
    assert after.duration == pytest.approx(expected, abs=2e-3)
    with opened(output) as container:
        video = container.streams.video[0]
        packets = [packet for packet in container.demux(video) if packet.size]
        assert any(packet.pts > later.pts for packet, later in pairwise(packets))
        if suffix != ".mkv":
            assert float(video.duration * video.time_base) == pytest.approx(expected, abs=2e-3)
            assert all(packet.dts < later.dts for packet, later in pairwise(packets))
            assert all(packet.dts <= packet.pts for packet in packets)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_applied_once(images: list[np.ndarray], tmp_path: Path, degrees: int) -> None:
    source = write(tmp_path / "in.mp4", images[:8], aspect=Fraction(4, 3))
    rotate_by_tag(source, degrees)
    before = read(source, "bgr24")
    assert before.rotation % 360 == -degrees % 360

    after, _ = converted(source, tmp_path / "out.mkv", codec="libx264rgb")

    assert after.rotation == 0
    upright = np.rot90(before.images[0], -degrees // 90)
    shown = read(tmp_path / "out.mkv", "bgr24").images[0]
    assert np.array_equal(shown, 255 - upright)
    assert after.size == (SMALL if degrees == 180 else SMALL[::-1])
    assert after.aspect == (Fraction(4, 3) if degrees == 180 else Fraction(3, 4))


@pytest.mark.parametrize(
    ("matrix", "flip"),
    [
        ((-1, 0, 0, 1), np.fliplr),
        ((1, 0, 0, -1), np.flipud),
        ((0, 1, 1, 0), lambda image: np.swapaxes(image, 0, 1)),
        ((0, 0, 0, 0), lambda image: image),
    ],
    ids=["left to right", "upside down", "mirrored and rotated", "zeros"],
)
def test_mirroring_is_applied(
    images: list[np.ndarray],
    tmp_path: Path,
    matrix: tuple[int, int, int, int],
    flip: Callable[[np.ndarray], np.ndarray],
) -> None:
    source = set_matrix(write(tmp_path / "in.mp4", images[:2]), matrix)
    stored = read(source, "bgr24").images[0]
    _, said = converted(source, tmp_path / "out.mkv", codec="libx264rgb")
    shown = read(tmp_path / "out.mkv", "bgr24").images[0]
    assert np.array_equal(shown, 255 - flip(stored))
    assert not [line for line in said if "rotated" in line]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_odd_sizes_are_exact(clips: dict[str, Path], tmp_path: Path, suffix: str) -> None:
    odd = frames_of(clips["bikes"], 8, (333, 217))
    source = write(tmp_path / "in.mkv", odd, pixels="yuv444p")
    after, said = converted(source, tmp_path / f"out{suffix}")
    assert after.size == (333, 217)
    assert any("4:4:4" in line for line in said) == (suffix != ".webm")


def test_10_bits_with_notice(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", images[:8], pixels="yuv420p10le")
    _, said = converted(source, tmp_path / "out.mp4")
    assert said == ["The video has 10 bits per color: it is converted to 8 bits"]


def test_hdr_becomes_bt709_with_notice(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", images[:8], pixels="yuv420p10le", color=(9, 1, 9, 16))
    after, said = converted(source, tmp_path / "out.mp4")
    assert len(said) == 1 and "HDR (PQ, 10 bits)" in said[0]
    assert after.color == (1, 1, 1, 1)


@pytest.mark.parametrize("transfer", [16, 18], ids=["PQ", "HLG"])
def test_hdr_highlights_are_kept(tmp_path: Path, transfer: int) -> None:
    """Bright grays stay apart, and only the peak of the display is white."""
    peak = 255 if transfer == 18 else 192  # signals of 1000 cd/m2, full range with 8 bits
    levels = np.linspace(0.5, 0.97, 10) * peak
    row = levels.astype(np.uint8).repeat(16)[:, None].repeat(3, 1)
    picture = np.ascontiguousarray(np.broadcast_to(row, (64, 160, 3)))
    source = write(
        tmp_path / "in.mp4",
        [picture] * 3,
        pixels="yuv420p10le",
        color=(9, 1, 9, transfer),
        options={"crf": "4"},
    )
    converted(source, tmp_path / "out.mp4", crf=4)
    shown = 255 - read(tmp_path / "out.mp4", "bgr24").images[0].astype(int)[32, 8::16]
    assert np.ptp(shown, axis=1).max() <= 3
    assert np.diff(shown[:, 1]).min() >= 4
    assert 200 < shown[-1].max() < 254


@pytest.mark.parametrize("color", [(1, 1, 1, 1), (5, 1, 5, 6), (1, 2, 1, 13), (6, 1, 6, 6)])
def test_colors_and_tags_are_kept(tmp_path: Path, color: tuple[int, int, int, int]) -> None:
    patches = np.array([[40, 60, 210], [200, 80, 50], [60, 190, 70], [128, 128, 128]], np.uint8)
    picture = np.ascontiguousarray(np.broadcast_to(patches.repeat(40, 0), (90, 160, 3)))
    source = write(tmp_path / "in.mp4", [picture] * 3, color=color, options={"crf": "4"})
    after, _ = converted(source, tmp_path / "out.mp4", crf=4)
    assert after.color == color
    shown = read(tmp_path / "out.mp4", "bgr24").images[0].astype(int)
    # The wrong matrix or range is off by 10 levels and more in some patch.
    assert np.abs(shown[:, 20::40] - (255 - patches.astype(int))).max() <= 6


@pytest.mark.parametrize(
    "tracks",
    [
        [("aac", "mono", 300)],
        [("aac", "stereo", 300)],
        [("aac", "5.1", 300)],
        [("aac", "stereo", 300), ("aac", "mono", 500)],
        [],
    ],
    ids=["mono", "stereo", "5.1", "two tracks", "none"],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_audio_is_copied_byte_for_byte(
    images: list[np.ndarray], tmp_path: Path, tracks: list[tuple[str, str, int]], suffix: str
) -> None:
    source = write(tmp_path / "in.mp4", images, audio=tracks)
    after, said = converted(source, tmp_path / f"out{suffix}")
    before = read(source)
    assert len(after.audio) == len(tracks)
    assert_same_sound(before, after)
    assert not said


def test_webm_keeps_opus(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mkv", images[:20], audio=[("libopus", "stereo", 300)])
    after, said = converted(source, tmp_path / "out.webm")
    assert [d for _, d in after.audio[0]] == [d for _, d in read(source).audio[0]]
    assert not said


def test_subtitles_chapters_and_metadata(images: list[np.ndarray], tmp_path: Path) -> None:
    words = [(0.2, 0.7, "one"), (0.8, 1.4, "two")]
    chapters = [(0.0, 0.8, "first"), (0.8, 1.6, "second")]
    source = write(
        tmp_path / "in.mkv",
        images,
        subtitles=words,
        chapters=chapters,
        metadata={"title": "A film", "artist": "Somebody"},
    )
    after, said = converted(source, tmp_path / "out.mkv")
    assert after.subtitles == read(source).subtitles and after.subtitles
    assert after.chapters == chapters
    assert after.metadata["title"] == "A film"
    assert not said

    after, said = converted(source, tmp_path / "out.mp4")
    assert after.chapters == chapters
    assert after.metadata["title"] == "A film"
    assert said == ["Converted to mov_text, because mp4 cannot store it: 1 subrip subtitle stream"]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_metadata_not_utf8_is_copied(suffix: str, images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", images[:4], metadata={"title": "Cafeteria"})
    source.write_bytes(source.read_bytes().replace(b"Cafeteria", b"Caf\xe9teria"))
    after, _ = converted(source, tmp_path / f"out.{suffix}")
    assert after.metadata["title"].encode("utf-8", "surrogateescape") == b"Caf\xe9teria"


def test_b_frames(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", images, options={"bf": "4", "b_strategy": "0"})
    converted(source, tmp_path / "out.mp4", preset="medium")


def test_open_gop_start(images: list[np.ndarray], tmp_path: Path) -> None:
    whole = write(
        tmp_path / "whole.mp4",
        images,
        options={"x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0"},
    )
    source = without_first_packets(whole, tmp_path / "in.mkv", 12)
    converted(source, tmp_path / "out.mkv")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_first_timestamp_not_zero(images: list[np.ndarray], tmp_path: Path, suffix: str) -> None:
    ticks = [12800 * 3 + 512 * number for number in range(len(images))]
    source = write(
        tmp_path / f"in{suffix}",
        images,
        ticks=ticks,
        audio=[("aac", "mono", 300)],
        audio_start=2.5,
        options={"bf": "2"},
    )
    after, _ = converted(source, tmp_path / f"out{suffix}")
    before = read(source)
    assert float(before.times[0]) == pytest.approx(3.0, abs=0.1)
    assert_same_sound(before, after)


def test_mpeg_ts_begins_at_its_own_start(images: list[np.ndarray], tmp_path: Path) -> None:
    ticks = [90_000 * 50 + 3600 * number for number in range(len(images))]
    source = write(
        tmp_path / "in.ts",
        images,
        ticks=ticks,
        time_base=Fraction(1, 90_000),
        audio=[("mp2", "stereo", 300)],
        audio_start=50.0,
    )
    before = read(source)
    convert(source, tmp_path / "out.mkv", stylizer=Negative())  # type: ignore[arg-type]
    after = read(tmp_path / "out.mkv")
    assert len(after.times) == len(before.times)
    assert before.times[0] >= 50 and after.times[0] < 1
    gap = before.times[0] - before.audio[0][0][0]
    assert abs((after.times[0] - after.audio[0][0][0]) - gap) <= Fraction(1, 1000)
    assert [d for _, d in after.audio[0]] == [d for _, d in before.audio[0]]


def test_gif(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", images, audio=[("aac", "mono", 300)])
    after, said = converted(source, tmp_path / "out.gif")
    shown = read(tmp_path / "out.gif", "bgr24").images
    original = read(source, "bgr24").images
    for one, other in zip(original, shown, strict=True):
        assert np.abs((255 - one.astype(int)) - other).mean() < 12  # 256 colors
    assert after.size == SMALL
    assert said == ["Left out, because gif cannot store it: 1 aac audio stream"]


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "libsvtav1"])
def test_other_codecs(images: list[np.ndarray], tmp_path: Path, codec: str) -> None:
    source = write(tmp_path / "in.mp4", images[:12])
    converted(source, tmp_path / "out.mp4", codec=codec)
