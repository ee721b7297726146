"""Write short videos with sound and subtitles of any codec that FFmpeg can encode."""

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.codec.context import Flags

SOUNDS = {
    "aac": "aac", "mp3": "libmp3lame", "mp2": "mp2", "ac3": "ac3", "eac3": "eac3",
    "opus": "libopus", "vorbis": "vorbis", "flac": "flac", "alac": "alac", "wmav2": "wmav2",
    "adpcm_ms": "adpcm_ms", "adpcm_ima_wav": "adpcm_ima_wav", "pcm_mulaw": "pcm_mulaw",
    "pcm_alaw": "pcm_alaw", "pcm_s16le": "pcm_s16le", "pcm_s24le": "pcm_s24le",
    "amr_nb": "libopencore_amrnb", "tta": "tta", "wavpack": "wavpack",
}  # fmt: skip
"""FFmpeg's encoders of codecs for sound."""

PROGRAM_SOUNDS = {"truehd": "truehd", "dts": "dca"}
"""Encoders of FFmpeg's own program, which is needed for these."""

TEXTS = {"subrip": "srt", "ass": "ass", "webvtt": "webvtt", "mov_text": "mov_text"}
"""FFmpeg's encoders of codecs for text subtitles."""

PICTURES = {"dvd_subtitle": "dvdsub", "dvb_subtitle": "dvbsub"}
"""FFmpeg's encoders of codecs for subtitles that are pictures."""

DRAWN = ("hdmv_pgs_subtitle",)
"""Codecs for subtitles that are pictures, which FFmpeg has no encoder for."""

_PGS_SEGMENTS = (0x16, 0x17, 0x14, 0x15, 0x80)  # of a picture, in order
_PGS_SIZE = b"\x00\x40\x00\x40\x10\x00\x00\x80\x00\x00\x00"

HEADER = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold,\
 Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow,\
 Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""

RATE = 25
_MUXERS = {".mkv": "matroska", ".mov": "mov", ".mp4": "mp4", ".ts": "mpegts", ".webm": "webm"}


def open_any(path: Path, options: str = "") -> Any:
    """An output that takes every codec that its muxer takes."""
    return av.open(f"[f={_MUXERS[path.suffix]}{options}]file:{path}", "w", format="tee")


def write_streams(
    path: Path,
    sound: str | None = None,
    subtitle: str | None = None,
    frames: int = 25,
    lines: Sequence[tuple[float, float, str]] = ((0.2, 0.6, "one"), (0.7, 0.9, "two")),
    channels: str | None = None,
    rate: int = 48000,
) -> Path:
    """Write a gray video with a second of a tone and these subtitles.

    Raises:
        OSError, ValueError: The container does not take them.
    """
    if sound in SOUNDS and SOUNDS[sound] not in av.codecs_available:
        pytest.skip(f"this build of FFmpeg has no encoder {SOUNDS[sound]}")
    with open_any(path) as out, ExitStack() as stack:
        video = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        video.codec_context.flags |= Flags.global_header
        tone = titles = None
        packets = []
        if sound in PROGRAM_SOUNDS:
            packets += _encoded_by_program(path.parent, sound, out, stack)
        elif sound is not None:
            tone = _add_sound(out, SOUNDS[sound], channels, rate)
        if subtitle in DRAWN:
            sup = stack.enter_context(av.open(str(_write_sup(path.parent))))
            titles = out.add_stream_from_template(sup.streams[0], opaque=True)
        elif subtitle is not None:
            titles = _add_titles(out, subtitle)
        out.start_encoding()
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((96, 64), 4 * number, np.uint8), "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            packets += video.encode(frame)
        packets += video.encode(None)
        if tone is not None:
            packets += _tone(tone, frames / RATE)
        for begin, end, text in lines if titles is not None else ():
            packets.append(_title(titles, subtitle or "", begin, end, text))
        for packet in sorted(packets, key=lambda each: each.dts * each.time_base):
            out.mux(packet)
    return path


def _encoded_by_program(
    folder: Path, sound: str, out: Any, stack: ExitStack
) -> list["av.Packet[Any]"]:
    """Packets of a second of a tone, for a new stream of the output."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed")
    path = folder / f"{sound}.mka"
    tone = "sine=frequency=440:sample_rate=48000:duration=1,aformat=channel_layouts=stereo"
    encoder = ["-c:a", PROGRAM_SOUNDS[sound], "-strict", "-2"]
    command = [program, "-v", "error", "-y", "-f", "lavfi", "-i", tone, *encoder, str(path)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip(f"ffmpeg has no encoder {PROGRAM_SOUNDS[sound]}")
    source = stack.enter_context(av.open(str(path)))
    stream = out.add_stream_from_template(source.streams.audio[0], opaque=True)
    stream.time_base = Fraction(1, 48_000)
    packets = [packet for packet in source.demux() if packet.size]
    for number, packet in enumerate(packets):  # Matroska rounds times: some would be the same
        packet.time_base = Fraction(1, len(packets))
        packet.pts = packet.dts = number
        packet.stream = stream
    return packets


def _write_sup(folder: Path) -> Path:
    """A file of one PGS picture, which holds what its streams need."""
    path = folder / "pictures.sup"
    with path.open("wb") as file:
        for segment in _pgs_segments():
            file.write(b"PG" + bytes(8) + segment)
    return path


def _pgs_segments() -> list[bytes]:
    """The segments of an empty PGS picture."""
    bodies = {0x16: _PGS_SIZE, 0x80: b""}
    return [
        bytes([kind]) + len(body).to_bytes(2, "big") + body
        for kind in _PGS_SEGMENTS
        for body in [bodies.get(kind, bytes(10))]
    ]


def _add_sound(out: Any, encoder: str, channels: str | None, rate: int) -> Any:
    codec = av.Codec(encoder, "w")
    narrow = encoder == "libopencore_amrnb"
    stream = out.add_stream(
        encoder,
        rate=8000 if narrow else rate,
        layout=channels or ("mono" if narrow else "stereo"),
        options={"strict": "-2"},
    )
    context = stream.codec_context
    context.format = codec.audio_formats[0]
    context.flags |= Flags.global_header
    context.bit_rate = 12200 if narrow else 128_000
    stream.time_base = context.time_base = Fraction(1, context.sample_rate)
    return stream


def _tone(stream: Any, seconds: float) -> list[Any]:
    context = stream.codec_context
    rate, size = context.sample_rate, context.frame_size or 1024
    resampler = av.AudioResampler(context.format, context.layout, rate)
    packets: list[Any] = []
    for begin in range(0, round(seconds * rate), size):
        wave = 0.3 * np.sin(6.2832 * 440 * (begin + np.arange(size)) / rate)
        channels = np.stack([wave] * context.layout.nb_channels).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(channels, "fltp", context.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
        for ready in resampler.resample(frame):
            packets += stream.encode(ready)
    return packets + stream.encode(None)


def _add_titles(out: Any, codec: str) -> Any:
    stream = out.add_stream({**TEXTS, **PICTURES}[codec])
    context = stream.codec_context
    stream.time_base = context.time_base = Fraction(1, 1000)
    if codec in TEXTS:
        context.subtitle_header = HEADER
    return stream


def _title(stream: Any, codec: str, begin: float, end: float, text: str) -> Any:
    if codec in TEXTS:
        line = f"0,0,Default,,0,0,0,,{text}".encode()
        length = round(1000 * (end - begin))
        subtitle = av.subtitles.subtitle.SubtitleSet.create(line, 0, length)
        packet = stream.codec_context.encode_subtitle(subtitle)
    elif codec in DRAWN:
        packet = av.Packet(b"".join(_pgs_segments()))
    else:
        packet = av.Packet(b"\x00\x08\x00\x04\x00\x00\xff\xff")  # a picture that is empty
    packet.pts = packet.dts = round(1000 * begin)
    packet.duration = round(1000 * (end - begin))
    packet.time_base, packet.stream = Fraction(1, 1000), stream
    packet.is_keyframe = True
    return packet
