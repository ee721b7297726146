"""Where an optimization starts: the photo, noise, or the fast model's picture."""

from collections.abc import Callable, Sequence

import numpy as np

from live_nst.objective.image_pyramid import StyleTarget
from live_nst.types import Image

STARTS = ("fast", "content", "noise")


def noise_image(shape: tuple[int, ...], seed: int) -> Image:
    """Independent, uniformly distributed pixels, BGR uint8 of that shape."""
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def fast_model_image(
    content: Image,
    styles: Sequence[StyleTarget],
    *,
    model: str = "auto",
    device: str = "auto",
    notify: Callable[[str], None] = lambda sentence: None,
) -> Image:
    """The content as the fast model paints it, each style in its region.

    Args:
        content: BGR uint8 `[height, width, 3]`.
        styles: At least one; several in one place are blended by their weights.
        model: As for `Stylizer`.
        device: auto, cpu or gpu.
        notify: Told which model it is.

    Raises:
        LiveNstError: The model cannot be had or run.
    """
    from live_nst.stylizer.core import StylizerCore
    from live_nst.stylizer.sizes import MAX_SIZE, MIN_SIZE

    size = min(MAX_SIZE, max(MIN_SIZE, *content.shape[:2]))
    pictures = [style.picture for style in styles]
    total = np.zeros(content.shape, np.float32)
    weights = np.zeros((*content.shape[:2], 1), np.float32)
    with StylizerCore(model, pictures, size=size, device=device, notify=notify) as stylizer:
        for label, style in zip(stylizer.styles, styles, strict=False):
            stylizer.select(label)
            mask = np.float32(1) if style.mask is None else style.mask[..., None]
            total += stylizer(content) * (style.weight * mask)
            weights += style.weight * mask
    blended = np.where(weights > 0, total / np.maximum(weights, 1e-6), content)
    painted: Image = np.rint(np.clip(blended, 0, 255)).astype(np.uint8)
    return painted
