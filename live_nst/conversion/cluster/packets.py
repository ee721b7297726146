"""The compressed frames of a chunk as they are sent to a worker, and the decoder they need.

No container is sent: its muxers change times and drop properties. What a decoder must be told is
copied from the input's stream instead, and packets keep their times and bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import av
import av.error

from live_nst.conversion.video.probe import VideoInfo
from live_nst.conversion.video.reader import DecodedFrame, image_checksum
from live_nst.conversion.video.timestamps import IncreasingTimestamps
from live_nst.files.packets import packet_of
from live_nst.types import Size
from live_nst.video.color import ToBgr
from live_nst.video.hdr_colors import peak_of


class ChunkMismatch(Exception):
    """A chunk does not decode from its key frame as it does from the film's beginning."""


@dataclass(frozen=True, slots=True)
class SentPacket:
    """One compressed frame. Times and duration are in ticks; None if the file does not say."""

    data: bytes
    pts: int | None
    dts: int | None
    duration: int | None
    is_keyframe: bool

    def to_av(self, time_base: Any) -> "av.Packet[Any]":
        """Return FFmpeg's form of it."""
        packet = packet_of(self.data)
        packet.time_base = time_base
        packet.pts, packet.dts, packet.duration = self.pts, self.dts, self.duration
        packet.is_keyframe = self.is_keyframe
        return packet


@dataclass(frozen=True)
class DecoderSetup:
    """What a decoder must be told before its first packet.

    Attributes:
        codec: FFmpeg's name of the decoder.
        extradata: The stream's header.
        tag: The container's name of the codec.
        size: (width, height) in pixels.
        pixels: FFmpeg's name of the pixel format.
        bits: Bits of a coded sample.
        reorder: By how many frames the order of display differs from that of decoding, at most.
        field_order: How fields are interlaced.
        color: Matrix, range, primaries and transfer function that the container gives.
        peak: `peak_of` the film's first frame, in cd/m2.
    """

    codec: str
    extradata: bytes | None
    tag: str
    size: Size
    pixels: str | None
    bits: int
    reorder: int
    field_order: int
    color: tuple[int, int, int, int]
    peak: float

    @classmethod
    def of(cls, stream: av.VideoStream, peak: float) -> "DecoderSetup":
        """Return the setup for a stream of an open file."""
        context = stream.codec_context
        return cls(
            codec=context.name,
            extradata=context.extradata,
            tag=context.codec_tag,
            size=(context.width, context.height),
            pixels=context.pix_fmt,
            bits=context.bits_per_coded_sample,
            reorder=context.reorder_depth,
            field_order=context.field_order,
            color=(
                context.colorspace,
                context.color_range,
                context.color_primaries,
                context.color_trc,
            ),
            peak=peak,
        )

    def open(self) -> av.VideoCodecContext:
        """Return a new decoder."""
        context = av.VideoCodecContext.create(self.codec, "r")
        assert isinstance(context, av.VideoCodecContext)
        if self.extradata is not None:
            context.extradata = self.extradata
        context.codec_tag = self.tag
        context.width, context.height = self.size
        if self.pixels is not None:
            context.pix_fmt = self.pixels
        context.bits_per_coded_sample = self.bits
        context.reorder_depth = self.reorder
        context.field_order = self.field_order
        context.colorspace, context.color_range = self.color[:2]
        context.color_primaries, context.color_trc = self.color[2:]
        context.thread_type = "SLICE"  # as `FrameReader`
        return context


@dataclass(frozen=True)
class Chunk:
    """A part of a film that is painted by itself.

    Attributes:
        number: Its position, from 0.
        first: The number of its first frame in the output.
        warm_up: How many frames before it the stylizer sees.
        frames: When each frame is shown, in ticks, from the first one of the warm-up to the last
            one of the chunk; and whether it is kept.
        packets: From the key frame before the warm-up to all that its frames need.
        is_end: Whether it is shorter than the others, as the film ends.
    """

    number: int
    first: int
    warm_up: int
    frames: tuple[tuple[int, bool], ...]
    packets: tuple[SentPacket, ...]
    is_end: bool

    @property
    def length(self) -> int:
        """Number of its frames, without the warm-up."""
        return sum(kept for _, kept in self.frames) - self.warm_up

    @property
    def size(self) -> int:
        """Size of its packets in bytes."""
        return sum(len(packet.data) for packet in self.packets)


class ChunkReader:
    """Decodes a chunk.

    Args:
        chunk: The chunk.
        setup: The decoder.
        info: The film.

    Attributes:
        before: `image_checksum` of the last frame of the warm-up, None if there is none.
        resized: Whether a frame has another size than the film's first one.
    """

    def __init__(self, chunk: Chunk, setup: DecoderSetup, info: VideoInfo) -> None:
        self._chunk, self._setup, self._info = chunk, setup, info
        self.before: int | None = None
        self.resized = False

    def frames(self) -> Iterator[DecodedFrame]:
        """Yield the frames of the warm-up and of the chunk, in order.

        Raises:
            ChunkMismatch: They are not the frames that the head expects.
        """
        chunk, info = self._chunk, self._info
        to_bgr = ToBgr(info.size, info.orientation)
        timestamps = IncreasingTimestamps(info)
        expected = iter(chunk.frames)
        pts, kept = next(expected)
        index = chunk.first - chunk.warm_up
        for frame in self._decode():
            shown = timestamps.next(frame)
            if shown < pts:
                timestamps.irregular = False  # a decoder may not know the time of its first frame
                continue
            if shown != pts or timestamps.irregular or frame.is_corrupt:
                raise ChunkMismatch(f"a frame is shown at {shown} and not at {pts}")
            if kept:
                if (frame.width, frame.height) != info.stored:
                    self.resized = True
                if index == chunk.first - 1:
                    self.before = image_checksum(to_bgr(frame))
                if peak_of(frame) != self._setup.peak:
                    raise ChunkMismatch("its brightness is not stored with the frames")
                time = float(pts * info.time_base - info.first)
                yield DecodedFrame(frame, index, pts, timestamps.end(frame), time)
                index += 1
            try:
                pts, kept = next(expected)
            except StopIteration:
                return
        raise ChunkMismatch(f"there is no frame at {pts}")

    def _decode(self) -> Iterator[av.VideoFrame]:
        decoder = self._setup.open()
        packets: Iterable[av.Packet[Any] | None] = (
            packet.to_av(self._info.time_base) for packet in self._chunk.packets
        )
        try:
            for packet in packets:
                yield from decoder.decode(packet)
            yield from decoder.decode(None)
        except av.error.FFmpegError as exc:
            raise ChunkMismatch(str(exc)) from exc
