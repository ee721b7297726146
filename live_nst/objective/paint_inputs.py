"""What a painting is made of: the photo, the styles and their regions, at any size."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

from live_nst.errors import SinkError, SourceError, StyleError, UsageError
from live_nst.objective.color_transfer import (
    COLOR_MODES,
    match_histogram,
    match_luminance,
    to_luminance,
    transfer_chroma,
)
from live_nst.objective.image_pyramid import (
    RegionMask,
    Size,
    StyleTarget,
    resize_image,
    resize_mask,
    scale_to_long_side,
)
from live_nst.styles.image import read_style_image
from live_nst.styles.spec import parse_style
from live_nst.types import Image


@dataclass(frozen=True, slots=True)
class PaintInputs:
    """The photo and the styles, at their own sizes.

    Attributes:
        photo: BGR uint8 `[height, width, 3]`, in its own colors.
        content: What the loss compares with: the photo, or its luminance.
        styles: Recolored where the photo's colors are kept; weights in one region add up to 1.
        colors: One of `COLORS`.
    """

    photo: Image
    content: Image
    styles: tuple[StyleTarget, ...]
    colors: str

    @property
    def size(self) -> Size:
        """(width, height) of the photo."""
        return self.photo.shape[1], self.photo.shape[0]

    def at(self, size: Size) -> tuple[Image, list[StyleTarget]]:
        """The content at (width, height), and the styles for it.

        A style picture is brought to the same long side, as Gatys et al. did, but never enlarged:
        there are no strokes in what enlarging adds.
        """
        masks: dict[int, RegionMask] = {}
        targets = []
        for style in self.styles:
            own = style.picture.shape[1], style.picture.shape[0]
            picture = resize_image(style.picture, scale_to_long_side(own, min(max(own), max(size))))
            mask = style.mask
            if mask is not None:
                # One array for one mask: that is how the loss knows a region again.
                mask = masks.setdefault(id(mask), resize_mask(mask, size))
            targets.append(StyleTarget(picture, style.weight, mask))
        return resize_image(self.content, size), targets

    def finish(self, painted: Image) -> Image:
        """The painting in the colors that were asked for."""
        if self.colors != "luminance":
            return painted
        size = painted.shape[1], painted.shape[0]
        return transfer_chroma(painted, resize_image(self.photo, size))

    def digest(self) -> str:
        """A fingerprint of all pictures, masks and weights."""
        total = hashlib.sha256(self.colors.encode())
        arrays = [self.content]
        for style in self.styles:
            arrays.append(style.picture)
            if style.mask is not None:
                arrays.append(style.mask)  # type: ignore[arg-type]
            total.update(str(style.weight).encode())
        for array in arrays:
            total.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return total.hexdigest()


def load_inputs(
    content: Path, styles: Sequence[str], masks: Sequence[Path] = (), colors: str = "style"
) -> PaintInputs:
    """Read all pictures.

    Args:
        content: The photo.
        styles: As `live_nst.styles.spec.parse_style` reads them.
        masks: None; or one per style, in order, where the last style may do without: it gets
            what the others leave.
        colors: One of `COLORS`.

    Raises:
        SourceError: The photo or a mask cannot be read.
        StyleError: A style cannot be.
        UsageError: The masks do not fit the styles, or there are no such colors.
    """
    if colors not in COLOR_MODES:
        raise UsageError(f"There are no colors {colors!r}.", f"use {', '.join(COLOR_MODES)}")
    if not styles:
        raise UsageError("No style was given.", "name one, such as starry")
    specs = [parse_style(text) for text in styles]
    photo = read_photo(content)
    regions = _regions([read_region_mask(path, photo) for path in masks], len(specs))
    compared = to_luminance(photo) if colors == "luminance" else photo
    share = 1.0 if masks else 1 / len(specs)
    targets = [
        StyleTarget(
            _recolor(read_style_image(part.picture), photo, colors), share * part.weight, mask
        )
        for spec, mask in zip(specs, regions, strict=True)
        for part in spec.parts
    ]
    return PaintInputs(photo, compared, tuple(targets), colors)


def _regions(masks: list[RegionMask], styles: int) -> list[RegionMask | None]:
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


def _recolor(style: Image, photo: Image, colors: str) -> Image:
    if colors == "luminance":
        return match_luminance(to_luminance(style), to_luminance(photo))
    return match_histogram(style, photo) if colors == "histogram" else style


_QUALITY = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"quality": 95}}
_FORMATS = {"PNG", "JPEG", "WEBP", "TIFF", "BMP"}


def read_photo(path: Path) -> Image:
    """The picture that is painted, BGR uint8 `[height, width, 3]`.

    Raises:
        SourceError: It cannot be read.
    """
    try:
        return read_style_image(path)
    except StyleError as exc:
        reason = exc.message.replace("style picture", "picture").replace("The style ", "")
        raise SourceError(
            f"The picture cannot be used: {reason}", "give a JPEG, PNG, WebP or TIFF picture"
        ) from exc


def read_region_mask(path: Path, photo: Image) -> RegionMask:
    """A mask, at its own size: white where the style goes, black where not, gray in between.

    Raises:
        SourceError: It cannot be read.
        UsageError: It has not the photo's proportions.
    """
    picture = read_photo(path)
    (height, width), (rows, columns) = photo.shape[:2], picture.shape[:2]
    if abs(columns / rows / (width / height) - 1) > 0.02:
        raise UsageError(
            f"The mask {path} has {columns}x{rows} pixels, which are not the proportions of the "
            f"picture with {width}x{height}.",
            "make it of the picture's size",
        )
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32) / np.float32(255)


def check_out(path: Path, *, may_exist: bool) -> None:
    """Make sure that a picture can be written; touch nothing.

    Raises:
        UsageError: The suffix means no picture, something is there already, or nothing can be
            written there.
    """
    if _format(path) not in _FORMATS:
        raise UsageError(
            f"A picture cannot be written to '{path.name}'.",
            "let the name end in .png, .jpg, .webp or .tiff",
        )
    if os.path.lexists(path) and not (may_exist and path.is_file()):
        raise UsageError(f"There is a file {path} already.", "choose another name, or remove it")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}.", "make it, or choose another")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(
            f"Nothing can be written into the folder {path.parent}.", "choose another one"
        )


def write_picture(path: Path, image: Image) -> None:
    """Write a picture, BGR uint8, in the format of its suffix; what was there stays until then.

    Raises:
        SinkError: It cannot be written.
    """
    kind = _format(path)
    partial = path.with_name(path.name + ".partial")
    try:
        rgb = Pillow.fromarray(np.ascontiguousarray(image[..., ::-1]))
        rgb.save(partial, kind, **_QUALITY.get(kind, {}))
        os.replace(partial, path)
    except OSError as exc:
        partial.unlink(missing_ok=True)
        raise SinkError(
            f"The picture {path} cannot be written: {exc.strerror or exc}.", "choose another place"
        ) from exc


def _format(path: Path) -> str:
    return Pillow.registered_extensions().get(path.suffix.lower(), "")
