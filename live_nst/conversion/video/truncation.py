"""Whether a file ends before its own end, as a download that broke off does.

FFmpeg takes the end of a file for the end of the film. What a container says about its own length
is read here: MP4's boxes, Matroska's segment, AVI's chunk.
"""

import os
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot"}


def is_truncated(path: Path) -> bool:
    """Whether `path` says that it is longer than it is; False where it does not say.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        head = file.read(12)
        file.seek(0)
        if head.startswith(_EBML):
            return _matroska_end(file) > length
        if head.startswith(b"RIFF"):
            return 8 + int.from_bytes(head[4:8], "little") > length
        if head[4:8] in _BOXES:
            return _boxes_end(file, length) > length
    return False


def _boxes_end(file: BinaryIO, length: int) -> int:
    """Where the last of an MP4's boxes ends, or should end (ISO/IEC 14496-12, 4.2)."""
    place = 0
    while place + 8 <= length:
        file.seek(place)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0 is a box that goes on to the end; less is none
            break
        place += size
    return place


def _matroska_end(file: BinaryIO) -> int:
    """Where the segment of a Matroska file should end; 0 where it does not say (RFC 8794, 4)."""
    file.seek(len(_EBML))
    header = _number(file)
    if header is None:
        return 0
    file.seek(header, os.SEEK_CUR)
    if file.read(len(_SEGMENT)) != _SEGMENT:
        return 0
    size = _number(file)
    return 0 if size is None else file.tell() + size


def _number(file: BinaryIO) -> int | None:
    """A number of variable length; None if it stands for "unknown" or is none."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    rest = file.read(more)
    value = int.from_bytes(bytes([first[0] & (0x7F >> more)]) + rest, "big")
    unknown = (1 << 7 * (more + 1)) - 1
    return None if len(rest) < more or value == unknown else value
