"""Write short videos from real footage, each with a property to test."""

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

SPLIT = Fraction(1, 12800)


def frames_of(clip: Path, count: int, size: tuple[int, int] | None = None) -> list[np.ndarray]:
    """Return the first images of a clip, BGR, scaled to (width, height)."""
    with av.open(str(clip)) as container:
        found = []
        for frame in container.decode(video=0):
            width, height = size or (frame.width, frame.height)
            found.append(frame.reformat(width, height, "bgr24").to_ndarray())
            if len(found) == count:
                break
    return found


def write(
    path: Path,
    images: Sequence[np.ndarray],
    *,
    ticks: Sequence[int] | None = None,
    time_base: Fraction = SPLIT,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    color: tuple[int, int, int, int] | None = None,
    aspect: Fraction | None = None,
    audio: Sequence[tuple[str, str, int]] = (),
    audio_start: float = 0.0,
    subtitles: Sequence[tuple[float, float, str]] = (),
    subtitle_codec: str = "srt",
    chapters: Sequence[tuple[float, float, str]] = (),
    metadata: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a video of these images.

    Args:
        ticks: Their times; at 25 frames per second if not given.
        audio: (codec, layout, frequency in Hz) of each track.
        subtitles: Start, end and text of each.
    """
    step = round(Fraction(1, 25) / time_base)
    ticks = ticks or [step * number for number in range(len(images))]
    end = float((ticks[-1] + step) * time_base)
    with av.open(str(path), "w", options=container_options or {}) as out:
        out.metadata.update(metadata or {})
        video: Any = out.add_stream(codec, rate=25, options=options or {"preset": "ultrafast"})
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = pixels
        video.time_base = video.codec_context.time_base = time_base
        if aspect:
            video.codec_context.sample_aspect_ratio = aspect
        context = video.codec_context
        if color:
            context.colorspace, context.color_range = color[:2]
            context.color_primaries, context.color_trc = color[2:]
        tracks = [_add_audio(out, *track) for track in audio]
        titles: Any = out.add_stream(subtitle_codec) if subtitles else None
        if titles is not None:
            titles.time_base = Fraction(1, 1000)
            titles.codec_context.time_base = Fraction(1, 1000)
            titles.codec_context.subtitle_header = HEADER
        out.set_chapters(
            [
                {
                    "id": number,
                    "start": round(1000 * start),
                    "end": round(1000 * stop),
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": title},
                }
                for number, (start, stop, title) in enumerate(chapters)
            ]
        )
        out.start_encoding()
        packets = []
        for picture, tick in zip(images, ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            spaces = {"dst_colorspace": color[0], "dst_color_range": color[1]} if color else {}
            frame = frame.reformat(format=pixels, **spaces)
            frame.pts, frame.time_base = tick, time_base
            packets += video.encode(frame)
        packets += video.encode(None)
        for track, (_, layout, pitch) in zip(tracks, audio, strict=True):
            packets += _sound(track, layout, pitch, audio_start, end)
        for start, stop, text in subtitles:
            packets.append(_subtitle(titles, start, stop, text))
        for packet in sorted(packets, key=lambda each: each.dts * each.time_base):
            out.mux(packet)
    return path


HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,16

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def _add_audio(out: Any, codec: str, layout: str, pitch: int) -> Any:
    track = out.add_stream(codec, rate=48000, layout=layout)
    track.codec_context.format = {"aac": "fltp", "libopus": "s16"}.get(codec, "s16")
    return track


def _sound(track: Any, layout: str, pitch: int, start: float, end: float) -> list[Any]:
    """A tone, a little different in each channel."""
    count = round((end - start) * 48000)
    channels = av.AudioLayout(layout).nb_channels
    moments = np.arange(count) / 48000
    waves = [0.3 * np.sin(6.2832 * pitch * (1 + c / 5) * moments) for c in range(channels)]
    packets: list[Any] = []
    size = track.codec_context.frame_size or 1024
    resampler = av.AudioResampler(track.codec_context.format, layout, 48000)
    for begin in range(0, count, size):
        block = np.stack([wave[begin : begin + size] for wave in waves]).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
        frame.sample_rate = 48000
        frame.pts, frame.time_base = begin + round(start * 48000), Fraction(1, 48000)
        for ready in resampler.resample(frame):
            packets += track.encode(ready)
    return packets + track.encode(None)


def _subtitle(stream: Any, start: float, stop: float, text: str) -> Any:
    packet: Any = av.Packet(text.encode())
    packet.time_base = Fraction(1, 1000)
    packet.pts = packet.dts = round(1000 * start)
    packet.duration = round(1000 * (stop - start))
    packet.is_keyframe = True
    packet.stream = stream
    return packet


def rotate_by_tag(path: Path, degrees: int) -> Path:
    """Write a rotation into the track header of an MP4, as telephones do."""
    matrices = {
        90: (0, 1, -1, 0),
        180: (-1, 0, 0, -1),
        270: (0, -1, 1, 0),
    }
    return set_matrix(path, matrices[degrees])


def set_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write a matrix into the track header of an MP4: (x, y) becomes (a x + c y, b x + d y)."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 4 + 4 * 5 + 8 + 8  # version 0: the matrix
    for offset, value in zip((0, 4, 12, 16), matrix, strict=True):
        data[place + offset : place + offset + 4] = (value << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(bytes(data))
    return path


def cut(path: Path, target: Path, share: float) -> Path:
    """The first part of a file, as a download that broke off leaves it."""
    data = path.read_bytes()
    target.write_bytes(data[: round(len(data) * share)])
    return target


def without_first_packets(path: Path, target: Path, packets: int) -> Path:
    """A copy whose video lacks its first packets, so that it does not begin with its first GOP."""
    with av.open(str(path)) as source, av.open(str(target), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for number, packet in enumerate(source.demux(stream)):
            if packet.size and number >= packets:
                packet.stream = copy
                out.mux(packet)
    return target


def repeat(path: Path, target: Path, frames: int) -> Path:
    """The video of a file again and again, packet for packet, at 25 frames per second.

    Args:
        frames: How many frames it gets. They must be in the file in the order they are shown.
    """
    with av.open(str(path)) as source, av.open(str(target), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.size]
        assert all(packet.pts == packet.dts for packet in packets)
        step = round(Fraction(1, 25) / stream.time_base)
        for number in range(frames):
            original = packets[number % len(packets)]
            packet: Any = av.Packet(bytes(original))
            packet.pts = packet.dts = number * step
            packet.duration, packet.time_base = step, stream.time_base
            packet.is_keyframe, packet.stream = original.is_keyframe, copy
            out.mux(packet)
    return target


def same_file(one: Path, other: Path) -> bool:
    return os.path.samefile(one, other)
