"""Cut a film into chunks: read all its packets in order, without decoding one.

A frame is known by the time of its packet. At most 16 frames come earlier in the file and are shown
later than another one, so of 17 packets the first to be shown is certain. What does not fit this is
not spread: a worker compares the frames that it decodes with these times.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import av
import av.error

from live_nst.conversion.cluster.packets import (
    Chunk,
    DecoderSetup,
    SentPacket,
)
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.video.input_file import open_video
from live_nst.conversion.video.painter import CannotSpread
from live_nst.conversion.video.probe import VideoInfo
from live_nst.conversion.video.reader import FrameReader, output_limits
from live_nst.conversion.video.truncation import is_truncated
from live_nst.errors import SourceError
from live_nst.video.hdr_colors import peak_of

_MAX_REORDERED = 16  # frames: the largest number in H.264 and H.265; older codecs have 2


def decoder_setup(info: VideoInfo) -> DecoderSetup:
    """Return what the decoder of a film must be told. The first frame is decoded for it.

    Raises:
        SourceError: The film cannot be read any more.
    """
    first = next(FrameReader(info).frames(), None)
    if first is None:
        raise SourceError(f"{info.path.name} does not decode as before", "check the file")
    with open_video(info.path) as container:
        stream = container.streams[info.index]
        assert isinstance(stream, av.VideoStream)
        return DecoderSetup.of(stream, peak_of(first.av_frame))


@dataclass
class _Sent:
    """A packet in the order of decoding, with its time by which frames are ordered."""

    packet: SentPacket
    key: int


@dataclass
class ChunkCutter:
    """Cuts a film into chunks.

    Args:
        info: The film.
        options: Which frames are painted, and how many make a chunk.
        warm_up: How many frames the stylizer sees before each chunk.
        wanted: Returns whether the chunk with that number is needed.
    """

    info: VideoInfo
    options: ConvertOptions
    warm_up: int
    wanted: Callable[[int], bool] = lambda number: True
    _buffer: deque[_Sent] = field(default_factory=deque)
    _shown: deque[tuple[int, bool, int]] = field(default_factory=deque)
    _frames: int = 0
    _kept: int = 0
    _last: int | None = None

    def __post_init__(self) -> None:
        assert self.options.chunk is not None
        self._length = self.options.chunk
        self._begin, self._until = output_limits(self.info, self.options.start, self.options.end)
        self._first = round(self.info.first / self.info.time_base)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the chunks that are wanted, in order.

        Raises:
            CannotSpread: What follows must be read from the beginning, and by one reader.
        """
        pending: list[tuple[int, bool]] = []  # (key, whether it is shown), a heap
        ended = False
        for sent, is_discarded in self._packets():
            self._buffer.append(sent)
            if sent.key >= self._first:
                heapq.heappush(pending, (sent.key, not is_discarded))
            if len(pending) > _MAX_REORDERED:
                ended = not self._show(*heapq.heappop(pending))
                if ended:
                    break
                yield from self._complete()
        while pending and not ended:
            ended = not self._show(*heapq.heappop(pending))
            if not ended:
                yield from self._complete()
        if not ended and is_truncated(self.info.path):
            raise CannotSpread(f"{self.info.path.name} is cut off")
        if self._kept % self._length:
            number = self._kept // self._length
            if self.wanted(number):
                yield self._chunk(number, is_end=True)

    def _packets(self) -> Iterator[tuple[_Sent, bool]]:
        """Yield the packets of the video, and whether the file says that they are not shown."""
        info, name = self.info, self.info.path.name
        correct = info.clock.corrector() if info.clock is not None else None
        try:
            with open_video(info.path) as container:
                stream = container.streams[info.index]
                header = stream.codec_context.extradata
                for packet in container.demux(stream):
                    if not packet.size:
                        continue
                    if correct is not None:
                        correct(packet)
                    if packet.is_corrupt:
                        raise CannotSpread(f"{name} may be damaged from here on")
                    if _changes_decoder(packet, header):
                        raise CannotSpread(f"the properties of {name} change from here on")
                    key = packet.dts if info.decoding_order else packet.pts
                    if key is None:
                        raise CannotSpread(f"{name} does not say when its frames are shown")
                    yield _Sent(_sent(packet), key), packet.is_discard
        except av.error.FFmpegError as exc:
            raise CannotSpread(f"{name} is damaged from here on") from exc

    def _show(self, key: int, shown: bool) -> bool:
        """Take note of the next frame in the order of display; return False after the last one."""
        base = self.info.time_base
        if self._last is not None and key <= self._last:
            raise CannotSpread(f"the times of {self.info.path.name} are not in order")
        self._last = key
        if self._until is not None and key * base >= self._until:
            return False
        kept = False
        if shown and (self._begin is None or key * base >= self._begin):
            kept = self._frames % self.options.every == 0
            self._frames += 1
        self._shown.append((key, kept, self._kept))
        self._kept += kept
        return True

    def _complete(self) -> Iterator[Chunk]:
        """Yield the chunk that the last frame completes, if any, and forget what is not needed."""
        complete = self._shown and self._shown[-1][1] and not self._kept % self._length
        if complete:
            number = self._kept // self._length - 1
            if self.wanted(number):
                yield self._chunk(number, is_end=False)
            self._forget(self._kept - self.warm_up)

    def _chunk(self, number: int, *, is_end: bool) -> Chunk:
        first = number * self._length
        begin = max(0, first - self.warm_up)
        frames = [(key, kept) for key, kept, index in self._shown if index >= begin]
        while not frames[0][1]:
            frames.pop(0)
        while not frames[-1][1]:
            frames.pop()
        last = frames[-1][0]
        packets = list(self._buffer)[self._run_in(frames[0][0]) :]
        while packets[-1].key > last:
            packets.pop()
        return Chunk(
            number=number,
            first=first,
            warm_up=first - begin,
            frames=tuple(frames),
            packets=tuple(sent.packet for sent in packets),
            is_end=is_end,
        )

    def _run_in(self, key: int) -> int:
        """Return the position of the last key frame that is not shown later than `key`."""
        found = 0
        for position, sent in enumerate(self._buffer):
            if sent.packet.is_keyframe and sent.key <= key:
                found = position
        return found

    def _forget(self, index: int) -> None:
        """Forget what comes before the output's frame `index` and is not needed for it."""
        while self._shown and self._shown[0][2] < index and len(self._shown) > 1:
            self._shown.popleft()
        for _ in range(self._run_in(self._shown[0][0])):
            self._buffer.popleft()


def _changes_decoder(packet: "av.Packet[Any]", header: bytes | None) -> bool:
    """Return whether a packet has properties that its decoder needs and that cannot be sent."""
    if packet.has_sidedata("palette") or packet.has_sidedata("param_change"):
        return True
    if not packet.has_sidedata("new_extradata"):
        return False
    return bytes(packet.get_sidedata("new_extradata")) != header


def _sent(packet: "av.Packet[Any]") -> SentPacket:
    return SentPacket(
        bytes(packet), packet.pts, packet.dts, packet.duration, bool(packet.is_keyframe)
    )
