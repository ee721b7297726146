"""The suffixes of video and image files, and the formats that images are written in."""

from dataclasses import dataclass
from pathlib import Path

from live_nst.errors import UsageError
from live_nst.files.output import join_words

VIDEO_SUFFIXES = frozenset(
    {
        ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".m1v", ".m2t", ".m2ts",
        ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts",
        ".mxf", ".ogm", ".ogv", ".qt", ".ts", ".vob", ".webm", ".wmv", ".y4m",
    }
)  # fmt: skip
"""Suffixes of files that are read as videos. GIF is not among them: many are still images."""

PLAYABLE_SUFFIXES = VIDEO_SUFFIXES | {".gif"}
"""Suffixes of everything that can be played as a video."""

IMAGE_SUFFIXES = frozenset(
    {
        ".apng", ".avif", ".bmp", ".dds", ".dib", ".gif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg",
        ".jpg", ".jpx", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp",
    }
)  # fmt: skip
"""Suffixes of files that are read as images."""

OUTPUT_VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif")
"""Suffixes of videos that a conversion writes."""


@dataclass(frozen=True)
class ImageFormat:
    """A format that images are written in.

    Attributes:
        name: Pillow's name of it.
        options: Options of Pillow's encoder.
        max_side: The longest side that the format can store, in pixels.
        alpha: Whether it stores transparency.
        metadata: Whether it stores a color profile and EXIF data.
    """

    name: str
    options: tuple[tuple[str, object], ...] = ()
    max_side: int = 2**31 - 1
    alpha: bool = True
    metadata: bool = True


_JPEG = ImageFormat("JPEG", (("quality", 95), ("subsampling", "4:4:4")), 65_500, alpha=False)
_TIFF = ImageFormat("TIFF")  # uncompressed: the compressing writer does not take EXIF data
IMAGE_FORMATS = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".jfif": _JPEG,
    ".png": ImageFormat("PNG", (("compress_level", 4),)),
    ".webp": ImageFormat("WEBP", (("quality", 95),), 16_383),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": ImageFormat("BMP", alpha=False, metadata=False),
    ".avif": ImageFormat("AVIF", (("quality", 90),), 65_536),
}
"""The formats that images are written in, by suffix."""


def image_format_for(path: str | Path) -> ImageFormat:
    """Return the format that the suffix of an output names.

    Raises:
        UsageError: Images are not written in that format.
    """
    found = IMAGE_FORMATS.get(Path(path).suffix.lower())
    if found is None:
        raise UsageError(
            f"Invalid suffix: cannot write an image to '{Path(path).name}'",
            f"use a name that ends in {join_words(IMAGE_FORMATS, 'or')}",
        )
    return found
