"""Detect a file that ends too early, as an interrupted download does.

FFmpeg takes the end of the file for the end of the video. Three containers say how long they are:
MP4 by the sizes of its boxes, Matroska by the size of its segment, AVI by the size of its chunk.
"""

import os
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot"}


def is_truncated(path: Path) -> bool:
    """Return whether a file is shorter than its container says; False if it does not say.

    Raises:
        OSError: The file cannot be read.
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
            return _mp4_end(file, length) > length
    return False


def _mp4_end(file: BinaryIO, length: int) -> int:
    """Return the position where the last box ends, or should end (ISO/IEC 14496-12, 4.2)."""
    position = 0
    while position + 8 <= length:
        file.seek(position)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0: the box extends to the end of the file; 1 to 7: this is no box
            break
        position += size
    return position


def _matroska_end(file: BinaryIO) -> int:
    """Return the position where the segment should end; 0 if it does not say (RFC 8794, 4)."""
    file.seek(len(_EBML))
    header = _read_size(file)
    if header is None:
        return 0
    file.seek(header, os.SEEK_CUR)
    if file.read(len(_SEGMENT)) != _SEGMENT:
        return 0
    size = _read_size(file)
    return 0 if size is None else file.tell() + size


def _read_size(file: BinaryIO) -> int | None:
    """Read a size of variable length; None if it means "unknown" or is invalid."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    rest = file.read(more)
    value = int.from_bytes(bytes([first[0] & (0x7F >> more)]) + rest, "big")
    unknown = (1 << 7 * (more + 1)) - 1
    return None if len(rest) < more or value == unknown else value
