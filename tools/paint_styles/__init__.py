"""Draw the built-in style images with code; each run gives the same images."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from tools.paint_styles import crafted, oil, paper, printed
from tools.paint_styles.canvas import Image

SUPERSAMPLING = 2


@dataclass(frozen=True)
class Style:
    """A style image.

    Attributes:
        draw: Return the BGR image for a side in pixels and a random generator.
        description: One line for users.
        seed: Seed of the shipped image.
    """

    draw: Callable[[int, np.random.Generator], Image]
    description: str
    seed: int = 1


STYLES = {
    "abstract": Style(oil.abstract, "circles, wedges and black lines between yellow and blue"),
    "candy": Style(crafted.candy, "glossy swirls of pulled sugar in bright colors"),
    "comic": Style(printed.comic, "halftone dots, bursts and bold black outlines"),
    "ember": Style(oil.ember, "flames and sparks in thick paint"),
    "ink": Style(paper.ink, "sumi-e: black ink strokes and washes on rice paper"),
    "mosaic": Style(crafted.mosaic, "stone tesserae in fans of terracotta, gold and teal"),
    "neon": Style(crafted.neon, "glowing circuits on a midnight board"),
    "pointillist": Style(oil.pointillist, "a sunlit park in thousands of colored dots"),
    "stained-glass": Style(crafted.stained_glass, "a rose window of jewel glass in black lead"),
    "starry": Style(oil.starry, "a swirling night sky in thick blue and yellow strokes"),
    "watercolor": Style(paper.watercolor, "wet flowers with pigment gathered at the edges"),
    "wave": Style(printed.wave, "a woodblock sea of breaking waves, indigo on cream"),
}


def paint(name: str, size: int = 640, seed: int | None = None) -> Image:
    """Draw one style image.

    Args:
        name: A key of `STYLES`.
        size: Side of the square image in pixels.
        seed: Random seed; None for that of the shipped image.

    Returns:
        BGR uint8 ``[size, size, 3]``, the same for the same arguments.
    """
    style = STYLES[name]
    rng = np.random.default_rng(style.seed if seed is None else seed)
    large = style.draw(size * SUPERSAMPLING, rng)
    return np.asarray(cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
