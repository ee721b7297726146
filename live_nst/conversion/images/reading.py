"""One still picture: read with all that comes with it, painted, and written whole or not at all."""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

from live_nst.conversion.images.icc import IccProfile
from live_nst.errors import ConversionError, SourceError, UsageError
from live_nst.files.images import DECODE_ERRORS, open_image, to_8bit
from live_nst.files.output import write_errors
from live_nst.types import Image

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif"}
    | {".gif", ".jp2", ".ppm", ".pgm", ".tga", ".dds"}
)
"""Files in a folder that are taken for pictures."""

MAX_PIXELS = 1_000_000_000
BYTES_PER_PIXEL = 30
"""What reading, painting and writing take at once, measured; what stages carry may go to disk."""

_HINT = "give a JPEG, PNG, WebP, TIFF, BMP, AVIF or JPEG 2000 picture"
_ORIENTATION = 0x0112
_PIXEL_TAGS = (
    0x0100,
    0x0101,
    0x0102,
    0x0103,
    0x0106,
    0x0111,
    0x0115,
    0x0116,
    0x0117,
    0x011C,
    0x0140,
)
"""What TIFF writes among the EXIF data about how its own pixels lie."""
_UNUSABLE_PROFILE: tuple[type[Exception], ...] = (ImageCms.PyCMSError, *DECODE_ERRORS)
_MOVING = ("GIF", "WEBP", "PNG", "AVIF")


@dataclass(frozen=True)
class ImageFormat:
    """A format that stills are written in.

    Attributes:
        name: Pillow's.
        options: What its encoder is told.
        longest: The longest side that fits into it, in pixels.
        alpha: Whether it holds transparency.
        profile: Whether it holds a color profile and EXIF data.
    """

    name: str
    options: tuple[tuple[str, object], ...] = ()
    longest: int = 2**31 - 1
    alpha: bool = True
    profile: bool = True


_JPEG = ImageFormat("JPEG", (("quality", 95), ("subsampling", "4:4:4")), 65_500, alpha=False)
_TIFF = ImageFormat("TIFF")  # uncompressed: the compressing writer does not take EXIF data
IMAGE_FORMATS = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".png": ImageFormat("PNG", (("compress_level", 4),)),
    ".webp": ImageFormat("WEBP", (("quality", 95),), 16_383),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": ImageFormat("BMP", alpha=False, profile=False),
    ".avif": ImageFormat("AVIF", (("quality", 90),), 65_536),
}


@dataclass(frozen=True)
class StillImage:
    """A picture as it is painted, and what is kept for the painted one.

    Attributes:
        image: BGR uint8 `[height, width, 3]`, upright, in sRGB; white where nothing shows.
        alpha: uint8 `[height, width]`, 255 where it is opaque; None if it is so everywhere.
        profile: The colors of the file; None if it does not say.
        exif: EXIF data without orientation and thumbnail.
        dpi: Pixels per inch, across and down; None if it does not say.
        format: The file's, or PNG where that is not written.
        notices: What was lost, in sentences.
    """

    image: Image
    alpha: NDArray[np.uint8] | None
    profile: IccProfile | None
    exif: Pillow.Exif
    dpi: tuple[float, float] | None
    format: ImageFormat
    notices: tuple[str, ...]


def image_format_for(name: str) -> ImageFormat:
    """The format that the suffix of a file's name stands for.

    Raises:
        UsageError: None that stills are written in.
    """
    found = IMAGE_FORMATS.get(Path(name).suffix.lower())
    if found is None:
        raise UsageError(
            f"A picture cannot be written to '{name}'.",
            "let the name end in .jpg, .png, .webp, .tif, .bmp or .avif",
        )
    return found


def is_still_image(source: Path) -> bool:
    """Whether a file is a still picture, by its content, and not a video or something else."""
    try:
        return not is_animated(source, source.name)
    except SourceError:
        return False


def is_animated(source: Path, name: str) -> bool:
    """Whether a picture file holds an animation, which is a video.

    Raises:
        SourceError: It cannot be read.
    """
    with _opened(source, name) as picture:
        return picture.format in _MOVING and getattr(picture, "n_frames", 1) > 1


def check_still_image(source: Path) -> None:
    """Refuse a file that is no still picture, as far as can be seen without decoding it.

    Raises:
        SourceError: It cannot be read.
        UsageError: It moves.
    """
    if is_animated(source, source.name):
        raise UsageError(f"The picture {source.name} moves.", "let the output end in .mp4 or .gif")


def read_still_image(source: Path, name: str) -> StillImage:
    """Read a picture.

    Args:
        source: The file.
        name: What sentences call it.

    Raises:
        SourceError: It is missing, no picture, damaged, or too large.
    """
    notices = []
    with _opened(source, name) as picture:
        _check_memory(picture, name)
        if _is_deep(picture):
            notices.append(f"{name} has more than 8 bits per color, which are not kept.")
        if picture.format == "TIFF" and getattr(picture, "n_frames", 1) > 1:
            notices.append(f"{name} has several pages, of which the first is painted.")
        to = next(
            (f for f in IMAGE_FORMATS.values() if f.name == picture.format), IMAGE_FORMATS[".png"]
        )
        picture.load()
        data, mode, dpi = picture.info.get("icc_profile"), picture.mode, picture.info.get("dpi")
        upright, exif = _upright(picture, name, notices)
        profile = _profile(data, mode, name, notices)
        if profile is not None and mode == "CMYK":
            plain = profile.to_srgb(upright)
        else:
            plain = to_8bit(upright)
        alpha = np.asarray(plain.getchannel("A"), np.uint8) if plain.mode == "RGBA" else None
        rgb = plain.convert("RGB")
        if profile is not None and mode != "CMYK":
            rgb = profile.to_srgb(rgb)
    image = np.ascontiguousarray(np.asarray(rgb, np.uint8)[..., ::-1])
    if alpha is not None and bool((alpha == 255).all()):
        alpha = None
    if alpha is not None:
        image[alpha == 0] = 255  # what lies under transparent pixels is often rubbish
    return StillImage(image, alpha, profile, exif, _sane(dpi), to, tuple(notices))


def write_still_image(
    still: StillImage, painted: Image, file: BinaryIO, to: ImageFormat, name: str
) -> list[str]:
    """Write a painted picture with what its original came with.

    Args:
        still: The original.
        painted: BGR uint8 of its shape.
        file: Open for writing, and for going back.
        to: The format.
        name: What sentences call the file.

    Returns:
        What the format does not hold, in sentences.

    Raises:
        ConversionError: The picture is too large for the format.
        OSError: It cannot be written.
    """
    height, width = painted.shape[:2]
    if max(width, height) > to.longest:
        raise ConversionError(
            f"{name} cannot be {width}x{height}: {to.name} ends at {to.longest} pixels",
            "write a .png or .tif",
        )
    notices = []
    picture = Pillow.fromarray(np.ascontiguousarray(painted[..., ::-1]))
    options = dict(to.options)
    if still.profile is not None and to.profile:
        picture = still.profile.from_srgb(picture)
        options["icc_profile"] = still.profile.data
    if still.alpha is not None:
        mask = Pillow.fromarray(still.alpha)
        if to.alpha:
            picture.putalpha(mask)
        else:
            white = Pillow.new("RGB", picture.size, "white")
            white.paste(picture, mask=mask)
            picture = white
            notices.append(f"{name} is on white: {to.name} has no transparency.")
    if to.profile and len(still.exif):
        options["exif"] = still.exif
    if still.dpi is not None:
        options["dpi"] = still.dpi
    try:
        picture.save(file, to.name, **options)
    except (ValueError, KeyError, SystemError) as exc:
        raise ConversionError(f"{name} cannot be written as {to.name}: {exc}") from exc
    return notices


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when the `with` block ends well, and not before.

    Raises:
        SinkError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    with write_errors(path):
        try:
            with part.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _opened(source: Path, name: str) -> AbstractContextManager[Pillow.Image]:
    return open_image(
        source, f"picture {name}", error=SourceError, hint=_HINT, max_pixels=MAX_PIXELS
    )


def _check_memory(picture: Pillow.Image, name: str) -> None:
    needed = picture.width * picture.height * BYTES_PER_PIXEL
    if needed > psutil.virtual_memory().available:
        raise SourceError(
            f"The picture {name} has {picture.width}x{picture.height} pixels, for which "
            f"{needed / 1e9:.1f} GB of memory are needed that are not free.",
            "make it smaller first",
        )


def _upright(
    picture: Pillow.Image, name: str, notices: list[str]
) -> tuple[Pillow.Image, Pillow.Exif]:
    """The picture turned as its EXIF data say, and these without what then is wrong."""
    try:
        upright = ImageOps.exif_transpose(picture)
        exif = upright.getexif()
        for tag in (_ORIENTATION, *_PIXEL_TAGS):
            exif.pop(tag, None)
        exif.tobytes()
    except DECODE_ERRORS:
        notices.append(f"The EXIF data of {name} are damaged and were left out.")
        return picture, Pillow.Exif()
    return upright, exif


def _is_deep(picture: Pillow.Image) -> bool:
    """Whether a picture that is not decoded yet has more than 8 bits per color in its file."""
    packing = str(getattr(picture, "tile", ""))  # how Pillow will read it
    return picture.mode in ("I", "F") or ";16" in packing or "65535" in packing


def _profile(data: object, mode: str, name: str, notices: list[str]) -> IccProfile | None:
    if not isinstance(data, bytes) or not data:
        return None
    try:
        return IccProfile(data, mode)
    except _UNUSABLE_PROFILE:
        notices.append(f"The color profile of {name} cannot be used and was left out.")
        return None


def _sane(dpi: object) -> tuple[float, float] | None:
    """Pixels per inch, if they are two positive numbers."""
    try:
        across, down = (float(number) for number in dpi)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 <= across < 1e5 and 1 <= down < 1e5 else None
