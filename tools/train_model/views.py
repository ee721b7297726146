"""Cut training views from photos: two of one place, moved and damaged as a camera would."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from tools.train_model.pictures import Picture, Rgb, short_side

NOISE = 4 / 255
"""The largest standard deviation of camera noise, of 0..1."""

SHIFT = 3.0
"""The largest shift between two views, in pixels, each way."""

TURN, ZOOM = 0.01, 0.015
"""The largest turn, in radians, and zoom, as a factor beyond 1, between two views."""

BEND, KNOTS = 2.0, 5
"""The largest local shift of a bent view, in pixels each way, and knots a side between which it is
smooth: parts of a picture move apart, as along real motion."""

GAIN, OFFSET = 0.05, 0.02
"""The largest change of brightness: a factor beyond 1 and an offset of 0..1."""

COMPRESSED = 0.3
"""The share of second views that went through JPEG, at a quality of 40 to 95."""

MARGIN = 8
"""Pixels at the border in which paintings are not compared: they see different surroundings."""


@dataclass(frozen=True, slots=True)
class Views:
    """Two views of each photo of a batch.

    Attributes:
        first: RGB 0..1, `[batch, 3, crop, crop]`.
        second: The same places moved, brightened and compressed; noise is added to both later.
        moves: Where each pixel of the second lies in the first, x and y in pixels from its center:
            `[batch, crop, crop, 2]`.
    """

    first: Tensor
    second: Tensor
    moves: Tensor


def cut(photos: list[Picture], crop: int, photo_side: int, rng: np.random.Generator) -> Views:
    """Cut two views of `crop` pixels from each photo.

    Args:
        photos: What to cut from.
        crop: Side of the views in pixels.
        photo_side: Short side, in pixels, that photos are brought to.
        rng: Chooses; the result depends on nothing else.
    """
    pairs = [_cut_one(photo.decode(), crop, photo_side, rng) for photo in photos]
    firsts, seconds, moves = zip(*pairs, strict=True)
    return Views(to_tensor(firsts), to_tensor(seconds), torch.from_numpy(np.stack(moves)))


def to_tensor(pictures: "list[Rgb] | tuple[Rgb, ...]") -> Tensor:
    """Bring RGB uint8 pictures of one size to `[batch, 3, height, width]`, 0..1."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return stacked.float().div_(255)


def noisy(pictures: Tensor, seeds: list[int]) -> Tensor:
    """Add noise of a random strength, up to `NOISE`, to each picture of a batch.

    Args:
        pictures: `[batch, 3, height, width]`, 0..1.
        seeds: One for each picture; the noise depends on nothing else.
    """
    noise = torch.empty_like(pictures)
    for each, seed in zip(noise, seeds, strict=True):
        generator = torch.Generator(pictures.device).manual_seed(seed)
        each.normal_(generator=generator)
        each *= torch.rand((), generator=generator, device=pictures.device) * NOISE
    return (pictures + noise).clamp_(0, 1)


def moved(pictures: Tensor, moves: Tensor) -> tuple[Tensor, Tensor]:
    """Bring paintings of first views to the places of the second views, bicubically.

    Args:
        pictures: `[batch, 3, side, side]`.
        moves: `Views.moves`.

    Returns:
        The moved pictures, and `[batch, 1, side, side]`: 1 where both views show the same and
        `MARGIN` pixels around are known to both, else 0.
    """
    side = pictures.shape[-1]
    here = (torch.arange(side, device=pictures.device) - (side - 1) / 2).abs() < side / 2 - MARGIN
    there = moves.abs().amax(-1) < side / 2 - MARGIN
    valid = there & here & here[:, None]
    grid = moves * (2 / side)
    result = F.grid_sample(
        pictures, grid, mode="bicubic", padding_mode="reflection", align_corners=False
    )
    return result, valid[:, None].to(pictures)


def _cut_one(
    photo: Rgb, crop: int, photo_side: int, rng: np.random.Generator
) -> tuple[Rgb, Rgb, NDArray[np.float32]]:
    """Cut (first view, second view, where the second's pixels lie in the first)."""
    image = short_side(photo, photo_side)
    if rng.random() < 0.5:
        image = image[:, ::-1]
    height, width = image.shape[:2]
    top, left = int(rng.integers(height - crop + 1)), int(rng.integers(width - crop + 1))
    first = np.ascontiguousarray(image[top : top + crop, left : left + crop])
    move = _move(crop, rng)
    absolute = move + (np.array([left, top], np.float32) + (crop - 1) / 2)
    second = cv2.remap(
        np.ascontiguousarray(image),
        absolute,
        None,
        interpolation=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return first, _damaged(second, rng), move


def _move(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw where the pixels of a second view lie, `[side, side, 2]`, in pixels from the center.

    Half of the views are only shifted, as most of a camera's pictures are, a quarter is turned and
    zoomed as well, and a quarter is bent.
    """
    positions = np.arange(side, dtype=np.float32) - (side - 1) / 2
    here = np.stack(np.meshgrid(positions, positions), axis=-1)
    shift = rng.uniform(-SHIFT, SHIFT, 2).astype(np.float32)
    kind = rng.random()
    if kind < 0.5:
        return here + shift
    if kind < 0.75:
        turn, zoom = rng.uniform(-TURN, TURN), 1 + rng.uniform(-ZOOM, ZOOM)
        cos, sin = zoom * np.cos(turn), zoom * np.sin(turn)
        return here @ np.array([[cos, sin], [-sin, cos]], np.float32) + shift
    knots = rng.uniform(-BEND, BEND, (KNOTS, KNOTS, 2)).astype(np.float32)
    return here + shift + cv2.resize(knots, (side, side), interpolation=cv2.INTER_CUBIC)


def _damaged(image: Rgb, rng: np.random.Generator) -> Rgb:
    """Brighten, and sometimes compress, a view."""
    gain, offset = 1 + rng.uniform(-GAIN, GAIN), 255 * rng.uniform(-OFFSET, OFFSET)
    levels = np.clip(np.rint(image.astype(np.float32) * gain + offset), 0, 255).astype(np.uint8)
    quality = int(rng.integers(40, 96))
    if rng.random() >= COMPRESSED:
        return levels
    done, content = cv2.imencode(".jpg", levels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.ascontiguousarray(cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1])
