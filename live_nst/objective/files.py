"""Pictures in and out of files, and the words for what is wrong with them."""

import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

from live_nst.errors import SinkError, SourceError, StyleError, UsageError
from live_nst.frames import Image
from live_nst.objective.regions import Mask
from live_nst.styles.picture import read_picture

_QUALITY = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"quality": 95}}
_FORMATS = {"PNG", "JPEG", "WEBP", "TIFF", "BMP"}


def read_photo(path: Path) -> Image:
    """The picture that is painted, BGR uint8 `[height, width, 3]`.

    Raises:
        SourceError: It cannot be read.
    """
    try:
        return read_picture(path)
    except StyleError as exc:
        reason = exc.message.replace("style picture", "picture").replace("The style ", "")
        raise SourceError(
            f"The picture cannot be used: {reason}", "give a JPEG, PNG, WebP or TIFF picture"
        ) from exc


def read_mask(path: Path, photo: Image) -> Mask:
    """A mask, at its own size: white where the style goes, black where not, grey in between.

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
