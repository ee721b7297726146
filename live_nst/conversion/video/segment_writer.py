"""Encode frames into segments, each with a new encoder, so that they are independent."""

from dataclasses import dataclass

import av

from live_nst.conversion.video.encoding import EncoderSettings
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
    """A stylized frame, ready to be encoded.

    Attributes:
        av_frame: FFmpeg's frame, in the encoder's pixel format.
        index: Its number in the output, from 0.
        pts: When it is shown, in ticks.
        end: When it ends if no frame follows, in ticks.
        checksum: At the end of a segment, `image_checksum` of the frame as it was read; else 0.
        state: At the end of a segment, the stylizer's state after it; else empty.
    """

    av_frame: av.VideoFrame
    index: int
    pts: int
    end: int
    checksum: int
    state: StylizerState


class SegmentEncoder:
    """Encodes the frames of one segment.

    Args:
        settings: The encoder's settings.
        number: The segment's position in the output.
        first: When its first frame is shown, in ticks.

    Attributes:
        frames: Number of frames that were given to the encoder.
        size: Size of the packets that it returned, in bytes.
    """

    def __init__(self, settings: EncoderSettings, number: int, first: int) -> None:
        self._number = number
        self._first = first
        self._context = settings.open()
        self._time_base = settings.time_base
        self._packets: list[StoredPacket] = []
        self._payload: list[bytes] = []
        self.frames = 0
        self.size = 0

    def write(self, av_frame: av.VideoFrame, pts: int) -> None:
        """Encode one frame that is shown at `pts` ticks.

        Raises:
            ConversionError: The encoder failed.
        """
        av_frame.pts = pts - self._first  # the encoder's input does not depend on the position
        av_frame.time_base = self._time_base
        self._encode(av_frame)
        self.frames += 1

    def flush(self) -> None:
        """Encode what the encoder still holds; call it once, after the last frame.

        Raises:
            ConversionError: The encoder failed, or did not return every frame.
        """
        self._encode(None)
        if len(self._packets) != self.frames or not self._packets[0].keyframe:
            raise ConversionError(
                f"The encoder {self._context.name} lost frames: {len(self._packets)} packets came "
                f"of {self.frames}",
                "choose another --codec",
            )

    @property
    def payload(self) -> bytes:
        """The packets so far, concatenated."""
        return b"".join(self._payload)

    def segment(self, frames: int, last: OutputFrame, ending: str | None) -> tuple[Segment, bytes]:
        """Return the segment and its packets, concatenated; call it after `flush`.

        Args:
            frames: Number of frames from the output's beginning to the segment's end.
            last: The last frame of the segment.
            ending: See `Segment`.
        """
        payload = self.payload
        segment = Segment(
            number=self._number,
            frames=frames,
            first=self._first,
            last=last.pts,
            end=last.end,
            checksum=last.checksum,
            reorder=_reorder_depth([packet.pts for packet in self._packets]),
            extradata=bytes(self._context.extradata or b"").hex(),
            digest=digest_of(payload),
            ending=ending,
            stateful=bool(last.state),
            packets=tuple(self._packets),
        )
        return segment, payload

    def _encode(self, av_frame: av.VideoFrame | None) -> None:
        try:
            packets = self._context.encode(av_frame)
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
    """Encodes the frames of an output, and stores them in segments of equal length.

    Args:
        store: Where the segments are stored.
        settings: The encoder's settings.
    """

    def __init__(self, store: SegmentStore, settings: EncoderSettings) -> None:
        self._store = store
        self._settings = settings
        self._encoder: SegmentEncoder | None = None
        self._stored_frames = store.segments[-1].frames if store.segments else 0
        self._stored_bytes = sum(segment.size for segment in store.segments)
        self._last: OutputFrame | None = None

    @property
    def frames(self) -> int:
        """Number of frames that were written, in earlier runs too."""
        return self._stored_frames + (self._encoder.frames if self._encoder else 0)

    @property
    def bytes(self) -> int:
        """Size of the packets that were encoded, in earlier runs too."""
        return self._stored_bytes + (self._encoder.size if self._encoder else 0)

    def write(self, frame: OutputFrame) -> None:
        """Encode a frame, and store the segment if it is full.

        Raises:
            ConversionError: The encoder failed.
            SinkError: A segment cannot be written; those before it remain.
        """
        if self._encoder is None:
            self._encoder = SegmentEncoder(self._settings, len(self._store.segments), frame.pts)
        self._encoder.write(frame.av_frame, frame.pts)
        self._last = frame
        if self._encoder.frames == self._settings.segment_frames:
            self.finish(None)

    def finish(self, ending: str | None) -> None:
        """Store the current segment, if there is one.

        Args:
            ending: See `Segment`.
        """
        if self._encoder is None or self._last is None:
            return
        self._encoder.flush()
        segment, payload = self._encoder.segment(self.frames, self._last, ending)
        self._store.add(segment, payload, self._last.state)
        self._encoder = None
        self._stored_frames = segment.frames
        self._stored_bytes += segment.size


def _reorder_depth(pts: list[int]) -> int:
    """Return by how many positions a packet comes later than in the order of pts, at most."""
    rank = {value: position for position, value in enumerate(sorted(pts))}
    return max((position - rank[value] for position, value in enumerate(pts)), default=0)
