"""Packets made of bytes, for decoders."""

from typing import Any, cast

import av

PADDING = 64
"""Bytes that FFmpeg's decoders may read beyond the end: `AV_INPUT_BUFFER_PADDING_SIZE`."""


def packet_of(data: bytes) -> "av.Packet[Any]":
    """Return a packet that can be decoded.

    PyAV lends decoders Python's memory as it is, and what lies behind it would count: now and
    then a decoder would call a good frame corrupt, or decode another picture. Here zeros lie there.

    Args:
        data: One compressed frame.
    """
    padded = memoryview(data + bytes(PADDING))[: len(data)]
    return av.Packet(cast(bytes, padded))  # PyAV takes any buffer
