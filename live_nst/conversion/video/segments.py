"""Finished pieces of an output, kept beside it until they are joined.

    .film.mp4.live-nst/
        lock              held while a process works here
        settings.json     what shapes the output; with other settings everything starts anew
        000000.packets    the encoded frames of a segment, packet after packet
        000000.json       what they are, with a checksum; written last: without it there is none
        000000.npz        what the stylizer keeps from one frame to the next, after that segment

Everything is written under another name, flushed to the disk and then renamed, so that a piece is
there as a whole or not at all.
"""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.files.lock import FileLock
from live_nst.files.output import write_errors

STORE_VERSION = 1
StylizerState = Mapping[str, NDArray[Any]]
_SETTINGS = "settings.json"
_LOCK = "lock"
_KEPT_STATES = 2


@dataclass(frozen=True)
class SegmentSettings:
    """What the segments of an output were made with.

    Attributes:
        settings: What shapes the output, in plain values; with others everything starts anew.
        threads: How many the encoder used; another number would give other pictures.
    """

    settings: Mapping[str, Any]
    threads: int


@dataclass(frozen=True, slots=True)
class StoredPacket:
    """One encoded frame.

    Attributes:
        pts: When it is shown, in ticks since the segment's first frame.
        keyframe: Whether decoding can begin here.
        size: Bytes.
    """

    pts: int
    keyframe: bool
    size: int


@dataclass(frozen=True)
class Segment:
    """Some consecutive frames, encoded on their own.

    Attributes:
        number: Its place in the output, from 0.
        frames: How many frames the output has up to its end.
        first: Ticks of its first frame, by the input's clock.
        last: Ticks of its last one.
        end: Ticks at which that one ends.
        checksum: `picture_checksum` of the last frame as it was read; 0 where the video ends.
        reorder: By how many places a packet comes after its turn, at most.
        extradata: What the encoder says ahead of all packets, in hexadecimal digits.
        digest: SHA-256 of the packets.
        ending: None if the video goes on; else what was wrong with the input, if anything.
        stateful: Whether the stylizer keeps something of the frames up to its end.
        packets: What it consists of, in the order of decoding.
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
        """Bytes of its packets."""
        return sum(packet.size for packet in self.packets)


def work_folder(output: Path) -> Path:
    """Where the segments of an output are kept."""
    return output.with_name(f".{output.name}.live-nst")


class SegmentStore:
    """The folder of segments of one output, locked for this process.

    Args:
        output: The file that will be made of them.

    Raises:
        ConversionError: Another process works on that output.
        SinkError: The folder cannot be made.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = work_folder(output)
        self.segments: list[Segment] = []
        with write_errors(output):
            self.folder.mkdir(exist_ok=True)
            self._lock = FileLock(self.folder / _LOCK, output)

    def kept(self) -> SegmentSettings | None:
        """What is kept here was made with; None if there is nothing that could be used."""
        try:
            kept = json.loads((self.folder / _SETTINGS).read_bytes())
            if kept.pop("format") == STORE_VERSION and self._has_segments():
                return SegmentSettings(**kept)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            pass
        return None

    def begin(self, kept: SegmentSettings) -> None:
        """Throw away what is here, and start with these settings."""
        self.clear()
        text = json.dumps({"format": STORE_VERSION, **asdict(kept)}, indent=1)
        self._put(_SETTINGS, text.encode())

    def load(self) -> tuple[list[Segment], StylizerState]:
        """The finished segments from the first on, each checked, and the state after the last.

        What follows a missing or damaged piece is removed, and so is what ends in a state that is
        not known any more.
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
        for path in self.folder.iterdir():
            if path.stem.isdigit() and int(path.stem) >= len(segments):
                path.unlink(missing_ok=True)
        self.segments = segments
        return segments, state

    def add(self, segment: Segment, payload: bytes, state: StylizerState) -> None:
        """Keep a segment for good.

        Raises:
            SinkError: It cannot be written; those before stay.
        """
        name = f"{segment.number:06}"
        self._put(f"{name}.packets", payload)
        if state:
            buffer = io.BytesIO()
            np.savez(buffer, **dict(state))  # type: ignore[arg-type]
            self._put(f"{name}.npz", buffer.getvalue())
        self._put(f"{name}.json", json.dumps(_as_dict(segment)).encode())
        self.segments.append(segment)
        outdated = self.folder / f"{segment.number - _KEPT_STATES:06}.npz"
        outdated.unlink(missing_ok=True)

    def payload(self, segment: Segment) -> bytes:
        """The packets of a segment, one after the other.

        Raises:
            SinkError: They cannot be read any more.
        """
        with write_errors(self.output):
            return (self.folder / f"{segment.number:06}.packets").read_bytes()

    def clear(self) -> None:
        """Remove everything but the lock."""
        self.segments = []
        with write_errors(self.output):
            for path in self.folder.iterdir():
                if path.name != _LOCK:
                    path.unlink(missing_ok=True)

    def close(self, *, remove: bool = False) -> None:
        """Unlock the folder; remove it if asked to or if nothing in it is worth keeping."""
        if remove or not (self.segments or self._has_segments()):
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def _has_segments(self) -> bool:
        return (self.folder / "000000.json").exists()

    def _put(self, name: str, data: bytes) -> None:
        """Write a file as a whole or not at all."""
        path = self.folder / name
        part = path.with_name(f"{name}.part")
        with write_errors(self.output):
            try:
                with part.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(part, path)
                sync_folder(self.folder)
            except OSError:
                part.unlink(missing_ok=True)
                raise

    def _read(self, number: int) -> Segment | None:
        """A finished segment, or None if it is missing or not as it was written."""
        name = self.folder / f"{number:06}"
        try:
            kept = json.loads(name.with_suffix(".json").read_bytes())
            kept["packets"] = tuple(StoredPacket(*packet) for packet in kept["packets"])
            segment = Segment(**kept)
            payload = name.with_suffix(".packets").read_bytes()
        except (OSError, ValueError, TypeError, KeyError):
            return None
        whole = segment.number == number and hashlib.sha256(payload).hexdigest() == segment.digest
        return segment if whole and segment.size == len(payload) else None

    def _read_state(self, number: int) -> StylizerState | None:
        try:
            with np.load(self.folder / f"{number:06}.npz", allow_pickle=False) as arrays:
                return dict(arrays)
        except (OSError, ValueError, KeyError, EOFError):
            return None


@contextmanager
def segment_store(output: Path) -> Iterator[SegmentStore]:
    """A store that is unlocked at the end, and removed if nothing in it is worth keeping."""
    store = SegmentStore(output)
    try:
        yield store
    finally:
        store.close()


def digest_of(payload: bytes) -> str:
    """SHA-256, in hexadecimal digits."""
    return hashlib.sha256(payload).hexdigest()


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk, where the system knows how."""
    if os.name == "nt":  # pragma: no cover
        return
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _as_dict(segment: Segment) -> dict[str, Any]:
    kept = asdict(segment)
    kept["packets"] = [[p.pts, p.keyframe, p.size] for p in segment.packets]
    return kept
