"""Read every frame of a video once and in order, from the beginning or from a resume point."""

import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import av
import av.error
import numpy as np

from live_nst.conversion.video.input_file import open_video
from live_nst.conversion.video.probe import VideoInfo
from live_nst.conversion.video.timestamps import IncreasingTimestamps
from live_nst.conversion.video.truncation import is_truncated
from live_nst.errors import SourceError
from live_nst.types import Image
from live_nst.video.color import ToBgr

# Decoding starts so many seconds before the wanted position; if that fails, at the beginning.
_SEEK_MARGINS = (4.0, 20.0)


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


@dataclass
class InputDefects:
    """What is wrong with an input; complete when its last frame was read.

    Attributes:
        damaged: Number of positions that cannot be decoded.
        truncated: Whether the file ends too early.
        irregular: Whether timestamps were missing or decreased, and were changed.
        last_time: Seconds at which the last frame ends.
    """

    damaged: int = 0
    truncated: bool = False
    irregular: bool = False
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


def image_checksum(image: Image) -> int:
    """Return a checksum of an image's pixels."""
    return zlib.crc32(np.ascontiguousarray(image).data)


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
        seeks = self.start > 0 or after is not None
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

    def _read(self, margin: float | None, after: ResumePoint | None) -> Iterator[DecodedFrame]:
        """Try to read, from `margin` seconds before the position or from the beginning.

        Raises:
            _PositionNotFound: Decoding did not begin early enough. Nothing was yielded.
        """
        info, base = self.info, self.info.time_base
        begin = float(info.origin) + self.start
        target = begin if after is None else float(after.pts * base)
        seek = None if margin is None else target - margin
        if seek is not None and seek <= float(info.begin):
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
            if pts * base < begin:
                continue
            time = float(pts * base - info.origin)
            if self.end is not None and time >= self.end:
                return
            end = timestamps.end(frame)
            self.defects.last_time = float(end * base - info.origin)
            if number % self.every == 0:
                yield DecodedFrame(frame, number // self.every, pts, end, time)
            number += 1

    def _skip_to(
        self,
        point: ResumePoint,
        frames: Iterator[av.VideoFrame],
        timestamps: IncreasingTimestamps,
        begin: float,
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
            if pts * self.info.time_base >= begin or after_seek:
                number += 1
            if pts == point.pts if after_seek else number == expected:
                if pts == point.pts and image_checksum(to_bgr(frame)) == point.checksum:
                    return expected
                break
            if pts > point.pts:
                break
        raise _PositionNotFound

    def _decode(self, seek: float | None) -> Iterator[av.VideoFrame]:
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
            started = seek is None and info.origin == 0
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
                    yield from _decode_packet(stream, None, defects)
                    return
                for frame in _decode_packet(stream, packet, defects if started else None):
                    started = True
                    yield frame
            defects.truncated = is_truncated(info.path)


def _decode_packet(
    stream: av.VideoStream, packet: "av.Packet[Any] | None", defects: InputDefects | None
) -> list[av.VideoFrame]:
    """Return the frames that a packet completes, and count damage where `defects` is given."""
    if packet is not None and packet.is_corrupt and defects is not None:
        defects.damaged += 1
    try:
        return list(stream.codec_context.decode(packet))
    except av.error.FFmpegError:
        if defects is not None:
            defects.damaged += 1
        return []
