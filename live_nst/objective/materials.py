"""What a painting is made of: the photo, the styles and their regions, at any size."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live_nst.errors import UsageError
from live_nst.frames import Image
from live_nst.objective.colours import (
    COLOURS,
    as_luminance,
    match_histogram,
    match_luminance,
    with_colours_of,
)
from live_nst.objective.files import read_mask, read_photo
from live_nst.objective.pyramid import Size, resize, resize_mask, scaled
from live_nst.objective.regions import Mask, StyleTarget
from live_nst.styles.picture import read_picture
from live_nst.styles.spec import parse_style


@dataclass(frozen=True, slots=True)
class Materials:
    """The photo and the styles, at their own sizes.

    Attributes:
        photo: BGR uint8 `[height, width, 3]`, in its own colours.
        content: What the loss compares with: the photo, or its luminance.
        styles: Recoloured where the photo's colours are kept; weights in one region add up to 1.
        colours: One of `COLOURS`.
    """

    photo: Image
    content: Image
    styles: tuple[StyleTarget, ...]
    colours: str

    @property
    def size(self) -> Size:
        """(width, height) of the photo."""
        return self.photo.shape[1], self.photo.shape[0]

    def at(self, size: Size) -> tuple[Image, list[StyleTarget]]:
        """The content at (width, height), and the styles for it.

        A style picture is brought to the same long side, as Gatys et al. did, but never enlarged:
        there are no strokes in what enlarging adds.
        """
        masks: dict[int, Mask] = {}
        targets = []
        for style in self.styles:
            own = style.picture.shape[1], style.picture.shape[0]
            picture = resize(style.picture, scaled(own, min(max(own), max(size))))
            mask = style.mask
            if mask is not None:
                # One array for one mask: that is how the loss knows a region again.
                mask = masks.setdefault(id(mask), resize_mask(mask, size))
            targets.append(StyleTarget(picture, style.weight, mask))
        return resize(self.content, size), targets

    def finish(self, painted: Image) -> Image:
        """The painting in the colours that were asked for."""
        if self.colours != "luminance":
            return painted
        size = painted.shape[1], painted.shape[0]
        return with_colours_of(painted, resize(self.photo, size))

    def digest(self) -> str:
        """A fingerprint of all pictures, masks and weights."""
        total = hashlib.sha256(self.colours.encode())
        arrays = [self.content]
        for style in self.styles:
            arrays.append(style.picture)
            if style.mask is not None:
                arrays.append(style.mask)  # type: ignore[arg-type]
            total.update(str(style.weight).encode())
        for array in arrays:
            total.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return total.hexdigest()


def gather(
    content: Path, styles: Sequence[str], masks: Sequence[Path] = (), colours: str = "style"
) -> Materials:
    """Read all pictures.

    Args:
        content: The photo.
        styles: As `live_nst.styles.spec.parse_style` reads them.
        masks: None; or one per style, in order, where the last style may do without: it gets
            what the others leave.
        colours: One of `COLOURS`.

    Raises:
        SourceError: The photo or a mask cannot be read.
        StyleError: A style cannot be.
        UsageError: The masks do not fit the styles, or there are no such colours.
    """
    if colours not in COLOURS:
        raise UsageError(f"There are no colours {colours!r}.", f"use {', '.join(COLOURS)}")
    if not styles:
        raise UsageError("No style was given.", "name one, such as starry")
    specs = [parse_style(text) for text in styles]
    photo = read_photo(content)
    regions = _regions([read_mask(path, photo) for path in masks], len(specs))
    compared = as_luminance(photo) if colours == "luminance" else photo
    share = 1.0 if masks else 1 / len(specs)
    targets = [
        StyleTarget(
            _recolour(read_picture(part.picture), photo, colours), share * part.weight, mask
        )
        for spec, mask in zip(specs, regions, strict=True)
        for part in spec.parts
    ]
    return Materials(photo, compared, tuple(targets), colours)


def _regions(masks: list[Mask], styles: int) -> list[Mask | None]:
    """One mask per style, or None for each."""
    if not masks:
        return [None] * styles
    if len(masks) not in (styles, styles - 1):
        raise UsageError(
            f"{styles} styles and {len(masks)} masks do not go together.",
            "give one --mask per --style, in the same order; the last style may do without",
        )
    if len(masks) < styles:
        size = masks[0].shape[1], masks[0].shape[0]
        rest = np.clip(1 - sum(resize_mask(mask, size) for mask in masks), 0, 1)
        masks.append(rest.astype(np.float32))
    return list(masks)


def _recolour(style: Image, photo: Image, colours: str) -> Image:
    if colours == "luminance":
        return match_luminance(as_luminance(style), as_luminance(photo))
    return match_histogram(style, photo) if colours == "histogram" else style
