"""Store the finished segments of an output beside it until they are joined.

    .film.mp4.live-nst/
        lock              held while a process works here
        settings.json     what determines the output; with other settings all segments are discarded
        000000.packets    the encoded frames of a segment, packet after packet
        000000.json       their properties and a checksum; written last: without it the segment
                          does not exist
        000000.npz        the stylizer's state after the segment

Every file is written atomically and synced to disk, so each is complete or absent after a crash.
"""

import hashlib
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.files.atomic import write_bytes
from live_nst.files.lock import FileLock
from live_nst.files.names import sibling
from live_nst.files.output import write_errors

STORE_VERSION = 2
"""The format of the files in a store. Other formats are not read."""

StylizerState = Mapping[str, NDArray[Any]]
"""What a stylizer keeps from one frame to the next, by name; see `StylizerCore.state_arrays`."""

_SETTINGS = "settings.json"
_LOCK = "lock"
_STATES = 2  # so many segments from the end have their state stored


@dataclass(frozen=True)
class SegmentSettings:
    """How the segments of an output were made.

    Attributes:
        settings: What determines the output, in plain values.
        threads: Number of the encoder's threads, on which its output depends.
    """

    settings: Mapping[str, Any]
    threads: int


@dataclass(frozen=True, slots=True)
class StoredPacket:
    """One encoded frame.

    Attributes:
        pts: When it is shown, in ticks since the segment's first frame.
        keyframe: Whether decoding can begin here.
        size: Size in bytes.
    """

    pts: int
    keyframe: bool
    size: int


@dataclass(frozen=True)
class Segment:
    """Consecutive frames that are encoded independently of all others.

    Attributes:
        number: Its position in the output, from 0.
        frames: Number of frames from the output's beginning to the segment's end.
        first: When its first frame is shown, in ticks of the input's clock.
        last: When its last frame is shown.
        end: When its last frame ends.
        checksum: `image_checksum` of the last frame as it was read; 0 at the end of the video.
        reorder: By how many positions a packet comes later than in the order of display, at most.
        extradata: The encoder's global header, in hexadecimal digits.
        digest: SHA-256 of the packets.
        ending: None if the video continues; else what is wrong with the input, or "".
        stateful: Whether the stylizer has a state after it.
        packets: Its packets in the order of decoding.
    """

    number: int
    frames: int
    first: int
    last: int
    end: int
    checksum: int
    reorder: int
    extradata: str
    digest: str
    ending: str | None
    stateful: bool
    packets: tuple[StoredPacket, ...]

    @property
    def size(self) -> int:
        """Size of its packets in bytes."""
        return sum(packet.size for packet in self.packets)


def work_folder(output: Path) -> Path:
    """Return the folder in which the segments of an output are stored."""
    return sibling(output, prefix=".", suffix=".live-nst")


def output_errors(output: Path) -> AbstractContextManager[None]:
    """Translate errors of writing an output; the next run continues where this one stopped."""
    return write_errors(output, retry="run the same command again: it continues where it stopped")


class SegmentStore:
    """The folder with the segments of one output, locked for this process.

    Args:
        output: The file that the segments will be joined to.

    Attributes:
        output: The same.
        folder: The folder.
        segments: The finished segments from the beginning on.
        ahead: Finished segments behind one that is missing, by their numbers.

    Raises:
        ConversionError: Another process works on that output.
        SinkError: The folder cannot be created.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = work_folder(output)
        self.segments: list[Segment] = []
        self.ahead: dict[int, Segment] = {}
        with output_errors(output):
            self.folder.mkdir(exist_ok=True)
            self._lock = FileLock(self.folder / _LOCK, output)

    @property
    def frames(self) -> int:
        """Number of frames in all finished segments."""
        before = self.segments[-1].frames if self.segments else 0
        return before + sum(len(segment.packets) for segment in self.ahead.values())

    def read_settings(self) -> SegmentSettings | None:
        """Return how the stored segments were made; None if there are none that can be used."""
        try:
            stored = json.loads((self.folder / _SETTINGS).read_bytes())
            if stored.pop("format") == STORE_VERSION and self._has_segments():
                return SegmentSettings(**stored)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            pass
        return None

    def is_outdated(self) -> bool:
        """Return whether there are segments in a format that is not read."""
        try:
            stored = json.loads((self.folder / _SETTINGS).read_bytes())
            return bool(stored["format"] != STORE_VERSION) and self._has_segments()
        except (OSError, ValueError, TypeError, KeyError):
            return False

    def reset(self, settings: SegmentSettings) -> None:
        """Discard all segments, and store the settings of those to come."""
        self.segments, self.ahead = [], {}
        with output_errors(self.output):
            for path in self.folder.iterdir():
                if path.name != _LOCK:
                    path.unlink(missing_ok=True)
        text = json.dumps({"format": STORE_VERSION, **asdict(settings)}, indent=1)
        self._write(_SETTINGS, text.encode())

    def load(self, *, ahead: bool = False) -> StylizerState:
        """Load the stored segments into `segments`, up to the first that is missing or damaged.

        The files of all later segments are removed. So are segments at the end whose state is
        missing, because the next one could not be made without it.

        Args:
            ahead: Load later segments into `ahead` instead, where they are intact.

        Returns:
            The stylizer's state after the last segment.
        """
        segments: list[Segment] = []
        while (segment := self._read(len(segments))) is not None:
            segments.append(segment)
        state: StylizerState = {}
        while segments and segments[-1].stateful and segments[-1].ending is None:
            found = self._read_state(segments[-1].number)
            if found is not None:
                state = found
                break
            segments.pop()
        later = {
            int(path.stem)
            for path in self.folder.glob("*.json")
            if ahead and path.stem.isdigit() and int(path.stem) > len(segments)
        }
        read = {number: self._read(number) for number in later}
        self.ahead = {number: segment for number, segment in read.items() if segment is not None}
        for path in self.folder.iterdir():
            number = int(path.stem) if path.stem.isdigit() else -1
            outdated = number >= len(segments) and number not in self.ahead
            if outdated or path.suffix == ".part":  # a killed process leaves a temporary file
                path.unlink(missing_ok=True)
        self.segments = segments
        return state

    def add(self, segment: Segment, payload: bytes, state: StylizerState) -> None:
        """Store a segment.

        Args:
            segment: The segment that follows the last one, or a later one that needs no state.
            payload: Its packets, concatenated.
            state: The stylizer's state after it.

        Raises:
            SinkError: It cannot be written; the segments before it remain.
        """
        name = f"{segment.number:06}"
        self._write(f"{name}.packets", payload)
        if state:
            buffer = io.BytesIO()
            np.savez(buffer, **dict(state))  # type: ignore[arg-type]
            self._write(f"{name}.npz", buffer.getvalue())
        described = asdict(segment) | {
            "packets": [[packet.pts, packet.keyframe, packet.size] for packet in segment.packets]
        }
        self._write(f"{name}.json", json.dumps(described).encode())
        self.ahead[segment.number] = segment
        while len(self.segments) in self.ahead:
            self.segments.append(self.ahead.pop(len(self.segments)))
        outdated = self.folder / f"{segment.number - _STATES:06}.npz"
        outdated.unlink(missing_ok=True)

    def payload(self, segment: Segment) -> bytes:
        """Return the packets of a segment, concatenated.

        Raises:
            SinkError: They cannot be read any more.
        """
        with output_errors(self.output):
            return (self.folder / f"{segment.number:06}.packets").read_bytes()

    def close(self, *, remove: bool = False) -> None:
        """Unlock the folder; remove it if asked to, or if it contains no segments."""
        if remove or not (self.segments or self._has_segments()):
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def _has_segments(self) -> bool:
        return any(path.stem.isdigit() for path in self.folder.glob("*.json"))

    def _write(self, name: str, data: bytes) -> None:
        with output_errors(self.output):
            write_bytes(self.folder / name, data)

    def _read(self, number: int) -> Segment | None:
        """Return a segment, or None if it is missing or damaged."""
        name = self.folder / f"{number:06}"
        try:
            stored = json.loads(name.with_suffix(".json").read_bytes())
            stored["packets"] = tuple(StoredPacket(*packet) for packet in stored["packets"])
            segment = Segment(**stored)
            payload = name.with_suffix(".packets").read_bytes()
        except (OSError, ValueError, TypeError, KeyError):
            return None
        intact = segment.number == number and digest_of(payload) == segment.digest
        return segment if intact and segment.size == len(payload) else None

    def _read_state(self, number: int) -> StylizerState | None:
        try:
            with np.load(self.folder / f"{number:06}.npz", allow_pickle=False) as arrays:
                return dict(arrays)
        except (OSError, ValueError, KeyError, EOFError):
            return None


@contextmanager
def segment_store(output: Path) -> Iterator[SegmentStore]:
    """Open a store, and close it at the end of the `with` block."""
    store = SegmentStore(output)
    try:
        yield store
    finally:
        store.close()


def digest_of(payload: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(payload).hexdigest()
