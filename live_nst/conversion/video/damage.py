"""Count what is damaged in a video while it is read."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error

from live_nst.conversion.video.probe import VideoInfo

_GAP = Fraction(3, 2)  # so many frames later than the last one, a packet comes after a gap
_PAUSE = 1  # so many seconds between two recordings are a pause
# FFmpeg marks a packet that is a little earlier than the place, as its parser looks ahead. Frames
# appear a little later, where their order changes.
_KEY_FRAME_WITHIN, _WATCHED = 3, 8


@dataclass
class InputDefects:
    """What is wrong with an input; complete when its last frame was read.

    Attributes:
        damaged: Number of positions that cannot be decoded.
        truncated: Whether the file ends too early.
        irregular: Whether timestamps were missing or decreased, and were changed.
        resized: Whether frames have another size than the first one.
        last_time: Seconds at which the last frame ends.
    """

    damaged: int = 0
    truncated: bool = False
    irregular: bool = False
    resized: bool = False
    last_time: float = 0.0

    @property
    def sentence(self) -> str:
        """What follows the file's name in a message; empty if nothing is wrong."""
        if self.truncated:
            return f"is cut off or damaged after {self.last_time:.1f} s"
        if self.damaged:
            places = "1 place" if self.damaged == 1 else f"{self.damaged} places"
            return f"is damaged in {places}"
        return ""


class DamageCounter:
    """Counts the places of a video that are damaged.

    FFmpeg marks a packet as corrupt where numbers of MPEG-TS do not follow one another. That is so
    where recordings were joined, too, and then nothing is missing. Such a place does not count if
    a key frame follows the mark, and neither the decoder nor a gap shows that something is lost.

    Args:
        defects: Where they are counted.
        info: The video.
    """

    def __init__(self, defects: InputDefects, info: VideoInfo) -> None:
        self._defects = defects
        self._step = round(_GAP / (info.rate * info.time_base))
        self._pause = round(_PAUSE / info.time_base)
        self._last: int | None = None  # decoding time of the last packet
        self._marked = False  # whether a key frame must follow
        self._watched = 0  # so many of the next packets must show no damage

    def decode(
        self, stream: av.VideoStream, packet: "av.Packet[Any] | None", count: bool
    ) -> list[av.VideoFrame]:
        """Return the frames that a packet completes.

        Args:
            stream: The video.
            packet: The packet; None after the last one.
            count: Whether damage counts.
        """
        if packet is not None and count:
            self._watch(packet)
        try:
            frames = list(stream.codec_context.decode(packet))
        except av.error.FFmpegError:
            self._defects.damaged += count
            return []
        if self._watched and any(frame.is_corrupt for frame in frames):
            self._found()
        return frames

    def finish(self) -> None:
        """Count what is not resolved; call it after the last frame."""
        if self._marked:
            self._found()

    def _watch(self, packet: "av.Packet[Any]") -> None:
        """Look at what follows a packet that is marked."""
        late = 0
        if packet.dts is not None:
            late = 0 if self._last is None else packet.dts - self._last
            self._last = packet.dts
        if self._watched:
            self._watched -= 1
            joined = packet.is_keyframe and late > self._pause
            no_key = self._marked and self._watched < _WATCHED - _KEY_FRAME_WITHIN
            self._marked = self._marked and not packet.is_keyframe
            if (late > self._step and not joined) or (no_key and self._marked):
                self._found()
        if packet.is_corrupt:
            if self._marked:
                self._found()
            self._marked, self._watched = True, _WATCHED

    def _found(self) -> None:
        self._defects.damaged += 1
        self._marked, self._watched = False, 0
