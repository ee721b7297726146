"""Close the jumps of a file's clock, alike for all streams.

Recordings that were joined byte by byte (MPEG-TS, VOB, pieces of HLS) contain the clocks of all
their parts: it starts again, or jumps, where a part begins. FFmpeg's program closes such a jump
when it meets it, and so do players. Here the whole file is read once in advance, packet by packet
and without decoding, so that every reader of the file corrects the same packets by the same time.

A part is called an epoch here: the time in which the clock runs on without a jump.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.error

from live_nst.runtime.pyav import Ratio, fraction

if TYPE_CHECKING:
    from av.container import InputContainer

CLOCK_STARTS_ANYWHERE = 0x200
"""AVFMT_TS_DISCONT: the flag of formats whose clocks start anywhere and jump, such as MPEG-TS."""

# A time that is so many seconds later or earlier than expected is a jump; FFmpeg's own limits.
_FORWARD, _BACKWARD = Fraction(10), Fraction(1, 10)
# Other formats store no times of decoding: those that FFmpeg computes may go back a little.
_COMPUTED_BACKWARD = Fraction(1, 2)
# The streams of one part begin and end at slightly different times.
_SKEW = Fraction(3, 2)
_DEFAULT_STEP = Fraction(1, 25)


@dataclass(frozen=True, slots=True)
class ClockJump:
    """A jump of the clock that is closed.

    Attributes:
        time: When it happens, in seconds of the corrected clock.
        seconds: By how much the clock jumps; negative if it goes back.
    """

    time: Fraction
    seconds: Fraction


@dataclass(frozen=True)
class ClockCorrection:
    """By how much the times of a file's packets are changed.

    Attributes:
        steps: For each stream with changes, by its index: pairs of (number of a packet in its
            stream, from 0; seconds to add from that packet on).
        jumps: The jumps that are closed, in order.
        frames: Number of packets of the video.
        end: When the video ends, in seconds of the corrected clock.
    """

    steps: Mapping[int, tuple[tuple[int, Fraction], ...]]
    jumps: tuple[ClockJump, ...]
    frames: int
    end: Fraction

    def corrector(self) -> "Callable[[av.Packet[Any]], None]":
        """Return a function that corrects the packets of a file that is read from its beginning.

        It must be called once for every packet of each stream that is read, in order.
        """
        counts: Counter[int] = Counter()

        def correct(packet: "av.Packet[Any]") -> None:
            steps = self.steps.get(packet.stream_index)
            if steps is None or not packet.size:
                return
            number = counts[packet.stream_index]
            counts[packet.stream_index] += 1
            seconds = next((offset for first, offset in reversed(steps) if first <= number), None)
            if seconds is not None:
                ticks = round(seconds / time_base_of(packet.time_base))
                packet.pts = None if packet.pts is None else packet.pts + ticks
                packet.dts = None if packet.dts is None else packet.dts + ticks

        return correct

    def note(self, origin: Fraction) -> str:
        """Return a sentence about the jumps; empty if there are none.

        Args:
            origin: The time that counts as 0 in it, in seconds of the clock.
        """
        if not self.jumps:
            return ""
        first = self.jumps[0]
        time = max(0.0, float(first.time - origin))
        if len(self.jumps) > 1:
            return (
                f"The file's clock jumps {len(self.jumps)} times, first after {time:.1f} s: the "
                "jumps are closed"
            )
        where = "back" if first.seconds < 0 else "forward"
        return (
            f"The file's clock jumps {where} by {abs(float(first.seconds)):.1f} s after "
            f"{time:.1f} s: the jump is closed"
        )


def needs_scan(container: "InputContainer", index: int) -> bool:
    """Return whether the clock of a format can jump.

    Args:
        container: The file.
        index: Number of its video stream.
    """
    name, stream = container.format.name, container.streams[index]
    # The fragments of an MP4 have clocks of their own, too. Other MP4 files have an index.
    fragments = name.startswith("mov") and not stream.frames
    return bool(container.format.flags & CLOCK_STARTS_ANYWHERE) or "flv" in name or fragments


def scan_clock(container: "InputContainer", index: int) -> ClockCorrection:
    """Read all packets of a file and return how its jumps are closed.

    Args:
        container: The file, at its beginning.
        index: Number of its video stream.
    """
    scan = _ClockScan(container, index)
    try:
        for packet in container.demux():
            if packet.size:
                scan.add(packet)
    except av.error.FFmpegError:
        pass  # the file ends too early here, which the reader of its frames finds
    return scan.result()


def time_base_of(value: Ratio | None) -> Fraction:
    """Return seconds per tick; FFmpeg's own unit, microseconds, where a file does not say."""
    return fraction(value) or Fraction(1, av.time_base)


@dataclass
class _Track:
    """What is known of one stream. Times are those of the file, not corrected.

    Attributes:
        step: Seconds between two packets, where they do not say.
        count: Number of its packets.
        last: Decoding time of the last packet.
        next: When the next packet is expected; None before the first one.
        epoch: The number of its current epoch.
        changes: Pairs of (number of a packet, number of the epoch that begins with it).
    """

    step: Fraction
    count: int = 0
    last: Fraction = Fraction(0)
    next: Fraction | None = None
    epoch: int = 0
    changes: list[tuple[int, int]] = field(default_factory=list)


class _ClockScan:
    """Finds the epochs of each stream, and how the clock of each epoch is corrected."""

    def __init__(self, container: "InputContainer", index: int) -> None:
        self._index = index
        self._any_jump = bool(container.format.flags & CLOCK_STARTS_ANYWHERE)
        self._offsets = [Fraction(0)]  # seconds to add in each epoch
        self._jumps: list[tuple[int, Fraction, Fraction]] = []  # epoch and time before; seconds
        self._tracks: dict[int, _Track] = {}
        self._others: dict[int, _Track] = {}
        self._end = Fraction(0)
        for stream in container.streams:
            cover = stream.disposition & av.stream.Disposition.attached_pic
            rate = fraction(stream.average_rate) if isinstance(stream, av.VideoStream) else None
            track = _Track(1 / rate if rate else _DEFAULT_STEP)
            followed = stream.type in ("video", "audio") and not cover
            (self._tracks if followed else self._others)[stream.index] = track

    def add(self, packet: "av.Packet[Any]") -> None:
        """Take note of a packet."""
        other = self._others.get(packet.stream_index)
        if other is not None:  # subtitles come rarely: nothing shows a jump but other streams
            newest = len(self._offsets) - 1
            if other.epoch != newest:
                other.epoch = newest
                other.changes.append((other.count, newest))
            other.count += 1
            return
        track = self._tracks.get(packet.stream_index)
        if track is None:  # a stream that began later, which is not read
            return
        ticks = packet.dts
        if ticks is None and packet.stream.type == "audio":
            ticks = packet.pts
        if ticks is not None and not packet.is_discard:
            base = time_base_of(packet.time_base)
            time = ticks * base
            if track.next is not None and self._is_jump(track, time):
                self._change_epoch(track, time)
            elif track.next is None and track.epoch != len(self._offsets) - 1:
                self._begin_late(track, time)
            track.last = time
            track.next = time + (packet.duration * base if packet.duration else track.step)
            if packet.stream_index == self._index:
                shown = (packet.pts if packet.pts is not None else ticks) * base
                end = shown + (track.next - time) + self._offsets[track.epoch]
                self._end = max(self._end, end)
        track.count += 1

    def result(self) -> ClockCorrection:
        """Return the correction of the whole file."""
        steps: dict[int, tuple[tuple[int, Fraction], ...]] = {}
        for number, track in (self._tracks | self._others).items():
            if track.changes:
                steps[number] = tuple(
                    (count, self._offsets[epoch]) for count, epoch in track.changes
                )
        jumps = tuple(
            ClockJump(before + self._offsets[epoch], seconds)
            for epoch, before, seconds in self._jumps
        )
        return ClockCorrection(steps, jumps, self._tracks[self._index].count, self._end)

    def _is_jump(self, track: _Track, time: Fraction) -> bool:
        """Return whether a stream's clock jumps to `time`."""
        assert track.next is not None
        if time + (_BACKWARD if self._any_jump else _COMPUTED_BACKWARD) < track.last:
            return True
        if time - track.next <= _FORWARD or not self._any_jump:
            return False
        # Where another stream goes on in the meantime, this one has a pause.
        return not any(
            other is not track
            and other.next is not None
            and other.epoch == track.epoch
            and track.next + _SKEW < other.next
            for other in self._tracks.values()
        )

    def _change_epoch(self, track: _Track, time: Fraction) -> None:
        """Let a stream continue at `time` in a later epoch, which is made if there is none."""
        assert track.next is not None
        expected = track.next + self._offsets[track.epoch]
        for epoch in range(track.epoch + 1, len(self._offsets)):
            if abs(time + self._offsets[epoch] - expected) <= _SKEW:
                break
        else:
            epoch = len(self._offsets)
            self._offsets.append(expected - time)
            self._jumps.append((track.epoch, track.next, time - track.next))
        track.epoch = epoch
        track.changes.append((track.count, epoch))

    def _begin_late(self, track: _Track, time: Fraction) -> None:
        """Let a stream whose first packet comes after a jump begin in the newest epoch."""
        track.epoch = len(self._offsets) - 1
        track.changes.append((track.count, track.epoch))
