"""Detect a file that ends too early, as an interrupted download does.

FFmpeg takes the end of the file for the end of the video. Three containers say how long they are:
MP4 by the sizes of its boxes, Matroska by the size of its segment, AVI by the size of its chunk.
MP4 and AVI also contain an index: where all that it names is in the file, nothing is missing.
MPEG-TS says it of its frames; see `transport_stream`.
"""

import os
from pathlib import Path
from typing import BinaryIO

import av
import av.error

from live_nst.conversion.video.transport_stream import transport_stream_is_cut
from live_nst.runtime.pyav import open_for_reading

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_CONTENT = {b"moov", b"moof", b"mdat"}
_BOXES = _CONTENT | {b"ftyp", b"styp", b"free", b"skip", b"wide", b"pnot"}
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # of an AVI that was written to a pipe


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
            size = int.from_bytes(head[4:8], "little")
            shorter = size not in _UNKNOWN_SIZES and 8 + size > length
        elif head[4:8] in _BOXES:
            shorter = _mp4_end(file, length) > length
        else:
            return transport_stream_is_cut(file, length)
    return shorter and not _index_is_complete(path, length)


def is_joined_matroska(path: Path) -> bool:
    """Return whether a Matroska or WebM file may consist of several files, each with its clock.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(len(_EBML))
        return head == _EBML and _matroska_end(file) < os.fstat(file.fileno()).st_size


def _index_is_complete(path: Path, length: int) -> bool:
    """Return whether a file of `length` bytes contains all packets that its index names."""
    try:
        with open_for_reading(path) as container:
            for stream in container.streams:
                entries = stream.index_entries
                if stream.frames and not len(entries):
                    return False
                if any(entry.pos + max(0, entry.size) > length for entry in entries):
                    return False
            return any(stream.frames and stream.type == "video" for stream in container.streams)
    except av.error.FFmpegError:
        return False


def _mp4_end(file: BinaryIO, length: int) -> int:
    """Return the position where the last box ends, or should end (ISO/IEC 14496-12, 4.2).

    Behind the last box, cameras and editors write what they like. Only boxes with content count.
    """
    position = end = 0
    while position + 8 <= length:
        file.seek(position)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0: the box extends to the end of the file; 1 to 7: this is no box
            break
        position += size
        if head[4:8] in _CONTENT:
            end = position
    return end


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
