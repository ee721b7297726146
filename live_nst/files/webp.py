"""Read animated WebP files that are cut off: libwebp refuses them, whatever they contain."""

import os
from pathlib import Path

_HEADER, _CHUNK_HEADER = 12, 8  # bytes: "RIFF", size, "WEBP"; name, size


def complete_frames(source: Path) -> bytes | None:
    """Return a cut-off animated WebP without what follows its last complete frame.

    Args:
        source: A file.

    Returns:
        A WebP file; None if the file is no such WebP, or none of its frames is complete.

    Raises:
        OSError: The file cannot be read.
    """
    with source.open("rb") as file:
        head = file.read(_HEADER)
        size = int.from_bytes(head[4:8], "little")
        length = os.fstat(file.fileno()).st_size
        if head[:4] != b"RIFF" or head[8:] != b"WEBP" or _CHUNK_HEADER + size <= length:
            return None
        data = head + file.read()
    place, end = _HEADER, 0
    while place + _CHUNK_HEADER <= len(data):
        chunk = int.from_bytes(data[place + 4 : place + 8], "little")
        following = place + _CHUNK_HEADER + chunk + chunk % 2
        if following > len(data):
            break
        if data[place : place + 4] == b"ANMF":
            end = following
        place = following
    if not end:
        return None
    return data[:4] + (end - _CHUNK_HEADER).to_bytes(4, "little") + data[8:end]
