"""What a style asks for: its features, its Gram matrices, its roughness; computed once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from live_nst.styles.image import stroke_crops
from tools.train_model.losses import color_order, grams, roughness
from tools.train_model.pictures import Picture, Rgb, long_side
from tools.train_model.predictor import SIDE, Predictor
from tools.train_model.vgg import CHANNELS, Vgg16
from tools.train_model.views import to_tensor

PART = 0.8
"""The share of a style's height, and of its width, that most views of it show."""

VIEWS = 6
"""How many views of a style the student's head is trained with."""


@dataclass(frozen=True, slots=True)
class Target:
    """A style at one size of strokes.

    Attributes:
        features: What `predictor.Predictor` gives of views of the style, `[VIEWS, FEATURES]`; the
            first is what the program shows.
        grams: The mean Gram matrix of each block, `[channels, channels]`, float32.
        roughness: `[2]`, see `losses.roughness`.
        colors: `[10, losses.COLORS]`, see `losses.color_order`.
    """

    features: Tensor
    grams: list[Tensor]
    roughness: Tensor
    colors: Tensor


class Targets:
    """The targets of styles, made when first asked for and kept in memory and in a folder.

    Gram matrices are kept in float16, divided by their largest element. What is kept is used in
    the form that it was kept in also the first time, so a resumed run sees the same.

    Args:
        styles: The pictures.
        predictor: Makes features.
        vgg: Makes Gram matrices, on the device of its weights.
        side: Long side, in pixels, at which VGG sees a style at stroke 1.
        folder: Where to keep what was made; None to keep it in memory alone.
    """

    def __init__(
        self,
        styles: Sequence[Picture],
        predictor: Predictor,
        vgg: Vgg16,
        side: int,
        folder: Path | None = None,
    ) -> None:
        self._styles, self._predictor, self._vgg = styles, predictor, vgg
        self._side, self._folder = side, folder
        self._kept: dict[tuple[int, float], dict[str, np.ndarray]] = {}
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, index: int, stroke: float = 1.0) -> Target:
        """Return the target of the style `index`, its strokes `stroke` times as large."""
        key = index, stroke
        if key not in self._kept:
            self._kept[key] = self._read(*key) or self._make(*key)
        kept = self._kept[key]
        device = self._vgg.mean.device
        found = {name: torch.from_numpy(values).to(device) for name, values in kept.items()}
        scaled = [
            found[f"gram{block}"].float() * found["scales"][block] for block in range(len(CHANNELS))
        ]
        return Target(found["features"], scaled, found["roughness"], found["colors"].float())

    def _file(self, index: int, stroke: float) -> Path | None:
        if not self._folder:
            return None
        what = f"features {self._side} {stroke:g} {self._vgg.precision} ".encode()
        name = hashlib.sha256(what + self._styles[index].content).hexdigest()[:32]
        return self._folder / f"{name}.npz"

    def _read(self, index: int, stroke: float) -> dict[str, np.ndarray] | None:
        file = self._file(index, stroke)
        if file is None or not file.is_file():
            return None
        with np.load(file) as arrays:
            return dict(arrays)

    @torch.no_grad()
    def _make(self, index: int, stroke: float) -> dict[str, np.ndarray]:
        picture = self._styles[index].decode()
        device = self._vgg.mean.device
        shown = [
            self._predictor(to_tensor(view).to(device)).mean(0) for view in views(picture, stroke)
        ]
        seen = to_tensor([long_side(picture, round(self._side * stroke))]).to(device)
        matrices = [matrix[0] for matrix in grams(self._vgg(seen))]
        scales = torch.stack([matrix.abs().max().clamp(min=1e-20) for matrix in matrices])
        made = {"features": torch.stack(shown), "roughness": roughness(seen)[0], "scales": scales}
        made["colors"] = color_order(seen)[0].half()
        for block, (matrix, scale) in enumerate(zip(matrices, scales, strict=True)):
            made[f"gram{block}"] = (matrix / scale).half()
        arrays = {name: values.cpu().numpy() for name, values in made.items()}
        file = self._file(index, stroke)
        if file is not None:
            partial = file.with_suffix(".part")
            with partial.open("wb") as out:
                np.savez(out, **arrays)
            partial.replace(file)
        return arrays


def views(picture: Rgb, stroke: float) -> list[list[Rgb]]:
    """Cut views of a style, `VIEWS` lists of `windows`.

    The first is what the program shows the model; the others are parts of the picture and mirrored,
    so that the model cannot learn each style by heart.

    Args:
        picture: RGB uint8.
        stroke: See `windows`.
    """
    height, width = picture.shape[:2]
    part = max(1, round(PART * height)), max(1, round(PART * width))
    found = [picture, picture[:, ::-1]]
    for top in (0, height - part[0]):
        for left in (0, width - part[1]):
            cut = picture[top : top + part[0], left : left + part[1]]
            found.append(cut if len(found) % 2 else cut[:, ::-1])
    return [windows(np.ascontiguousarray(view), stroke) for view in found]


def windows(picture: Rgb, stroke: float) -> list[Rgb]:
    """Cut the views of a style in which its strokes are `stroke` times as large.

    They are what the program shows the model: see `live_nst.styles.image.stroke_crops`.

    Args:
        picture: RGB uint8.
        stroke: The factor, above 0.

    Returns:
        Squares of `predictor.SIDE` pixels; the mean of their bottlenecks is the style.
    """
    return stroke_crops(picture, (SIDE, SIDE), stroke)
