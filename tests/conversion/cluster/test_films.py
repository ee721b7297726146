"""Whole films at a scheduler and three workers of their own: byte for byte as alone."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conversion.cluster import processes
from tests.conversion.make_videos import SPLIT, write
from tools.draw_demo.scene import DemoScene

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

WORKERS = 3
MINUTES, FPS = 5, 4
OPTIONS = ["--model", "mobile", "--device", "cpu", "--size", "64", "--style", "ink", "--quiet"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with processes.cluster(tmp_path_factory.mktemp("cluster") / "log", WORKERS) as (found, _):
        yield found


@pytest.fixture(scope="module")
def five_minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that is long in time and small in everything else."""
    scene = DemoScene(96, 54)
    images = [scene.draw(number / FPS) for number in range(60 * MINUTES * FPS)]
    step = round(1 / (FPS * SPLIT))
    return write(
        tmp_path_factory.mktemp("film") / "film.mp4",
        images,
        ticks=[step * number for number in range(len(images))],
        options={"x264-params": "keyint=50:bframes=3"},
        audio=[("aac", "stereo", 300)],
    )


def convert(film: Path, output: Path, chunk: int, *options: str) -> bytes:
    command = [*processes.PROGRAM, "convert", str(film), str(output), *OPTIONS]
    subprocess.run([*command, "--chunk", str(chunk), *options], check=True)
    return output.read_bytes()


@pytest.mark.parametrize("name", ["bigbuckbunny", "bikes", "carphone_pristine"])
def test_clip(name: str, clips: dict[str, Path], address: str, tmp_path: Path) -> None:
    alone = convert(clips[name], tmp_path / "alone.mp4", 40)
    assert convert(clips[name], tmp_path / "out.mp4", 40, "--cluster", address) == alone


def test_film_of_five_minutes(five_minutes: Path, address: str, tmp_path: Path) -> None:
    alone = convert(five_minutes, tmp_path / "alone.mp4", 96)
    assert convert(five_minutes, tmp_path / "out.mp4", 96, "--cluster", address) == alone
