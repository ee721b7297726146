"""Read every frame of a video once and in order, from the beginning or from a resume point."""

import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import av.error
import numpy as np

from live_nst.conversion.video.damage import DamageCounter, InputDefects
from live_nst.conversion.video.input_file import open_video
from live_nst.conversion.video.probe import VideoInfo
from live_nst.conversion.video.timestamps import IncreasingTimestamps
from live_nst.conversion.video.truncation import is_truncated
from live_nst.errors import SourceError
from live_nst.types import Image
from live_nst.video.color import ToBgr

# Decoding starts so many seconds before the wanted position; if that fails, at the beginning.
_SEEK_MARGINS = (4, 20)
_TOLERANCE = Fraction(1, 1000)  # seconds


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A frame as the decoder returns it.

    Attributes:
        av_frame: FFmpeg's frame, in its stored format.
        index: Its number in the output, from 0.
        pts: When it is shown, in ticks; later than every frame before.
        end: When it ends according to the file, in ticks.
        time: Seconds into the input, by which styles change.
    """

    av_frame: av.VideoFrame
    index: int
    pts: int
    end: int
    time: float


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A position between two frames at which reading can continue exactly.

    Attributes:
        frames: Number of output frames before it.
        pts: When the last of them is shown, in ticks.
        checksum: `image_checksum` of that frame.
    """

    frames: int
    pts: int
    checksum: int


def image_checksum(image: Image) -> int:
    """Return a checksum of an image's pixels."""
    return zlib.crc32(np.ascontiguousarray(image).data)


def output_limits(
    info: VideoInfo, start: float, end: float | None
) -> tuple[Fraction | None, Fraction | None]:
    """Return from when on and until when frames are part of the output, in the file's seconds.

    Args:
        info: The video.
        start: Frames before this are left out, in seconds into the input.
        end: Frames from here on are left out; None for none.
    """
    # The user's decimal digits may stand for a third or a tick that the file has rounded.
    tolerance = min(info.time_base / 2, _TOLERANCE)
    begin = info.first + Fraction(start) - tolerance if start > 0 else None
    return begin, None if end is None else info.first + Fraction(end) - tolerance


class _PositionNotFound(Exception):
    """Decoding began too late, or did not return the expected frame."""


@dataclass
class FrameReader:
    """Reads the frames of a video from `start` to `end`, one in `every`.

    Args:
        info: The video.
        start: Frames before this are left out, in seconds into the input.
        end: Frames from here on are left out; None for none.
        every: Keep one frame in so many.

    Attributes:
        defects: What is wrong with the input.
    """

    info: VideoInfo
    start: float = 0.0
    end: float | None = None
    every: int = 1
    defects: InputDefects = field(default_factory=InputDefects)

    def frames(self, after: ResumePoint | None = None) -> Iterator[DecodedFrame]:
        """Yield the frames from the beginning, or those that follow a resume point.

        Raises:
            SourceError: The file cannot be read any more, or the resume point is not found.
        """
        jumps = self.info.clock is not None and self.info.clock.jumps  # none can be sought across
        seeks = (self.start > 0 or after is not None) and not jumps
        for margin in (*(_SEEK_MARGINS if seeks else ()), None):
            self.defects = InputDefects()
            try:
                yield from self._read(margin, after)
            except _PositionNotFound:
                continue
            return
        raise SourceError(
            f"{self.info.path.name} does not decode as it did before", "start again with --restart"
        )

    def _read(self, margin: int | None, after: ResumePoint | None) -> Iterator[DecodedFrame]:
        """Try to read, from `margin` seconds before the position or from the beginning.

        Raises:
            _PositionNotFound: Decoding did not begin early enough. Nothing was yielded.
        """
        info, base = self.info, self.info.time_base
        begin, until = output_limits(info, self.start, self.end)
        target = (begin or info.first) if after is None else after.pts * base
        seek = None if margin is None else target - margin
        if seek is not None and seek <= info.first:
            raise _PositionNotFound
        timestamps = IncreasingTimestamps(info)
        decoded = self._decode(seek)
        first = next(decoded, None)
        if seek is not None and (first is None or (first.pts or 0) * base > target):
            raise _PositionNotFound
        # `chain` and no generator of our own: one that is left early would close `decoded`.
        frames = itertools.chain([] if first is None else [first], decoded)
        number = 0  # of the frames between start and end
        if after is not None:
            number = self._skip_to(after, frames, timestamps, begin, seek is not None)
        for frame in frames:
            pts = timestamps.next(frame)
            self.defects.irregular |= timestamps.irregular
            if begin is not None and pts * base < begin:
                continue
            if until is not None and pts * base >= until:
                return
            end = timestamps.end(frame, until)
            self.defects.last_time = float(end * base - info.first)
            if (frame.width, frame.height) != info.stored:
                self.defects.resized = True
            if number % self.every == 0:
                time = float(pts * base - info.first)
                yield DecodedFrame(frame, number // self.every, pts, end, time)
            number += 1

    def _skip_to(
        self,
        point: ResumePoint,
        frames: Iterator[av.VideoFrame],
        timestamps: IncreasingTimestamps,
        begin: Fraction | None,
        after_seek: bool,
    ) -> int:
        """Consume frames up to a resume point; return the number of frames since the start.

        The last one must have the very time and pixels that it had before: what a decoder returns
        after a seek may be damaged, or belong elsewhere.

        Raises:
            _PositionNotFound: It has not.
        """
        to_bgr = ToBgr(self.info.size, self.info.orientation)
        expected = 1 + (point.frames - 1) * self.every
        number = 0
        for frame in frames:
            pts = timestamps.next(frame)
            if begin is None or after_seek or pts * self.info.time_base >= begin:
                number += 1
            if pts == point.pts if after_seek else number == expected:
                if pts == point.pts and image_checksum(to_bgr(frame)) == point.checksum:
                    return expected
                break
            if pts > point.pts:
                break
        raise _PositionNotFound

    def _decode(self, seek: Fraction | None) -> Iterator[av.VideoFrame]:
        """Yield the frames as the decoder returns them, all or from near `seek` seconds on."""
        info, defects = self.info, self.defects
        with open_video(info.path) as container:
            stream = container.streams[info.index]
            assert isinstance(stream, av.VideoStream)
            # Threads that decode whole frames drop damaged ones silently. The cores are busy with
            # the other stages anyway.
            stream.thread_type = "SLICE"
            if seek is not None:
                try:
                    container.seek(int(seek / info.time_base), stream=stream)
                except av.error.FFmpegError as exc:
                    raise _PositionNotFound from exc
            # The first packets of a broadcast, and those after a seek, need not be decodable.
            started = seek is None and not info.starts_anywhere
            correct = info.clock.corrector() if info.clock is not None else None
            damage = DamageCounter(defects, info)
            packets = container.demux()
            while True:
                try:
                    packet = next(packets)
                    # The empty packets at the end have a stream, too.
                    if packet.stream.index != info.index:
                        continue
                except StopIteration:
                    break
                except av.error.FFmpegError:
                    defects.truncated = True
                    yield from damage.decode(stream, None, True)
                    damage.finish()
                    return
                if correct is not None:
                    correct(packet)
                for frame in damage.decode(stream, packet, started):
                    started = True
                    yield frame
            damage.finish()
            defects.truncated = is_truncated(info.path)
