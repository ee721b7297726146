"""Tell pictures and videos from other files by their content, where their suffix does not."""

from enum import Enum, auto
from pathlib import Path

from live_nst.conversion.images.reading import is_animated
from live_nst.conversion.video.input_file import find_video_stream, open_video
from live_nst.errors import SourceError
from live_nst.files.formats import recognize_image

# Raw photos look like a TIFF with a small preview. The others belong to a file beside them: small
# copies of a camera, and downloads that are not finished.
_LEFT_OUT = frozenset(
    {
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".k25",
        ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2",
        ".rwl", ".sr2", ".srf", ".srw", ".x3f",
        ".lrf", ".lrv", ".thm",
        ".crdownload", ".download", ".part", ".partial", ".tmp",
    }
)  # fmt: skip
_HEAD_BYTES = 1024
_VIDEO_SIGNATURES = (
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska and WebM
    *((4, name) for name in (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot")),
    (8, b"AVI "),
    (0, b"FLV\x01"),
    (0, b"\x00\x00\x01\xba"),  # MPEG program streams
    (0, b"\x00\x00\x01\xb3"),  # MPEG video
    (0, b"\x00\x00\x00\x01"),  # H.264 and H.265
    (0, b"OggS"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # ASF
    (0, b"\x06\x0e\x2b\x34"),  # MXF
    (0, b"\x1f\x07\x00"),  # DV
    (0, b"YUV4MPEG2 "),
)
# Places of the packets of MPEG-TS, plain and with a time before each.
_TS_PLACES = ((0, 188, 376, 564), (4, 196, 388, 580))
_TS_SYNC = 0x47


class Kind(Enum):
    """What a file contains."""

    IMAGE = auto()
    VIDEO = auto()
    OTHER = auto()


def kind_of(path: Path) -> Kind:
    """Return what a file contains. Little of it is read, and nothing is decoded.

    Files that are not complete by themselves, such as unfinished downloads, are others, and so are
    raw photos.

    Args:
        path: The file.
    """
    if path.suffix.lower() in _LEFT_OUT:
        return Kind.OTHER
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if recognize_image(path) is not None:
            is_animated(path, path.name)  # raises if it is none after all
            return Kind.IMAGE
        if _may_be_video(head):
            with open_video(path) as container:
                find_video_stream(container, path)
            return Kind.VIDEO
    except (OSError, SourceError):
        pass
    return Kind.OTHER


def _may_be_video(head: bytes) -> bool:
    """Return whether a file with these first bytes can be a video."""
    return any(head[at:].startswith(mark) for at, mark in _VIDEO_SIGNATURES) or any(
        len(head) > places[-1] and all(head[place] == _TS_SYNC for place in places)
        for places in _TS_PLACES
    )
