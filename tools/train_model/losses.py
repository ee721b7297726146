"""The terms that a student is trained with, one number for each picture of a batch."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tools.train_model.vgg import CONTENT

BETA = 1000.0
"""The weight of style in Gatys' form, where content has 1: `live_nst.objective.loss_functions`."""


class _Gram(torch.autograd.Function):
    """F'F / M of `[batch, M, channels]`, with a gradient that takes one product."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.bmm(x.transpose(1, 2), x).float() / x.shape[1]

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.bmm(x, ((slope + slope.transpose(1, 2)) / x.shape[1]).to(x.dtype))


def gram(activations: Tensor) -> Tensor:
    """Compute mean Gram matrices.

    Args:
        activations: `[batch, channels, height, width]`; channels last in memory is fastest.

    Returns:
        `[batch, channels, channels]`, float32: the sum over positions of the channels' products,
        divided by the number of positions; Gatys et al. 2015, equation 3, with M taken out.
    """
    return _Gram.apply(activations.permute(0, 2, 3, 1).flatten(1, 2))


def grams(features: Sequence[Tensor]) -> list[Tensor]:
    """Compute the mean Gram matrix of every block."""
    return [gram(block) for block in features]


def content_loss(features: Sequence[Tensor], content: Tensor) -> Tensor:
    """Compute Gatys' content loss, `[batch]`: 1/2 sum (F - P)^2 in the third block.

    Args:
        features: Of the painted pictures, by block.
        content: The third block's activations of the photos.
    """
    return 0.5 * (features[CONTENT] - content).float().square().sum((1, 2, 3))


def style_losses(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Compute Gatys' style loss by layer, weighted as in the total.

    Args:
        found: The painted pictures' Gram matrices, by block.
        wanted: The style's.

    Returns:
        `[batch, blocks]`: beta w_l / (4 N^2) sum (G - A)^2 with w_l = 1 / blocks.
    """
    terms = [
        (a - b).square().sum((1, 2)) / (4 * a.shape[1] ** 2)
        for a, b in zip(found, wanted, strict=True)
    ]
    return BETA / len(terms) * torch.stack(terms, 1)


def style_share(terms: Tensor, own: Tensor, floor: Tensor, even: float) -> Tensor:
    """Bring style losses to shares of what the unpainted photo has.

    Args:
        terms: `style_losses` of the painted pictures, `[batch, blocks]`.
        own: The same of the unpainted photos.
        floor: `[blocks]`; a photo's loss counts as no less: one that is like the style already
            would outweigh all others.
        even: 0 for the share of the sum, as the record of quality has it, 1 for the mean of the
            blocks' own shares.

    Returns:
        `[batch]`.
    """
    whole = terms.sum(1) / own.sum(1).clamp(min=float(floor.sum()))
    apart = (terms / torch.maximum(own, floor)).mean(1)
    return (1 - even) * whole + even * apart


COLORS = 4096
"""Pixels that colors are compared by."""

GRID_PATCH = 32
"""Side, in pixels, of the patches in which `grid_energy` looks for a grid; a multiple of 8."""

_DIRECTIONS = (
    *((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    *((1, 1, 1), (1, -1, 0), (1, 0, -1), (0, 1, -1)),
    *((1, 1, -2), (1, -2, 1), (-2, 1, 1)),
)


def color_order(pictures: Tensor) -> Tensor:
    """Sort a picture's colors along ten fixed directions.

    Args:
        pictures: `[batch, 3, height, width]`, 0..1.

    Returns:
        `[batch, 10, COLORS]`: pixels that are evenly spread over the picture, projected on the
        axes, on brightness and on differences of colors, each sorted.
    """
    flat = pictures.float().flatten(2)
    count = flat.shape[-1]
    picked = flat[..., (torch.arange(COLORS, device=flat.device) * count) // COLORS]
    directions = F.normalize(torch.tensor(_DIRECTIONS, dtype=flat.dtype, device=flat.device))
    return (directions @ picked).sort(-1).values


def color_loss(painted: Tensor, wanted: Tensor) -> Tensor:
    """Compute how far a picture's colors are from the wanted ones, `[batch]`.

    It is the sliced Wasserstein distance of order 2, squared: Heitz et al., "A Sliced Wasserstein
    Loss for Neural Texture Synthesis" (2021), equation 5, on colors.

    Args:
        painted: `[batch, 3, height, width]`, 0..1.
        wanted: `color_order` of the style, or a mix of it and of the photo's.
    """
    return (color_order(painted) - wanted).square().mean((1, 2))


def roughness(pictures: Tensor) -> Tensor:
    """Measure fine texture, `[batch, 2]`: mean squared second differences at steps 1 and 2.

    It is largest for grids with a period of two and of four pixels, which upsampling leaves.

    Args:
        pictures: `[batch, 3, height, width]`, 0..1.
    """
    found = []
    for step in (1, 2):
        middle = pictures[..., step:-step, step:-step]
        across = pictures[..., step:-step, 2 * step :] + pictures[..., step:-step, : -2 * step]
        down = pictures[..., 2 * step :, step:-step] + pictures[..., : -2 * step, step:-step]
        squares = (across - 2 * middle).square() + (down - 2 * middle).square()
        found.append(squares.mean((1, 2, 3)))
    return torch.stack(found, 1)


def texture_loss(painted: Tensor, allowed: Tensor) -> Tensor:
    """Compute how much rougher pictures are than allowed, `[batch]`.

    Args:
        painted: `[batch, 3, height, width]`, 0..1.
        allowed: `roughness` that the photo or the style has, `[batch, 2]`.
    """
    return F.relu(roughness(painted) - allowed).sum(1)


def grid_energy(pictures: Tensor) -> Tensor:
    """Measure a pattern that repeats every two, four or eight pixels, `[batch]`.

    Depth to space and upsampling can leave it, where a student goes back to the frame's size.

    Args:
        pictures: `[batch, 3, height, width]`, 0..1, at least `GRID_PATCH` pixels each way.

    Returns:
        The variance of the 64 means of the pixels that have the same place in blocks of 8x8,
        within patches of `GRID_PATCH` pixels, averaged over patches and colors.
    """
    side, block = GRID_PATCH, 8
    height, width = (length // side * side for length in pictures.shape[-2:])
    cut = pictures[..., :height, :width]
    down, across = height // side, width // side
    shape = (*cut.shape[:2], down, side // block, block, across, side // block, block)
    means = cut.reshape(shape).mean((3, 6))  # [batch, 3, patches, block, patches, block]
    return (means - means.mean((3, 5), keepdim=True)).square().mean((1, 2, 3, 4, 5))


def grid_loss(painted: Tensor, photo: Tensor) -> Tensor:
    """Compute how much more of such a pattern a painting has than its photo, `[batch]`."""
    return F.relu(grid_energy(painted) - grid_energy(photo))


def steadiness_loss(painted: Tensor, other: Tensor, valid: Tensor) -> Tensor:
    """Compute the mean squared difference of two paintings where they show the same, `[batch]`.

    Args:
        painted: `[batch, 3, height, width]`, 0..1, brought to the other's place.
        other: The other view's painting.
        valid: `[batch, 1, height, width]`, 1 where both see the same, else 0.
    """
    squares = (painted - other).square() * valid
    return squares.sum((1, 2, 3)) / (3 * valid.sum((1, 2, 3))).clamp(min=1)
