"""The styles that a page offers: built in, given at the start, and uploaded pictures."""

import io
import threading
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from live_nst.errors import StyleError
from live_nst.files.decoding import DECODE_ERRORS, to_rgb
from live_nst.files.images import bgr_to_pillow, flatten_on_white
from live_nst.files.temporary import TemporaryFolder
from live_nst.styles.builtin import builtin_styles
from live_nst.styles.image import read_style_image
from live_nst.styles.spec import StylePart, StyleSpec, parse_style
from live_nst.types import Closeable

UPLOAD_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
"""Pillow's names of the formats that are decoded from uploads: those that browsers show."""
MAX_UPLOAD_PIXELS = 64_000_000
MAX_UPLOADS = 64
_STORED_SIDE = 1536  # pixels; styles are looked at in a few hundred
_PICTURE_SIDE = 320
_MAX_LABEL = 60  # letters
_MAX_PARTS = 8  # of a mix

Kind = Literal["builtin", "given", "upload"]


@dataclass(frozen=True, slots=True)
class ShelvedStyle:
    """A style with the id by which requests name it."""

    id: str
    label: str
    description: str
    kind: Kind
    spec: StyleSpec


class StyleShelf(Closeable):
    """All styles to choose from, in order. Any thread may call everything here.

    Uploaded pictures are decoded, scaled down and kept in a folder of their own until the end. No
    name that comes with an upload becomes the name of a file.

    Args:
        given: Styles that were given at the start; those that are built in are not listed twice.
    """

    def __init__(self, given: Sequence[StyleSpec] = ()) -> None:
        self._lock = threading.Lock()
        self._folder = TemporaryFolder()
        self._uploads = 0
        self._pictures: dict[str, bytes] = {}
        styles = [
            ShelvedStyle(name, name, description, "builtin", parse_style(name))
            for name, description in builtin_styles().items()
        ]
        self._styles: tuple[ShelvedStyle, ...] = tuple(styles)
        self._given = 0
        self.add_given(given)

    def add_given(self, specs: Sequence[StyleSpec]) -> None:
        """Add styles before all others, as if they had been given at the start."""
        with self._lock:
            known = {style.spec for style in self._styles}
            fresh = [spec for spec in dict.fromkeys(specs) if spec not in known]
            first = [
                ShelvedStyle(f"given-{self._given + number}", spec.label, "", "given", spec)
                for number, spec in enumerate(fresh, 1)
            ]
            self._given += len(fresh)
            self._styles = (*first, *self._styles)

    @property
    def styles(self) -> tuple[ShelvedStyle, ...]:
        """All styles in order."""
        return self._styles

    def find(self, style_id: str) -> ShelvedStyle | None:
        """Return the style with an id; None if there is none."""
        return next((style for style in self._styles if style.id == style_id), None)

    def add_upload(self, data: bytes, label: str) -> ShelvedStyle:
        """Add an uploaded picture.

        Args:
            data: An image file, from anyone.
            label: Its name for people; may be empty.

        Raises:
            StyleError: It is no picture, damaged or too large, or there are too many.
        """
        image = _decode_upload(data)
        with self._lock:
            uploads = [style for style in self._styles if style.kind == "upload"]
            if len(uploads) >= MAX_UPLOADS:
                raise StyleError(
                    f"There are {MAX_UPLOADS} uploaded pictures already.", "remove one first"
                )
            self._uploads += 1
            number = self._uploads
            path = self._folder.path / f"upload-{number}.png"
            image.save(path, compress_level=1)
            label = _unused(clean_label(label) or f"picture {number}", self._styles)
            spec = StyleSpec(label, (StylePart(path, 1.0),))
            style = ShelvedStyle(f"upload-{number}", label, "", "upload", spec)
            self._styles = (*self._styles, style)
        return style

    def remove(self, style_id: str) -> bool:
        """Remove an uploaded picture; return whether there was one with this id."""
        with self._lock:
            style = self.find(style_id)
            if style is None or style.kind != "upload":
                return False
            # Its file stays until the end: the style may be in use, and presets may copy it.
            self._styles = tuple(other for other in self._styles if other is not style)
            self._pictures.pop(style_id, None)
            return True

    def mix(self, weights: Mapping[str, float]) -> StyleSpec:
        """Return the mix of some styles.

        Args:
            weights: Ids and their weights, 0 or more.

        Raises:
            StyleError: There is no such style, or the weights add up to nothing.
        """
        found = []
        for style_id, weight in weights.items():
            style = self.find(style_id)
            if style is None:
                raise StyleError(f"There is no style {style_id!r}.", "see the list of styles")
            if weight > 0:
                found.append((style, weight))
        if not found:
            raise StyleError("The weights of the styles add up to 0.", "raise one of them")
        if len(found) > _MAX_PARTS:
            raise StyleError(f"A mix has at most {_MAX_PARTS} styles.", "leave some out")
        if len(found) == 1:
            return found[0][0].spec
        total = sum(weight for _, weight in found)
        parts = tuple(
            StylePart(part.path, part.weight * weight / total)
            for style, weight in found
            for part in style.spec.parts
        )
        label = " + ".join(f"{style.label} {weight / total:.0%}" for style, weight in found)
        return StyleSpec(label, parts)

    def weights_of(self, spec: StyleSpec) -> dict[str, float]:
        """Return ids and weights of a style, as far as its parts are styles of the shelf."""
        for style in self._styles:
            if style.spec.parts == spec.parts:
                return {style.id: 1.0}
        by_path = {s.spec.parts[0].path: s.id for s in self._styles if len(s.spec.parts) == 1}
        weights: dict[str, float] = {}
        for part in spec.parts:
            style_id = by_path.get(part.path)
            if style_id is not None:
                weights[style_id] = weights.get(style_id, 0.0) + part.weight
        return {style_id: round(weight, 4) for style_id, weight in weights.items()}

    def picture(self, style: ShelvedStyle) -> bytes:
        """Return the picture of a style as a small JPEG; of a mix, that of its first part.

        Raises:
            StyleError: Its file cannot be read any more.
        """
        if style.id not in self._pictures:
            image = bgr_to_pillow(read_style_image(style.spec.parts[0].path))
            image.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=85)
            self._pictures[style.id] = buffer.getvalue()
        return self._pictures[style.id]

    def close(self) -> None:
        """Remove the uploaded pictures. Calling it again does nothing."""
        self._folder.close()


def clean_label(label: str) -> str:
    """Return text for people without control characters, in one line, of limited length."""
    text = unicodedata.normalize("NFC", label)
    kept = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text)
    return " ".join(kept.split())[:_MAX_LABEL].strip()


def _unused(label: str, styles: Sequence[ShelvedStyle]) -> str:
    labels = {style.label for style in styles}
    number, free = 2, label
    while free in labels:
        number, free = number + 1, f"{label} ({number})"
    return free


def _decode_upload(data: bytes) -> Pillow.Image:
    """Decode an image from anyone: RGB, upright, at most `_STORED_SIDE` pixels.

    Raises:
        StyleError: It is no picture of `UPLOAD_FORMATS`, damaged, or too large.
    """
    hint = "send a JPEG, PNG, WebP, GIF, BMP or AVIF picture"
    too_large = StyleError(
        f"The picture has more than {MAX_UPLOAD_PIXELS // 1_000_000} million pixels.",
        "make it smaller",
    )
    if not data:
        raise StyleError("The picture is empty.", hint)
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Pillow.open(io.BytesIO(data), formats=UPLOAD_FORMATS) as opened,
        ):
            if opened.width * opened.height > MAX_UPLOAD_PIXELS:
                raise too_large
            if min(opened.size) < 1 or max(opened.size) > 20 * min(opened.size):
                raise StyleError("The picture is too narrow for a style.", hint)
            opened.draft("RGB", (_STORED_SIDE, _STORED_SIDE))  # JPEG: decode at a smaller size
            opened.load()
            image = flatten_on_white(to_rgb(ImageOps.exif_transpose(opened)))
    except Pillow.DecompressionBombError as exc:
        raise too_large from exc
    except UnidentifiedImageError as exc:
        raise StyleError("This is not a picture that can be used.", hint) from exc
    except DECODE_ERRORS as exc:
        raise StyleError("The picture is damaged.", hint) from exc
    image.thumbnail((_STORED_SIDE, _STORED_SIDE))
    return Pillow.fromarray(np.ascontiguousarray(np.asarray(image)))
