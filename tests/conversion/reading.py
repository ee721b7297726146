"""What a file holds, read with PyAV and none of our code."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np


@dataclass
class Contents:
    """Frames and packets of a file, times in seconds."""

    times: list[Fraction]
    images: list[np.ndarray]
    audio: list[list[tuple[Fraction | None, bytes]]]
    subtitles: list[list[tuple[Fraction | None, bytes]]]
    size: tuple[int, int]
    aspect: Fraction | None
    rotation: int
    time_base: Fraction
    duration: float
    chapters: list[tuple[float, float, str]]
    metadata: dict[str, str]
    color: tuple[int, int, int, int]
    begin: Fraction  # of the first sound or frame, 0 if it is earlier: a copy begins there


def opened(path: Path) -> Any:
    """The file, open for reading; metadata that is not UTF-8 comes as surrogates (PEP 383)."""
    old = int(av.__version__.split(".")[0]) < 19
    options = {"metadata_errors": "surrogateescape"} if old else {}
    return av.open(str(path), **options)


def read(path: Path, images: str | None = None) -> Contents:
    """Return everything; the images in a pixel format, or none of them."""
    with opened(path) as container:
        video = container.streams.video[0]
        frames = list(container.decode(video))
        times = [frame.pts * frame.time_base for frame in frames]
        images = [frame.to_ndarray(format=images) for frame in frames] if images else []
        first = frames[0]
        contents = Contents(
            times=times,
            images=images,
            audio=[],
            subtitles=[],
            size=(first.width, first.height),
            aspect=video.sample_aspect_ratio,
            rotation=first.rotation,
            time_base=video.time_base,
            duration=(container.duration or 0) / av.time_base,
            chapters=[
                (
                    float(chapter["start"] * chapter["time_base"]),
                    float(chapter["end"] * chapter["time_base"]),
                    chapter["metadata"].get("title", ""),
                )
                for chapter in container.chapters()
            ],
            metadata=dict(container.metadata),
            color=(first.colorspace, first.color_range, first.color_primaries, first.color_trc),
            begin=max(
                Fraction(0),
                min([times[0], *(_start(stream) for stream in container.streams.audio)]),
            ),
        )
    contents.audio, contents.subtitles = packets(path, "audio"), packets(path, "subtitle")
    return contents


def _start(stream: Any) -> Fraction:
    return Fraction(stream.start_time or 0) * Fraction(stream.time_base)


def packets(path: Path, kind: str) -> list[list[tuple[Fraction | None, bytes]]]:
    """Time and content of every packet, for each stream of a kind; a damaged one has no time."""
    found: dict[int, list[tuple[Fraction | None, bytes]]] = {}
    with opened(path) as container:
        for stream in container.streams:
            if stream.type == kind:
                found[stream.index] = []
        for packet in container.demux():
            if packet.size and packet.stream_index in found:
                time = None if packet.pts is None else packet.pts * packet.time_base
                found[packet.stream_index].append((time, bytes(packet)))
    return list(found.values())


def within_a_tick(one: list[Fraction], other: list[Fraction], tick: Fraction) -> bool:
    """Whether two lists of times are the same, rounded to a clock with that tick."""
    return len(one) == len(other) and all(
        abs(a - b) <= tick for a, b in zip(one, other, strict=True)
    )
