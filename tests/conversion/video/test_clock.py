"""Clocks that jump, begin late or leave parts out: the output shows what a player shows."""

import itertools
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from live_nst.conversion.api import convert
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.video.clock import scan_clock
from live_nst.conversion.video.probe import probe
from live_nst.conversion.video.reader import FrameReader
from live_nst.conversion.video.task import VideoTask
from tests.conversion.fakes import Negative
from tests.conversion.make_videos import write
from tests.conversion.reading import Contents, read

FRAMES = 24
TS = Fraction(1, 90_000)
STEP = Fraction(1, 25)


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    dice = np.random.default_rng(2)
    small = dice.integers(0, 255, (FRAMES, 6, 8, 3)).astype(np.uint8)
    return [np.ascontiguousarray(each.repeat(8, 0).repeat(8, 1)) for each in small]


def run(source: Path, output: Path, **options: Any) -> tuple[Contents, list[str]]:
    said: list[str] = []
    convert(source, output, stylizer=Negative(), notify=said.append, **options)  # type: ignore[arg-type]
    return read(output), said


def part(path: Path, images: list[np.ndarray], begin: int = 0, codec: str = "libx264") -> bytes:
    """A recording of its own with sound, whose clock begins at so many seconds."""
    base = STEP if codec == "mpeg2video" else TS
    write(
        path,
        images,
        codec=codec,
        ticks=[round((begin + STEP * number) / base) for number in range(len(images))],
        time_base=base,
        options={"bf": "2", "g": "12"},
        audio=[("mp2", "stereo", 300)],
        audio_start=begin,
    )
    return path.read_bytes()


def assert_in_step(film: Contents, pieces: int) -> None:
    """Every frame and packet is there, at even times; sound and picture end together."""
    assert len(film.times) == pieces * FRAMES
    steps = [after - before for before, after in itertools.pairwise(film.times)]
    # Sound and picture of a piece are not equally long: the next piece begins after one of them.
    assert all(abs(step - STEP) < STEP * 3 / 4 for step in steps)
    sound = [time for time, _ in film.audio[0] if time is not None]
    assert sound == sorted(sound)
    assert abs(sound[-1] - film.times[-1]) < 0.12
    assert film.times[0] < 0.1
    assert abs(film.times[-1] - film.times[0] - (pieces * FRAMES - 1) * STEP) < 0.05 * pieces


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("begins", [(0, 0), (0, 3600), (50, 2, 900)], ids=str)
def test_jumps_of_joined_recordings_are_closed(
    images: list[np.ndarray], tmp_path: Path, begins: Sequence[int], suffix: str
) -> None:
    pieces = [part(tmp_path / f"{number}.ts", images, at) for number, at in enumerate(begins)]
    source = tmp_path / "in.ts"
    source.write_bytes(b"".join(pieces))
    packets = len(read(source).audio[0])

    film, said = run(source, tmp_path / f"out{suffix}")

    assert_in_step(film, len(begins))
    assert len(film.audio[0]) == packets
    (line,) = said
    assert "jump" in line and "closed" in line


def test_cells_of_a_vob_are_joined(images: list[np.ndarray], tmp_path: Path) -> None:
    cell = part(tmp_path / "cell.vob", images, codec="mpeg2video")
    (tmp_path / "in.vob").write_bytes(2 * cell)
    film, said = run(tmp_path / "in.vob", tmp_path / "out.mkv")
    assert_in_step(film, 2)
    assert "jumps back by" in said[0]


def test_joined_matroska(images: list[np.ndarray], tmp_path: Path) -> None:
    film = write(tmp_path / "part.mkv", images, audio=[("mp2", "stereo", 300)])
    (tmp_path / "in.mkv").write_bytes(2 * film.read_bytes())
    shown, said = run(tmp_path / "in.mkv", tmp_path / "out.mkv")
    assert_in_step(shown, 2)
    assert "jumps back by" in said[0]


def test_start_and_end_count_across_a_jump(images: list[np.ndarray], tmp_path: Path) -> None:
    (tmp_path / "in.ts").write_bytes(2 * part(tmp_path / "part.ts", images))
    film, _ = run(tmp_path / "in.ts", tmp_path / "out.mkv", start=0.6, end=1.4)
    assert len(film.times) == pytest.approx(20, abs=1)
    assert film.times[0] == 0
    assert 0 <= film.audio[0][0][0] < 0.05  # type: ignore[operator]


def test_pause_of_one_stream_is_no_jump(tmp_path: Path) -> None:
    """A slide show with music: the clock runs on, as the sound shows."""
    images = [np.full((48, 64, 3), 40 * number, np.uint8) for number in range(3)]
    source = write(
        tmp_path / "in.ts",
        images,
        ticks=[0, 90_000 * 12, 90_000 * 24],
        time_base=TS,
        options={"bf": "0"},
        audio=[("mp2", "mono", 300)],
    )
    assert probe(source).notes == ()
    begin, *_, end = [frame.time for frame in FrameReader(probe(source)).frames()]
    assert (begin, end) == (0, pytest.approx(24, abs=0.01))


def test_clock_of_one_recording_is_not_changed(images: list[np.ndarray], tmp_path: Path) -> None:
    part(tmp_path / "in.ts", images)
    with av.open(str(tmp_path / "in.ts")) as container:
        correction = scan_clock(container, 0)
    assert not correction.jumps and not correction.steps
    assert correction.frames == FRAMES


def assert_begins_at_0(source: Path, folder: Path) -> None:
    """The output begins at 0, times count from the first frame, and sound keeps its distance."""
    before = read(source)
    film, _ = run(source, folder / "out.mkv")
    assert len(film.times) == FRAMES
    begin, sound = film.times[0], film.audio[0][0][0]
    assert sound is not None
    assert min(begin, sound) == pytest.approx(0, abs=0.03)
    distance = before.times[0] - before.audio[0][0][0]  # type: ignore[operator]
    assert begin - sound == pytest.approx(distance, abs=0.01)

    film, _ = run(source, folder / "short.mkv", end=0.4)
    assert len(film.times) == 10


@pytest.mark.parametrize("suffix", [".webm", ".mkv", ".flv"])
@pytest.mark.parametrize("sound", [4999.5, 5000.5])
def test_late_first_timestamp(
    images: list[np.ndarray], tmp_path: Path, suffix: str, sound: float
) -> None:
    webm = suffix == ".webm"
    source = write(
        tmp_path / f"in{suffix}",
        images,
        codec="libvpx" if webm else "libx264",
        ticks=[5_000_000 + 40 * number for number in range(FRAMES)],
        time_base=Fraction(1, 1000),
        options={"deadline": "realtime"} if webm else {"bf": "0"},
        audio=[("libopus" if webm else "aac", "mono", 300)],
        audio_start=sound,
    )
    assert_begins_at_0(source, tmp_path)


@pytest.mark.parametrize("sound", [4999.5, 5000.5])
def test_fragments_without_the_first_ones(
    images: list[np.ndarray], tmp_path: Path, sound: float
) -> None:
    """As they are saved from a broadcast: the times of the fragments begin late."""
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    source = write(
        tmp_path / "in.mp4",
        images,
        options={"bf": "0"},
        audio=[("aac", "mono", 300)],
        container_options=flags,
    )
    data = bytearray(source.read_bytes())
    shifts = {1: 5000 * 12800, 2: round(sound * 48000)}
    place = data.find(b"tfdt")
    while place >= 0:
        track = struct.unpack_from(">I", data, data.rindex(b"tfhd", 0, place) + 8)[0]
        time = struct.unpack_from(">Q", data, place + 8)[0]
        struct.pack_into(">Q", data, place + 8, time + shifts[track])
        place = data.find(b"tfdt", place + 4)
    source.write_bytes(data)
    assert read(source).times[0] == 5000
    assert_begins_at_0(source, tmp_path)


@pytest.mark.parametrize(
    ("suffix", "rate"),
    [(".ts", 25), (".mkv", 25), (".mp4", 25), (".mkv", Fraction(24000, 1001))],
)
def test_times_of_frames_are_exact(
    images: list[np.ndarray], tmp_path: Path, suffix: str, rate: Fraction
) -> None:
    base = {".ts": TS, ".mkv": Fraction(1, 1000), ".mp4": Fraction(1, 12800)}[suffix]
    ticks = [round(number / rate / base) for number in range(FRAMES)]
    source = write(
        tmp_path / f"in{suffix}", images, ticks=ticks, time_base=base, options={"bf": "0"}
    )
    info = probe(source)
    shown = [frame.pts for frame in FrameReader(info).frames()]
    assert len(shown) == FRAMES
    for number in range(1, FRAMES):
        time = round(float(number / rate), 6)
        assert next(FrameReader(info, start=time).frames()).pts == shown[number]
        assert len(list(FrameReader(info, end=time).frames())) == number


def test_first_frame_of_mpeg_ts_is_kept(images: list[np.ndarray], tmp_path: Path) -> None:
    """Its time is no whole number of microseconds, in which FFmpeg counts a file's begin."""
    ticks = [90_000 + 3003 * number for number in range(8)]
    for begin in (1, 2, 4, 5, 7):
        source = write(
            tmp_path / f"{begin}.ts",
            images[:8],
            ticks=[begin + tick for tick in ticks],
            time_base=TS,
            options={"bf": "0"},
        )
        film, _ = run(source, tmp_path / f"{begin}.mp4")
        assert len(film.times) == 8
        assert film.times[0] == 0


def test_avi_shows_frames_in_even_steps(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(
        tmp_path / "in.avi", images, time_base=STEP, options={"bf": "2", "b_strategy": "0"}
    )
    film, said = run(source, tmp_path / "out.mkv")
    assert len(film.times) == FRAMES
    assert {after - before for before, after in itertools.pairwise(film.times)} == {STEP}
    assert not said


def set_edits(path: Path, edits: Sequence[Sequence[tuple[int, int]]]) -> None:
    """Replace the edit lists of an MP4 whose index is at its end.

    Args:
        edits: For each track, the entries: duration in milliseconds, first time in its own ticks.
    """
    data = path.read_bytes()
    # FFmpeg 8 counts durations in thousandths of a second, later versions in other steps.
    header = data.index(b"mvhd") + 4
    place = header + (20 if data[header] == 1 else 12)
    timescale = struct.unpack(">I", data[place : place + 4])[0]
    for number, entries in enumerate(edits):
        place = -1
        for _ in range(number + 1):
            place = data.index(b"elst", place + 1)
        length = struct.unpack(">I", data[place - 4 : place])[0]
        body = b"elst" + struct.pack(">II", 0, len(entries))
        body += b"".join(
            struct.pack(">IiI", duration * timescale // 1000, first, 0x10000)
            for duration, first in entries
        )
        more = len(body) + 4 - length
        data = (
            data[: place - 4] + struct.pack(">I", length + more) + body + data[place - 4 + length :]
        )
        for name in (b"edts", b"trak", b"moov"):
            box = data.rindex(name, 0, place) - 4
            size = struct.unpack(">I", data[box : box + 4])[0]
            data = data[:box] + struct.pack(">I", size + more) + data[box + 4 :]
    path.write_bytes(data)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_edit_list_with_two_entries(images: list[np.ndarray], tmp_path: Path, suffix: str) -> None:
    source = write(
        tmp_path / "in.mp4",
        images * 2,
        options={"bf": "0", "g": "6"},
        audio=[("aac", "mono", 300)],
    )
    set_edits(source, [[(480, 0), (480, 12800)], [(480, 1024), (480, 48000 + 1024)]])
    film, _ = run(source, tmp_path / f"out{suffix}")
    with av.open(str(source)) as container:
        shown = [frame.time for frame in container.decode(video=0)]
    assert len(film.times) == len(shown) < 2 * FRAMES
    assert [float(time) for time in film.times] == pytest.approx(shown, abs=0.001)
    assert len(film.audio[0]) == pytest.approx(0.96 * 48000 / 1024, abs=2)
    assert film.duration == pytest.approx(0.96, abs=0.06)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_trimmed_sound_does_not_come_back(
    images: list[np.ndarray], tmp_path: Path, suffix: str
) -> None:
    source = write(tmp_path / "in.mp4", images, options={"bf": "0"}, audio=[("aac", "mono", 300)])
    set_edits(source, [[(960, 0)], [(400, 24000)]])  # 0.5 s at its begin, and the end
    film, _ = run(source, tmp_path / f"out{suffix}")
    times = [time for time, _ in film.audio[0] if time is not None]
    assert len(film.times) == FRAMES
    assert -0.05 <= times[0] <= 0 and times[-1] < 0.41


def test_end_cuts_a_long_frame(images: list[np.ndarray], tmp_path: Path) -> None:
    ticks = [0, 512, 1024, 12800 * 700]
    source = write(tmp_path / "in.mp4", images[:4], ticks=ticks, options={"bf": "0"})
    film, _ = run(source, tmp_path / "out.mp4", end=2.0)
    assert len(film.times) == 3
    assert film.duration == pytest.approx(2.0, abs=2e-3)


def test_pause_too_long_for_gif_is_told(images: list[np.ndarray], tmp_path: Path) -> None:
    ticks = [0, 512, 1024, 12800 * 700, 12800 * 700 + 512]
    source = write(tmp_path / "in.mp4", images[:5], ticks=ticks, options={"bf": "0"})
    film, said = run(source, tmp_path / "out.gif")
    assert film.times[3] - film.times[2] == pytest.approx(655.35)
    told = "A pause of 700 s becomes 655 s: a GIF cannot show a frame for longer"
    assert said == [told]
    for options, notes in {
        ConvertOptions(): (told,),
        ConvertOptions(end=1.0): (),
        ConvertOptions(start=100.0): (),
        ConvertOptions(every=2): (told,),
        ConvertOptions(every=5): (),
    }.items():  # before the first frame is stylized
        assert VideoTask.open(source, tmp_path / "new.gif", options).info.notes == notes
    assert VideoTask.open(source, tmp_path / "new.webp", ConvertOptions()).info.notes == ()
