"""Frames in, segments out: each segment by an encoder of its own, always in the same way."""

from dataclasses import dataclass

import av

from live_nst.conversion.video.codecs import EncoderSettings
from live_nst.conversion.video.segments import (
    Segment,
    SegmentStore,
    StoredPacket,
    StylizerState,
    digest_of,
)
from live_nst.errors import ConversionError


@dataclass(frozen=True, slots=True)
class OutputFrame:
    """A painted frame on its way to the encoder.

    Attributes:
        picture: In the encoder's pixel format.
        index: Its number in the output, from 0.
        pts: Ticks at which it is shown.
        end: Ticks at which it ends, should it be the last one.
        checksum: `picture_checksum` of the frame as it was read; 0 but where a segment ends.
        state: What the stylizer keeps after it; empty but where a segment ends.
    """

    picture: av.VideoFrame
    index: int
    pts: int
    end: int
    checksum: int
    state: StylizerState


class SegmentEncoder:
    """Collects the packets of one segment.

    Args:
        encoding: What the encoder is told.
        number: The segment's place in the output.
        first: Ticks of its first frame.
    """

    def __init__(self, encoding: EncoderSettings, number: int, first: int) -> None:
        self._number = number
        self._first = first
        self._context = encoding.open()
        self._time_base = encoding.time_base
        self._packets: list[StoredPacket] = []
        self._payload: list[bytes] = []
        self.frames = 0
        self.size = 0

    def write(self, frame: av.VideoFrame, pts: int) -> None:
        """Encode one frame that is shown at `pts` ticks."""
        frame.pts = pts - self._first  # so that every segment is encoded alike
        frame.time_base = self._time_base
        self._take(frame)
        self.frames += 1

    def finish(
        self,
        frames: int,
        last: int,
        end: int,
        checksum: int,
        ending: str | None,
        stateful: bool,
    ) -> tuple[Segment, bytes]:
        """Encode what is left.

        Args:
            frames: How many frames the output has up to here.
            last: Ticks of the last frame.
            end: Ticks at which it ends.
            checksum: Of that frame, as it was read.
            ending: See `Segment`.
            stateful: See `Segment`.

        Returns:
            The segment and its packets.

        Raises:
            ConversionError: The encoder did not give back every frame.
        """
        self._take(None)
        if len(self._packets) != self.frames or not self._packets[0].keyframe:
            raise ConversionError(
                f"The encoder {self._context.name} lost frames: {len(self._packets)} packets came "
                f"of {self.frames}",
                "choose another --codec",
            )
        payload = b"".join(self._payload)
        segment = Segment(
            number=self._number,
            frames=frames,
            first=self._first,
            last=last,
            end=end,
            checksum=checksum,
            reorder=_reorder([packet.pts for packet in self._packets]),
            extradata=bytes(self._context.extradata or b"").hex(),
            digest=digest_of(payload),
            ending=ending,
            stateful=stateful,
            packets=tuple(self._packets),
        )
        return segment, payload

    def _take(self, frame: av.VideoFrame | None) -> None:
        try:
            packets = self._context.encode(frame)
        except av.FFmpegError as exc:
            raise ConversionError(
                f"The encoder {self._context.name} failed: {(exc.strerror or str(exc)).lower()}",
                "choose another --codec",
            ) from exc
        for packet in packets:
            data = bytes(packet)
            self._payload.append(data)
            self.size += len(data)
            assert packet.pts is not None
            self._packets.append(StoredPacket(packet.pts, packet.is_keyframe, len(data)))


class SegmentWriter:
    """Writes painted frames into segments of a fixed number of frames.

    Args:
        store: Where the segments go.
        encoding: How they are encoded.
    """

    def __init__(self, store: SegmentStore, encoding: EncoderSettings) -> None:
        self._store = store
        self._encoding = encoding
        self._encoder: SegmentEncoder | None = None
        self._finished = store.segments[-1].frames if store.segments else 0
        self._bytes = sum(segment.size for segment in store.segments)
        self._last: OutputFrame | None = None

    @property
    def frames(self) -> int:
        """Frames that were written, in earlier runs too."""
        return self._finished + (self._encoder.frames if self._encoder else 0)

    @property
    def bytes(self) -> int:
        """Bytes that they take, as far as they are encoded."""
        return self._bytes + (self._encoder.size if self._encoder else 0)

    def write(self, frame: "OutputFrame") -> None:
        """Encode a frame; a segment that is full is finished.

        Raises:
            ConversionError: The encoder failed.
            SinkError: A segment cannot be written; those before stay.
        """
        if self._encoder is None:
            self._encoder = SegmentEncoder(self._encoding, len(self._store.segments), frame.pts)
        self._encoder.write(frame.picture, frame.pts)
        self._last = frame
        if self._encoder.frames == self._encoding.segment_frames:
            self.finish(None)

    def finish(self, ending: str | None) -> None:
        """Finish the segment that was begun, if there is one.

        Args:
            ending: See `Segment`.
        """
        if self._encoder is None or self._last is None:
            return
        last = self._last
        segment, payload = self._encoder.finish(
            self.frames, last.pts, last.end, last.checksum, ending, bool(last.state)
        )
        self._store.add(segment, payload, last.state)
        self._finished, self._encoder = segment.frames, None
        self._bytes += segment.size


def _reorder(pts: list[int]) -> int:
    """By how many places a packet comes after its turn, at most."""
    rank = {value: place for place, value in enumerate(sorted(pts))}
    return max((place - rank[value] for place, value in enumerate(pts)), default=0)
