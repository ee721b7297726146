"""Find out whether an MPEG transport stream ends too early (ISO/IEC 13818-1).

It does not say how long it is. But the stream consists of packets of equal size, and most sounds
and subtitles begin with their number of bytes. Videos usually do not, and FFmpeg forgets it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_PACKET = 188  # bytes
_SYNC = 0x47
# Bytes from one packet to the next, and of these before the packet: plain, with a time (Blu-ray
# and AVCHD), with a checksum behind each packet (broadcasts).
_FORMS = ((188, 0), (192, 4), (204, 0))
_SYNC_PACKETS = 5  # so many in a row show the form
_HEAD_BYTES, _TAIL_BYTES = 1 << 20, 8 << 20  # of a file that are read
_PES_START = b"\0\0\1"
_PES_HEADER = 6  # bytes before those that the length counts


def transport_stream_is_cut(file: BinaryIO, length: int) -> bool:
    """Return whether a file is a transport stream that ends within a packet, or within a frame.

    Only frames that say how long they are count. They do not count if the file begins within a
    frame, too: then it is a part of a broadcast, which ends anywhere.

    Args:
        file: The file.
        length: Its size in bytes.

    Raises:
        OSError: The file cannot be read.
    """
    file.seek(0)
    data = file.read(_HEAD_BYTES)
    form = next((form for form in _FORMS if _is_synchronous(data, form[1], form[0])), None)
    if form is None:
        return False
    step, before = form
    head = _Part(data, step, before)
    file.seek(max(0, length - _TAIL_BYTES))
    data = file.read(_TAIL_BYTES)
    # Where files were joined, packets begin anywhere.
    last = max(0, len(data) - (_SYNC_PACKETS + 1) * step)
    for first in range(last, last + step):
        if _is_synchronous(data, first, step):
            tail = _Part(data, step, first % step)
            return tail.ends_in_packet or (
                _last_frame_is_short(tail) and not _begins_in_frame(head)
            )
    return False  # other bytes follow


@dataclass(frozen=True, slots=True)
class _Packet:
    """A packet with payload.

    Attributes:
        stream: The number of its stream.
        begins: Whether a frame or table begins with it.
        payload: What it contains.
    """

    stream: int
    begins: bool
    payload: bytes


class _Part:
    """A part of a file.

    Args:
        data: Its bytes.
        step: Bytes from one packet to the next.
        first: Where the first packet begins.

    Attributes:
        ends_in_packet: Whether its last packet is not complete.
    """

    def __init__(self, data: bytes, step: int, first: int) -> None:
        self._data = data
        self._step = step
        self._first = first
        rest = (len(data) - first) % step
        self.ends_in_packet = 0 < rest < _PACKET and data[len(data) - rest] == _SYNC

    def packets(self) -> Iterator[_Packet]:
        """Yield the complete packets that have an unencrypted payload."""
        data = self._data
        for at in range(self._first, len(data) - _PACKET + 1, self._step):
            scrambled, control = data[at + 3] & 0xC0, data[at + 3] & 0x30
            if data[at] != _SYNC or scrambled or not control & 0x10:
                continue
            begin = at + 4 + (1 + data[at + 4] if control & 0x20 else 0)
            number = int.from_bytes(data[at + 1 : at + 3], "big") & 0x1FFF
            begins = bool(data[at + 1] & 0x40)
            yield _Packet(number, begins, data[begin : at + _PACKET])


def _is_synchronous(data: bytes, first: int, step: int) -> bool:
    """Return whether packets begin at `first` and every `step` bytes behind it."""
    marks = data[first : first + _SYNC_PACKETS * step : step]
    return len(marks) > 1 and marks == bytes([_SYNC]) * len(marks)


def _begins_in_frame(part: _Part) -> bool:
    """Return whether the first packet of a sound or video continues what is not in the file."""
    first: dict[int, bool] = {}
    frames = set()
    for packet in part.packets():
        first.setdefault(packet.stream, packet.begins)
        if packet.begins and packet.payload.startswith(_PES_START):
            frames.add(packet.stream)
    return any(not first[stream] for stream in frames)


def _last_frame_is_short(part: _Part) -> bool:
    """Return whether the last frame of a stream has fewer bytes than it says."""
    missing: dict[int, int] = {}
    for packet in part.packets():
        if packet.begins:
            missing.pop(packet.stream, None)
            size = int.from_bytes(packet.payload[4:6], "big")
            if packet.payload.startswith(_PES_START) and size:
                missing[packet.stream] = _PES_HEADER + size
        if packet.stream in missing:
            missing[packet.stream] -= len(packet.payload)
    return any(number > 0 for number in missing.values())
