"""Animated pictures become videos and animated pictures, with all frames and their times."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.conversion.images.convert import is_image_conversion
from live_nst.conversion.images.reading import read_still_image
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ConversionReport, ProgressReporter
from live_nst.conversion.video.convert import convert_video
from live_nst.conversion.video.task import VideoTask
from live_nst.errors import LiveNstError, SourceError
from tests.conversion.fakes import Negative

WIDTH, HEIGHT = 64, 48
DURATIONS = (120, 80, 200, 120, 160)  # milliseconds
COLORS = ((250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 10), (120, 130, 140))
OPTIONS: dict[str, dict[str, Any]] = {"webp": {"lossless": True}, "avif": {"quality": 95}}


def animation(path: Path, *, transparent: bool = False) -> None:
    """Frames of one color each; the left half is transparent if asked for."""
    frames = []
    for color in COLORS:
        frame = Pillow.new("RGBA" if transparent else "RGB", (WIDTH, HEIGHT), color)
        if transparent:
            frame.paste((0, 0, 200, 0), (0, 0, WIDTH // 2, HEIGHT))
        frames.append(frame)
    kind = path.suffix[1:]
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=list(DURATIONS),
        **OPTIONS.get(kind, {}),
    )


def convert(source: Path, target: Path, said: list[str] | None = None) -> ConversionReport:
    notices: list[str] = []
    task = VideoTask.open(source, target, ConvertOptions())
    report = convert_video(task, Negative(), ProgressReporter(notify=notices.append))  # type: ignore[arg-type]
    if said is not None:
        said.extend(notices)
    return report


def frames_of(path: Path) -> tuple[list[Any], list[int]]:
    """Every frame of a result as RGB, and the milliseconds at which it begins."""
    if path.suffix in (".webp", ".gif"):
        images, times, time = [], [], 0
        with Pillow.open(path) as picture:
            for number in range(getattr(picture, "n_frames", 1)):
                picture.seek(number)
                images.append(np.asarray(picture.convert("RGB"), int))
                times.append(time)
                time += int(picture.info["duration"])
        return images, [*times, time]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        times = [round(1000 * float(frame.pts * stream.time_base)) for frame in frames]
        last = round(1000 * float(frames[-1].duration * stream.time_base))
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in frames], [
            *times,
            times[-1] + last,
        ]


BEGINS = [0, 120, 200, 400, 520, 680]


@pytest.mark.parametrize("kind", ["webp", "avif", "png"])
@pytest.mark.parametrize("suffix", [".mp4", ".webp", ".mkv"])
def test_all_frames_with_their_times(tmp_path: Path, kind: str, suffix: str) -> None:
    animation(tmp_path / f"a.{kind}")
    said: list[str] = []
    report = convert(tmp_path / f"a.{kind}", tmp_path / f"b{suffix}", said)
    assert said == []
    assert report.frames == len(COLORS)
    images, times = frames_of(tmp_path / f"b{suffix}")
    assert times[:-1] == BEGINS[:-1]
    # With frames that are decoded in another order FFmpeg's MP4 holds no end for each.
    assert suffix == ".mp4" or times == BEGINS
    for image, color in zip(images, COLORS, strict=True):
        assert np.abs(image.mean((0, 1)) - (255 - np.array(color))).max() < 8


@pytest.mark.parametrize("kind", ["webp", "avif", "png"])
def test_gif_of_all_frames(tmp_path: Path, kind: str) -> None:
    animation(tmp_path / f"a.{kind}")
    convert(tmp_path / f"a.{kind}", tmp_path / "b.gif")
    images, times = frames_of(tmp_path / "b.gif")
    assert len(images) == len(COLORS)
    assert times == BEGINS


@pytest.mark.parametrize("kind", ["webp", "avif", "png"])
def test_transparent_parts_are_white(tmp_path: Path, kind: str) -> None:
    animation(tmp_path / f"a.{kind}", transparent=True)
    said: list[str] = []
    convert(tmp_path / f"a.{kind}", tmp_path / "b.mp4", said)
    assert said == ["Transparent parts become white"]
    images, times = frames_of(tmp_path / "b.mp4")
    assert times[:-1] == BEGINS[:-1]
    for image, color in zip(images, COLORS, strict=True):
        assert image[:, : WIDTH // 2 - 8].max() < 12  # the negative of white
        right = image[:, WIDTH // 2 + 8 :].mean((0, 1))
        assert np.abs(right - (255 - np.array(color))).max() < 12


def test_picture_before_a_png_animation_is_left_out(tmp_path: Path) -> None:
    default = Pillow.new("RGB", (WIDTH, HEIGHT), "white")
    frames = [Pillow.new("RGB", (WIDTH, HEIGHT), color) for color in COLORS]
    default.save(
        tmp_path / "a.png", save_all=True, append_images=frames, default_image=True, duration=100
    )
    assert convert(tmp_path / "a.png", tmp_path / "b.mkv").frames == len(COLORS)


def test_webp_of_a_video(tmp_path: Path) -> None:
    animation(tmp_path / "a.webp")
    convert(tmp_path / "a.webp", tmp_path / "b.mkv")
    assert not is_image_conversion(tmp_path / "b.mkv", tmp_path / "c.webp")
    convert(tmp_path / "b.mkv", tmp_path / "c.webp")
    assert frames_of(tmp_path / "c.webp")[1] == BEGINS


def test_still_and_animated_webp_are_told_apart(tmp_path: Path) -> None:
    animation(tmp_path / "a.webp")
    Pillow.new("RGB", (8, 8)).save(tmp_path / "b.webp")
    assert not is_image_conversion(tmp_path / "a.webp", tmp_path / "c.webp")
    assert is_image_conversion(tmp_path / "b.webp", tmp_path / "c.webp")
    assert is_image_conversion(tmp_path / "missing.webp", tmp_path / "c.webp")


def test_cut_off_avif_is_damaged(tmp_path: Path) -> None:
    """Its decoder takes whole files only."""
    animation(tmp_path / "a.avif")
    (tmp_path / "a.avif").write_bytes((tmp_path / "a.avif").read_bytes()[:-60])
    with pytest.raises(LiveNstError) as caught:
        convert(tmp_path / "a.avif", tmp_path / "b.mp4")
    assert "\n" not in caught.value.message
    assert "damaged" in caught.value.message


def test_resumed_animation(tmp_path: Path) -> None:
    """The decoded frames are made again; what is finished is kept."""
    animation(tmp_path / "a.webp")
    first = VideoTask.open(tmp_path / "a.webp", tmp_path / "b.mp4", ConvertOptions())
    second = VideoTask.open(tmp_path / "a.webp", tmp_path / "b.mp4", ConvertOptions())
    encoder = first.encoder_settings(1)
    stylizer: Any = Negative()
    assert first.settings(stylizer, encoder) == second.settings(stylizer, encoder)


def test_too_large_for_webp(tmp_path: Path) -> None:
    frames = [Pillow.new("1", (16_400, 8), color) for color in (0, 1)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.raises(LiveNstError, match="16383"):
        VideoTask.open(tmp_path / "a.png", tmp_path / "b.webp", ConvertOptions())


def cut_webp(path: Path, frames: int) -> None:
    """Cut an animated WebP off in the middle of the frame that follows so many."""
    data, place = path.read_bytes(), -1
    for _ in range(frames + 1):
        place = data.index(b"ANMF", place + 1)
    path.write_bytes(data[: place + 30])


@pytest.mark.parametrize("suffix", [".mp4", ".webp"])
def test_cut_off_webp_gives_its_complete_frames(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / "a.webp"
    animation(source)
    cut_webp(source, 3)
    assert not is_image_conversion(source, tmp_path / f"b{suffix}")
    said: list[str] = []
    convert(source, tmp_path / f"b{suffix}", said)
    assert said == ["a.webp is cut off or damaged after frame 3: what follows is left out"]
    images, times = frames_of(tmp_path / f"b{suffix}")
    assert len(images) == 3
    assert times[:3] == BEGINS[:3]


def test_webp_that_is_cut_off_after_or_in_its_first_frame(tmp_path: Path) -> None:
    source = tmp_path / "a.webp"
    animation(source)
    cut_webp(source, 1)
    said: list[str] = []
    convert(source, tmp_path / "b.mp4", said)
    assert said == ["a.webp is cut off or damaged after frame 1: what follows is left out"]
    assert read_still_image(source, "a.webp").notices == ("a.webp is cut off behind this frame.",)
    cut_webp(source, 0)
    with pytest.raises(SourceError, match="damaged"):
        convert(source, tmp_path / "c.mp4")


def test_cut_off_apng_gives_its_complete_frames(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    animation(source)
    data = source.read_bytes()
    source.write_bytes(data[: data.rindex(b"fdAT") + 10])
    said: list[str] = []
    convert(source, tmp_path / "b.mp4", said)
    assert said == ["a.png is cut off or damaged after frame 4: what follows is left out"]
    assert len(frames_of(tmp_path / "b.mp4")[0]) == 4
