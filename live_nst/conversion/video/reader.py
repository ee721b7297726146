"""Every frame of an input, once and in order, from any place."""

import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import av
import av.error
import numpy as np

from live_nst.conversion.video.color import ToBgr
from live_nst.conversion.video.probe import VideoInfo, open_video
from live_nst.conversion.video.truncation import is_truncated
from live_nst.errors import SourceError
from live_nst.types import Image

_MARGINS = (4.0, 20.0)
"""Seconds before the place wanted from which decoding is tried; then from the beginning."""


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A decoded frame.

    Attributes:
        picture: FFmpeg's frame, as it is stored.
        index: Its number among those that are kept, from 0.
        pts: When it is shown, in ticks; later than every frame before.
        end: When it ends, as far as the file tells, in ticks.
        time: Seconds into the input, by which styles change.
    """

    picture: av.VideoFrame
    index: int
    pts: int
    end: int
    time: float


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A place between two frames, to which a reader returns exactly.

    Attributes:
        frames: How many frames were kept before it.
        pts: Ticks of the last of them.
        checksum: `picture_checksum` of that one.
    """

    frames: int
    pts: int
    checksum: int


@dataclass
class InputDefects:
    """What a reader found wrong; complete when its frames are at their end.

    Attributes:
        damaged: Places that could not be decoded.
        broken_off: Whether the file ended before its end.
        irregular: Whether timestamps were missing or went back; they were put in order.
        last_time: Seconds at which the last frame ends.
    """

    damaged: int = 0
    broken_off: bool = False
    irregular: bool = False
    last_time: float = 0.0

    @property
    def sentence(self) -> str:
        """What is wrong with the input; empty if nothing is."""
        if self.broken_off:
            return f"is cut off or damaged after {self.last_time:.1f} s"
        if self.damaged:
            places = "1 place" if self.damaged == 1 else f"{self.damaged} places"
            return f"is damaged in {places}"
        return ""


def image_checksum(image: Image) -> int:
    """A number that tells a picture from others."""
    return zlib.crc32(np.ascontiguousarray(image).data)


def no_frames_error(info: VideoInfo) -> SourceError:
    """What is wrong with a span of a video in which nothing is shown."""
    return SourceError(
        f"{info.path.name} has no frame between --start and --end", "choose other times"
    )


class _NotThere(Exception):
    """The place that was looked for did not come by."""


@dataclass
class FrameReader:
    """Reads the frames of a video from `start` to `end`, one in `every`.

    Args:
        info: The video.
        start: Seconds of the input before which frames are left out.
        end: Seconds from which on they are; None for none.
        every: Keep one frame in so many.

    Attributes:
        findings: What was found wrong.
    """

    info: VideoInfo
    start: float = 0.0
    end: float | None = None
    every: int = 1
    findings: InputDefects = field(default_factory=InputDefects)

    def frames(self, position: ResumePoint | None = None) -> Iterator[DecodedFrame]:
        """The frames from the beginning, or those after `position`.

        Raises:
            SourceError: The file cannot be read any more, or `position` is not found in it.
        """
        margins = [] if self.start == 0 and position is None else list(_MARGINS)
        for margin in (*margins, None):
            self.findings = InputDefects()
            try:
                yield from self._run(margin, position)
            except _NotThere:
                continue
            return
        raise SourceError(
            f"{self.info.path.name} does not decode as it did before",
            "start anew with --restart",
        )

    def _run(self, margin: float | None, position: ResumePoint | None) -> Iterator[DecodedFrame]:
        """One attempt: from `margin` seconds before the place, or from the beginning.

        Raises:
            _NotThere: Decoding did not begin early enough. Nothing was given yet.
        """
        info, base = self.info, self.info.time_base
        begin = float(info.origin) + self.start
        target = begin if position is None else float(position.pts * base)
        seek = None if margin is None else target - margin
        if seek is not None and seek <= float(info.begin):
            raise _NotThere
        order = _Order(info)
        decoded = self._decoded(seek)
        first = next(decoded, None)
        if seek is not None and (first is None or (first.pts or 0) * base > target):
            raise _NotThere
        # Not a generator around `decoded`: one that is left early would close it.
        coming = itertools.chain([] if first is None else [first], decoded)
        number = 0  # among the frames of the range
        if position is not None:
            number = self._find(coming, order, position, begin, seek is not None)
        for frame in coming:
            pts = order.place(frame)
            self.findings.irregular |= order.irregular
            if pts * base < begin:
                continue
            time = float(pts * base - info.origin)
            if self.end is not None and time >= self.end:
                return
            self.findings.last_time = float(order.end(frame) * base - info.origin)
            if number % self.every == 0:
                yield DecodedFrame(frame, number // self.every, pts, order.end(frame), time)
            number += 1

    def _find(
        self,
        coming: Iterator[av.VideoFrame],
        order: "_Order",
        position: ResumePoint,
        begin: float,
        sought: bool,
    ) -> int:
        """Go to `position`; the number of frames of the range before it.

        After a jump the frame must be the very one, by its time and its pixels: what a decoder
        gives after a jump into the middle may be damaged, or lie elsewhere.
        """
        to_bgr = ToBgr(self.info.size, self.info.rotation)
        number = 0
        for frame in coming:
            pts = order.place(frame)
            if pts * self.info.time_base >= begin or sought:
                number += 1
            there = (
                pts == position.pts if sought else number == 1 + (position.frames - 1) * self.every
            )
            if there:
                if pts == position.pts and image_checksum(to_bgr(frame)) == position.checksum:
                    return 1 + (position.frames - 1) * self.every
                break
            if pts > position.pts:
                break
        raise _NotThere

    def _decoded(self, seek: float | None) -> Iterator[av.VideoFrame]:
        """Frames as they come out of the decoder, all of them or from near `seek` seconds on."""
        info, findings = self.info, self.findings
        with open_video(info.path) as container:
            stream = container.streams[info.index]
            assert isinstance(stream, av.VideoStream)
            # Threads that each decode a frame of their own lose damaged frames without a word. The
            # cores have enough to do with the other stages.
            stream.thread_type = "SLICE"
            if seek is not None:
                try:
                    container.seek(int(seek / info.time_base), stream=stream)
                except av.error.FFmpegError as exc:
                    raise _NotThere from exc
            # A broadcast begins anywhere, and so does what follows a jump: that need not decode.
            begun = seek is None and info.origin == 0
            packets = container.demux()
            while True:
                try:
                    packet = next(packets)
                    if packet.stream.index != info.index:  # of the empty last one, too
                        continue
                except StopIteration:
                    break
                except av.error.FFmpegError:
                    findings.broken_off = True
                    for frame in _decode(stream, None, findings):
                        yield frame
                    return
                for frame in _decode(stream, packet, findings if begun else None):
                    begun = True
                    yield frame
            findings.broken_off = is_truncated(info.path)


class _Order:
    """Timestamps that grow: what a file leaves out or mixes up is put in order."""

    def __init__(self, info: VideoInfo) -> None:
        self._step = max(1, round(1 / (info.rate * info.time_base)))
        self._last: int | None = None
        self.irregular = False

    def place(self, frame: av.VideoFrame) -> int:
        """The ticks at which `frame` is shown, later than those of the one before."""
        pts = frame.pts
        if pts is None:
            pts = 0 if self._last is None else self._last + self._step
            self.irregular = True
        if self._last is not None and pts <= self._last:
            pts = self._last + 1
            self.irregular = True
        self._last = pts
        return pts

    def end(self, frame: av.VideoFrame) -> int:
        """The ticks at which the frame placed last ends."""
        assert self._last is not None
        return self._last + (frame.duration or self._step)


def _decode(
    stream: av.VideoStream, packet: "av.Packet[Any] | None", findings: InputDefects | None
) -> list[av.VideoFrame]:
    """The frames that a packet completes; one that is damaged is counted."""
    if packet is not None and packet.is_corrupt and findings is not None:
        findings.damaged += 1
    try:
        return list(stream.codec_context.decode(packet))
    except av.error.FFmpegError:
        if findings is not None:
            findings.damaged += 1
        return []
