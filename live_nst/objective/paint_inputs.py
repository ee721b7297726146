"""The inputs of a painting: the content, the styles and their regions, at any size."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from live_nst.errors import SourceError, UsageError
from live_nst.files.images import read_image
from live_nst.objective.color_transfer import (
    COLOR_MODES,
    match_histogram,
    match_luminance,
    to_luminance,
    transfer_chroma,
)
from live_nst.objective.image_pyramid import (
    RegionMask,
    StyleTarget,
    image_size,
    limit_long_side,
    resize_image,
    resize_mask,
)
from live_nst.styles.image import read_style_image
from live_nst.styles.spec import parse_style
from live_nst.types import Image, Size


@dataclass(frozen=True, slots=True)
class PaintInputs:
    """The content and the styles, at their own sizes.

    Attributes:
        original: BGR uint8 `[height, width, 3]`, in its own colors.
        content: What the loss compares with: the original, or its luminance.
        styles: Recolored where the content's colors are kept; the weights of a region sum to 1.
        colors: One of `COLOR_MODES`.
    """

    original: Image
    content: Image
    styles: tuple[StyleTarget, ...]
    colors: str

    def at(self, size: Size) -> tuple[Image, list[StyleTarget]]:
        """Return the content at (width, height), and the styles for it.

        A style image gets the same long side, as in Gatys et al., but it is never enlarged:
        enlarging adds no strokes.
        """
        masks: dict[int, RegionMask] = {}
        targets = []
        for style in self.styles:
            mask = style.mask
            if mask is not None:
                # Styles of one region share one array, by which `find_regions` compares them.
                mask = masks.setdefault(id(mask), resize_mask(mask, size))
            image = limit_long_side(style.image, max(size))
            targets.append(StyleTarget(image, style.weight, mask))
        return resize_image(self.content, size), targets

    def restore_colors(self, image: Image) -> Image:
        """Return a painted image with the original's chroma, if its luminance was painted."""
        if self.colors != "luminance":
            return image
        return transfer_chroma(image, resize_image(self.original, image_size(image)))

    def digest(self) -> str:
        """Return a fingerprint of all images, masks and weights."""
        total = hashlib.sha256(self.colors.encode())
        arrays = [self.content]
        for style in self.styles:
            arrays.append(style.image)
            if style.mask is not None:
                arrays.append(style.mask)  # type: ignore[arg-type]
            total.update(str(style.weight).encode())
        for array in arrays:
            total.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return total.hexdigest()


def load_inputs(
    content: Path, styles: Sequence[str], masks: Sequence[Path] = (), colors: str = "style"
) -> PaintInputs:
    """Read all images.

    Args:
        content: An image file.
        styles: See `live_nst.styles.spec.parse_style`.
        masks: Empty; or one per style, in order. The last style may have none: its region is what
            the other masks leave.
        colors: One of `COLOR_MODES`.

    Raises:
        SourceError: The content or a mask cannot be read.
        StyleError: A style cannot be read.
        UsageError: The number of masks or the colors are invalid.
    """
    if colors not in COLOR_MODES:
        raise UsageError(f"Unknown color mode {colors!r}", f"use {', '.join(COLOR_MODES)}")
    if not styles:
        raise UsageError("No style was given", "give one, such as starry")
    specs = [parse_style(text) for text in styles]
    original = read_content(content)
    regions = _assign_masks([_read_mask(path, original) for path in masks], len(specs))
    share = 1.0 if masks else 1 / len(specs)
    targets = [
        StyleTarget(_recolor(read_style_image(part.path), original, colors), weight, mask)
        for spec, mask in zip(specs, regions, strict=True)
        for part in spec.parts
        for weight in [share * part.weight]
    ]
    compared = to_luminance(original) if colors == "luminance" else original
    return PaintInputs(original, compared, tuple(targets), colors)


def read_content(path: Path) -> Image:
    """Read an image that is painted or scored, BGR uint8 `[height, width, 3]`.

    Raises:
        SourceError: It cannot be read.
    """
    return read_image(
        path,
        f"image {path}",
        error=SourceError,
        hint="use a JPEG, PNG, WebP or TIFF file",
    )


def _read_mask(path: Path, content: Image) -> RegionMask:
    """Read a mask at its own size: white is 1, where the style is used, and black is 0.

    Raises:
        SourceError: It cannot be read.
        UsageError: Its proportions are not those of the content.
    """
    image = read_content(path)
    (width, height), (columns, rows) = image_size(content), image_size(image)
    if abs(columns / rows / (width / height) - 1) > 0.02:
        raise UsageError(
            f"Invalid mask {path}: {columns}x{rows} pixels have not the proportions of the "
            f"content, {width}x{height}",
            "use a mask of the content's size",
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32) / np.float32(255)


def _assign_masks(masks: list[RegionMask], styles: int) -> list[RegionMask | None]:
    """Return one mask per style, or None for each."""
    if not masks:
        return [None] * styles
    if len(masks) not in (styles, styles - 1):
        raise UsageError(
            f"Invalid number of masks: {len(masks)} for {styles} styles",
            "give one --mask per --style, in the same order; the last style may have none",
        )
    if len(masks) < styles:
        size = image_size(masks[0])
        rest = np.clip(1 - sum(resize_mask(mask, size) for mask in masks), 0, 1)
        masks.append(rest.astype(np.float32))
    return list(masks)


def _recolor(style: Image, original: Image, colors: str) -> Image:
    if colors == "luminance":
        return match_luminance(to_luminance(style), to_luminance(original))
    return match_histogram(style, original) if colors == "histogram" else style
