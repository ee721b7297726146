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
        ".apng", ".avif", ".bmp", ".dds", ".dib", ".gif", ".heic", ".heif", ".hif", ".j2k", ".jfif",
        ".jp2", ".jpe", ".jpeg", ".jpg", ".jpx", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga",
        ".tif", ".tiff", ".webp",
    }
)  # fmt: skip
"""Suffixes of files that are read as images."""

OUTPUT_VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif", ".webp")
"""Suffixes of videos that a conversion writes. A WebP can be a still image as well."""


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


_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG", "PNG"),
    (8, b"WEBP", "WEBP"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (4, b"jP  ", "JPEG2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG2000"),
    (0, b"DDS ", "DDS"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def recognize_image(path: Path) -> str | None:
    """Return Pillow's name of the format that the first bytes of a file show; None if unknown.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] == b"ftyp":
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, len(head), 4))]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        return "HEIF" if head[8:12] in _HEIF_BRANDS else None
    return next((name for at, mark, name in _SIGNATURES if head[at:].startswith(mark)), None)
