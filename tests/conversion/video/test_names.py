"""Inputs and outputs of any name that the file system allows."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.conversion.api import convert
from live_nst.conversion.video.input_file import open_video
from live_nst.conversion.video.segments import work_folder
from live_nst.errors import ConversionError, SourceError, UsageError
from live_nst.files.names import max_name_bytes
from tests.conversion.fakes import Negative
from tests.conversion.make_videos import cut, frames_of, write
from tests.conversion.reading import read


@pytest.fixture(scope="module")
def images(clips: dict[str, Path]) -> list[np.ndarray]:
    return frames_of(clips["bikes"], 6, (64, 48))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(source: Path, output: Path, **options: Any) -> Any:
    return convert(source, output, stylizer=Negative(), **options)  # type: ignore[arg-type]


def plain_copy(path: Path, folder: Path) -> Path:
    """A link with a name that every program can read."""
    link = folder / f"plain{path.suffix}"
    link.unlink(missing_ok=True)
    os.link(path, link)
    return link


@pytest.mark.parametrize(
    "name",
    [
        *("12:30.mp4", "a:b/out.mp4", "take-1:final.gif", "file:x.mkv", "http:", "x%03d.mp4"),
        *("pipe:1.webm", "-.mp4", "a|b?c#d.mov", os.fsdecode(b"na\xefve.mp4")),
    ],
)
def test_any_name_relative(name: str, images: list[np.ndarray], here: Path) -> None:
    path = Path(name if Path(name).suffix else f"{name}/out.mp4")
    path.parent.mkdir(exist_ok=True)
    source = path.with_name(f"{path.stem}:in.mkv")
    write(here / "in.mkv", images, audio=[("aac", "mono", 300)])
    os.rename("in.mkv", source)
    run(source, path)
    assert len(read(plain_copy(path, here)).times) == 6
    assert not work_folder(path).exists()


def test_name_as_long_as_allowed(images: list[np.ndarray], here: Path) -> None:
    limit = max_name_bytes(here)
    source = here / f"{'i' * (limit - 4)}.mkv"
    write(here / "in.mkv", images)
    os.rename(here / "in.mkv", source)
    output = here / f"{'o' * (limit - 4)}.mp4"
    run(source, output)
    assert len(read(plain_copy(output, here)).times) == 6
    assert not work_folder(output).exists()


def test_incomplete_output_with_a_long_name(clips: dict[str, Path], here: Path) -> None:
    images = frames_of(clips["bikes"], 50, (160, 90))
    source = cut(write(here / "whole.mkv", images), here / "cut.mkv", 0.7)
    output = here / f"{'o' * (max_name_bytes(here) - 4)}.mp4"
    with pytest.raises(ConversionError, match="cut off"):
        run(source, output)
    (kept,) = here.glob("*.incomplete.mp4")
    assert 20 < len(read(plain_copy(kept, here)).times) < 50


def test_name_too_long(images: list[np.ndarray], here: Path) -> None:
    source = write(here / "in.mkv", images)
    with pytest.raises(UsageError, match="name of the output is too long"):
        run(source, here / f"{'o' * 300}.mp4")
    with pytest.raises(SourceError, match="there is no file"):
        run(here / f"{'i' * 300}.mkv", here / "out.mp4")


def test_interrupted_conversion_finds_its_folder_again() -> None:
    # The name of the folder must stay the same, or old conversions would start again.
    assert work_folder(Path("a/film.mp4")) == Path("a/.film.mp4.live-nst")


def jpegs(images: list[np.ndarray]) -> list[bytes]:
    import cv2

    return [cv2.imencode(".jpg", image)[1].tobytes() for image in images]


@pytest.mark.parametrize("name", ["raw.mjpeg", "raw"])
def test_joined_jpeg_images_are_a_video(name: str, images: list[np.ndarray], here: Path) -> None:
    Path(name).write_bytes(b"".join(jpegs(images)))
    run(Path(name), Path("out.mp4"))
    assert [float(time) for time in read(here / "out.mp4").times] == pytest.approx(
        [index / 25 for index in range(6)]
    )
    run(Path(name), Path("part.mp4"), start=0.07)
    assert len(read(here / "part.mp4").times) == 4


def test_a_jpeg_image_is_no_video(images: list[np.ndarray], here: Path) -> None:
    first, second, *_ = jpegs(images)
    Path("one").write_bytes(first)
    Path("two.jpg").write_bytes(first + second)  # as cameras store a photo and its preview
    for name in ("one", "two.jpg"):
        with pytest.raises(SourceError, match="is no video"), open_video(Path(name)):
            pass
