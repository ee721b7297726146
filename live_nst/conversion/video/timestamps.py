"""Timestamps: put those of the input in order, and compute those of the output.

Times are counted in ticks: integers in units of a stream's time base. The input's ticks are kept
from the decoder to the output; only the output's begin is shifted.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from live_nst.conversion.video.clock import ClockCorrection, time_base_of
from live_nst.conversion.video.probe import VideoInfo, no_frames_error
from live_nst.conversion.video.segments import Segment
from live_nst.files.packets import packet_of

_DECODER_DELAY = Fraction(1, 20)  # seconds that decoders of sound need in advance, at most


class IncreasingTimestamps:
    """Gives frames timestamps that increase, where a file omits or mixes them.

    Args:
        info: The video.

    Attributes:
        irregular: Whether a timestamp had to be changed.
    """

    def __init__(self, info: VideoInfo) -> None:
        self._decoding_order = info.decoding_order
        self._time_base = info.time_base
        self._begin = round(info.first / info.time_base)
        self._step = max(1, round(1 / (info.rate * info.time_base)))
        self._last: int | None = None
        self.irregular = False

    def next(self, frame: av.VideoFrame) -> int:
        """Return when `frame` is shown, in ticks: later than the frame before."""
        pts = frame.dts if self._decoding_order else frame.pts
        if pts is None:
            pts = self._begin if self._last is None else self._last + self._step
            self.irregular = True
        if self._last is not None and pts <= self._last:
            pts = self._last + 1
            self.irregular = True
        self._last = pts
        return pts

    def end(self, frame: av.VideoFrame, until: Fraction | None = None) -> int:
        """Return when the frame that was last given to `next` ends, in ticks.

        Args:
            frame: The frame.
            until: The seconds at which the output ends, which cuts a long frame; None for no end.
        """
        assert self._last is not None
        end = self._last + (frame.duration or self._step)
        if until is not None:
            end = min(end, max(math.ceil(until / self._time_base), self._last + self._step))
        return end


@dataclass(frozen=True, slots=True)
class OutputSpan:
    """The part of the input that the output shows, in seconds of the input's clock.

    Attributes:
        shift: Where the output begins.
        first: Packets before this are not copied; None to copy all.
        end: Packets from here on are not copied; None to copy all.
        clock: How the jumps of the input's clock are closed; None if there are none.
    """

    shift: Fraction
    first: Fraction | None = None
    end: Fraction | None = None
    clock: ClockCorrection | None = None


class CopiedTimes:
    """Corrects the times of packets that are copied from an input, which is read once.

    Args:
        clock: How the jumps of the input's clock are closed; None if there are none.
    """

    def __init__(self, clock: ClockCorrection | None) -> None:
        self._correct = clock.corrector() if clock is not None else None
        self._played: set[int] = set()  # streams of which a packet is played

    def correct(self, packet: "av.Packet[Any]") -> bool:
        """Correct a packet; return False if the file says that it is not played.

        The first packets of a track are not played either, but decoders need them. An edit list
        of MP4 can leave out any others; other containers have no such lists.
        """
        if self._correct is not None:
            self._correct(packet)
        if packet.stream.type != "audio":
            return True
        index, ticks = packet.stream_index, packet.pts if packet.pts is not None else packet.dts
        if packet.is_discard and ticks is not None:
            begin = (packet.stream.start_time or 0) - round(
                _DECODER_DELAY / time_base_of(packet.time_base)
            )
            if index in self._played or ticks < begin:
                return False
        if not packet.is_discard:
            self._played.add(index)
        return True


def output_span(
    info: VideoInfo, segments: Sequence[Segment], *, cut_start: bool, cut_end: bool
) -> OutputSpan:
    """Return the part of the input that an output of these segments shows.

    Args:
        info: The input.
        segments: All segments of the output.
        cut_start: Whether the beginning is left out; the output then begins with its first frame.
        cut_end: Whether the end is left out.

    Raises:
        SourceError: There are no segments.
    """
    if not segments:
        raise no_frames_error(info)
    end = segments[-1].end * info.time_base if cut_end else None
    if cut_start:
        first = segments[0].first * info.time_base
        return OutputSpan(first, first, end, info.clock)
    return OutputSpan(info.origin, None, end, info.clock)


def timed_packets(
    segments: Sequence[Segment], payload: Callable[[Segment], bytes]
) -> Iterator[tuple["av.Packet[Any]", int, int, int]]:
    """Yield the packets of all segments with pts, dts and duration in ticks of the input's clock.

    Every frame of a segment is shown before every frame of the next one. The decoding time of a
    packet is the presentation time of the frame that is shown `delay` positions earlier than the
    packet's own position. It is never later than the packet's presentation time, whatever the
    frame rate does. The decoding time of the last packet is moved where this would make the video
    end too early: MP4 stores how long packets last by times of decoding, and players and FFmpeg
    take the sum as the length of the video.

    Args:
        segments: All segments of the output.
        payload: Returns the packets of a segment, concatenated.
    """
    delay = max(segment.reorder for segment in segments)
    shown: deque[int] = deque(maxlen=delay + 1)
    lead = 0  # ticks from the first packet's decoding to its presentation
    for number, segment in enumerate(segments):
        order = sorted(segment.first + packet.pts for packet in segment.packets)
        following = segments[number + 1].first if number + 1 < len(segments) else segment.end
        ends = dict(zip(order, [*order[1:], following], strict=True))
        if number == 0:
            step = max(1, (order[1] if len(order) > 1 else ends[order[0]]) - order[0])
            shown.extend(order[0] - step * (delay - position) for position in range(delay))
            lead = step * delay
        data, offset = payload(segment), 0
        for position, stored in enumerate(segment.packets):
            shown.append(order[position])
            packet = packet_of(data[offset : offset + stored.size])
            offset += stored.size
            packet.is_keyframe = stored.keyframe
            pts, dts = segment.first + stored.pts, shown[0]
            duration = max(1, ends[pts] - pts)
            if segment is segments[-1] and position == len(segment.packets) - 1:
                dts = max(dts, pts - lead)
                duration = max(duration, segment.end - lead - dts)
            yield packet, pts, dts, duration
