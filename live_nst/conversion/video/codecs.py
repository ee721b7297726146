"""The video codecs and containers that can be written, and how each is asked for."""

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
from av.codec.context import Flags

from live_nst.conversion.video.color import ColorTags
from live_nst.errors import ConversionError, UsageError
from live_nst.types import Size


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoder of FFmpeg's.

    Attributes:
        encoder: FFmpeg's name of it.
        pixels: Pixel format for even sizes.
        odd_pixels: For sizes with an odd side.
        crf: Default constant quality; None if it has none.
        crf_option: FFmpeg's name of that option.
        worst_crf: The largest value.
        preset: Default speed.
        preset_option: FFmpeg's name of that option.
        presets: What may be asked for.
        options: What else it is told.
        keeps_aspect: Whether its stream itself says the pixels' shape.
    """

    encoder: str
    pixels: str
    odd_pixels: str
    crf: int | None = None
    crf_option: str = "crf"
    worst_crf: int = 51
    preset: str | None = None
    preset_option: str = "preset"
    presets: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    keeps_aspect: bool = True


_X264 = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
)  # fmt: skip
_NVENC = ("p1", "p2", "p3", "p4", "p5", "p6", "p7")
_NV = (("rc", "vbr"), ("b", "0"))

# H.264 and H.265 in 4:2:0 hold even sizes only, and their cropping counts in twos as well. In
# 4:4:4 every size is exact. VP9 and AV1 take any size as it is.
CODECS = {
    "libx264": Codec("libx264", "yuv420p", "yuv444p", 18, preset="veryfast", presets=_X264),
    "libx265": Codec(
        "libx265", "yuv420p", "yuv444p", 20, preset="veryfast", presets=_X264,
        options=(("x265-params", "log-level=none:open-gop=0"),),
    ),
    "libvpx-vp9": Codec(
        "libvpx-vp9", "yuv420p", "yuv420p", 28, worst_crf=63,
        preset="5", preset_option="cpu-used", presets=tuple("012345678"),
        options=(("b", "0"), ("row-mt", "1"), ("deadline", "good")), keeps_aspect=False,
    ),
    "libsvtav1": Codec(
        "libsvtav1", "yuv420p", "yuv420p", 28, worst_crf=63,
        preset="9", presets=tuple(map(str, range(14))), keeps_aspect=False,
    ),
    "h264_nvenc": Codec(
        "h264_nvenc", "yuv420p", "yuv444p", 20, "cq",
        preset="p4", presets=_NVENC, options=_NV,
    ),
    "hevc_nvenc": Codec(
        "hevc_nvenc", "yuv420p", "yuv444p", 22, "cq",
        preset="p4", presets=_NVENC, options=_NV,
    ),
    "av1_nvenc": Codec(
        "av1_nvenc", "yuv420p", "yuv420p", 28, "cq",
        preset="p4", presets=_NVENC, options=_NV, keeps_aspect=False,
    ),
    "libx264rgb": Codec(
        "libx264rgb", "bgr24", "bgr24", 0, preset="ultrafast", presets=_X264,
    ),
    "ffv1": Codec("ffv1", "bgr0", "bgr0", keeps_aspect=False),
}  # fmt: skip

ALIASES = {
    "h264": "libx264", "avc": "libx264", "x264": "libx264",
    "h265": "libx265", "hevc": "libx265", "x265": "libx265",
    "vp9": "libvpx-vp9", "av1": "libsvtav1", "nvenc": "h264_nvenc",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file.

    Attributes:
        muxer: FFmpeg's name.
        codecs: Names in `CODECS`; the first is the default.
        options: What the muxer is told.
    """

    muxer: str
    codecs: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()


_SEGMENT_FRAMES, _MOST_SEGMENT_FRAMES = 96, 384
_KEYFRAME_FRAMES = 240  # most frames from one keyframe to the next

_AVX_512F = 13  # CV_CPU_AVX_512F of OpenCV's interface

_MP4 = (
    "libx264", "libx265", "libvpx-vp9", "libsvtav1", "h264_nvenc", "hevc_nvenc", "av1_nvenc",
    "libx264rgb",
)  # fmt: skip
_MOV = ("libx264", "libx265", "h264_nvenc", "hevc_nvenc", "libx264rgb")
_WEB = (("movflags", "+faststart"),)  # the index comes first: a browser starts at once

CONTAINERS = {
    ".mp4": Container("mp4", _MP4, _WEB),
    ".m4v": Container("mp4", _MP4, _WEB),
    ".mov": Container("mov", _MOV, _WEB),
    ".mkv": Container("matroska", (*_MP4, "ffv1")),
    ".webm": Container("webm", ("libvpx-vp9", "libsvtav1", "av1_nvenc")),
    ".gif": Container("gif", ("libx264rgb",)),
}


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Everything that an encoder is told: the same for every segment of an output.

    Attributes:
        codec: What encodes.
        size: (width, height), exact.
        time_base: Seconds per tick of the frames' timestamps.
        rate: Frames per second that rate control may expect.
        aspect: Shape of a pixel, width by height.
        color: Tags, and how BGR is turned into what they say.
        crf: Constant quality.
        preset: Speed.
        threads: How many threads the encoder uses; another number gives another result.
        segment_frames: How many frames are encoded on their own.
    """

    codec: Codec
    size: Size
    time_base: Fraction
    rate: Fraction
    aspect: Fraction
    color: ColorTags
    crf: int | None
    preset: str | None
    threads: int
    segment_frames: int

    @property
    def pixels(self) -> str:
        """FFmpeg's name of the pixel format."""
        odd = self.size[0] % 2 or self.size[1] % 2
        return self.codec.odd_pixels if odd else self.codec.pixels

    @property
    def options(self) -> dict[str, str]:
        """FFmpeg's options of the encoder."""
        options = dict(self.codec.options)
        if self.crf is not None:
            options[self.codec.crf_option] = str(self.crf)
        if self.preset is not None:
            options[self.codec.preset_option] = self.preset
        if self.codec.encoder.startswith("libx264") and cv2.checkHardwareSupport(_AVX_512F):
            # x264's AVX-512 code for macroblock trees reads beyond their end at some widths: the
            # same frames then give another stream each time. AVX2 is as fast.
            options["x264-params"] = "asm=avx2"
        return options

    def configure(self, context: av.VideoCodecContext) -> None:
        """Set up an encoder that is not open yet."""
        context.width, context.height = self.size
        context.pix_fmt = self.pixels
        context.time_base = self.time_base
        context.framerate = self.rate
        context.sample_aspect_ratio = self.aspect
        context.gop_size = min(self.segment_frames, _KEYFRAME_FRAMES)
        context.thread_count = self.threads
        context.colorspace = 0 if self.pixels.startswith(("bgr", "rgb")) else self.color.matrix
        context.color_range = self.color.range
        context.color_primaries = self.color.primaries
        context.color_trc = self.color.transfer
        context.flags |= Flags.global_header

    def open(self) -> av.VideoCodecContext:
        """A new encoder.

        Raises:
            ConversionError: It is not there, or refuses the size.
        """
        os.environ.setdefault("SVT_LOG", "1")  # it would print its settings on every start
        try:
            context = av.VideoCodecContext.create(self.codec.encoder, "w")
            assert isinstance(context, av.VideoCodecContext)
            self.configure(context)
            context.options = self.options
            context.open()
        except (av.FFmpegError, ValueError) as exc:
            raise self._cannot_open() from exc
        return context

    def as_dict(self) -> dict[str, object]:
        """What of it shapes the pictures, in plain values."""
        return {
            "codec": self.codec.encoder,
            "crf": self.crf,
            "preset": self.preset,
            "pixel format": self.pixels,
            "encoder options": dict(self.codec.options),
            "frame size": list(self.size),
            "aspect": str(self.aspect),
            "color": list(self.color.as_tuple()),
            "segment frames": self.segment_frames,
        }

    def _cannot_open(self) -> ConversionError:
        name = self.codec.encoder
        if name.endswith("_nvenc"):
            return ConversionError(
                f"The encoder {name} cannot be used: there is no NVIDIA GPU with NVENC here",
                "leave out --codec, or check the driver with `nvidia-smi`",
            )
        width, height = self.size
        return ConversionError(
            f"The encoder {name} cannot be used for {width}x{height}", "choose another --codec"
        )


def segment_frames(codec: Codec, threads: int) -> int:
    """How many frames are encoded on their own, and painted again after an interruption, at most.

    Nothing is painted ahead of a segment that is not on the disk, which must not leave a fast
    machine waiting: two cores take seconds for a segment, and so do sixteen. A segment is held in
    memory: one of a codec that keeps everything stays short.
    """
    if codec.pixels.startswith("bgr"):
        return _SEGMENT_FRAMES
    return _SEGMENT_FRAMES * min(max(1, threads // 2), _MOST_SEGMENT_FRAMES // _SEGMENT_FRAMES)


def container_for(path: Path) -> Container:
    """What the suffix of an output stands for.

    Raises:
        UsageError: Nothing that is written here.
    """
    found = CONTAINERS.get(path.suffix.lower())
    if found is None:
        known = [suffix for suffix in CONTAINERS if suffix != ".m4v"]
        raise UsageError(
            f"A video cannot be written to '{path.name}'.",
            f"let the name end in {', '.join(known[:-1])} or {known[-1]}",
        )
    return found


def choose_codec(path: Path, name: str | None, crf: int | None, preset: str | None) -> Codec:
    """The codec for an output.

    Args:
        path: The output, whose suffix tells the container.
        name: A name or alias; None for the container's own.
        crf: Checked against the codec's scale.
        preset: Checked against what the codec has.

    Raises:
        UsageError: The container does not hold the codec, or the codec has no such setting.
    """
    container = container_for(path)
    if path.suffix.lower() == ".gif" and (name or crf is not None or preset):
        raise UsageError("A GIF has no --codec, --crf or --preset.", "leave them out")
    wanted = name or container.codecs[0]
    wanted = ALIASES.get(wanted.lower(), wanted.lower())
    if wanted not in container.codecs:
        raise UsageError(
            f"The codec {name!r} cannot be written to '{path.name}'.",
            f"use one of {', '.join(container.codecs)}",
        )
    codec = CODECS[wanted]
    if crf is not None and (codec.crf is None or not 0 <= crf <= codec.worst_crf):
        scale = f"use 0 (best) to {codec.worst_crf}" if codec.crf is not None else "leave it out"
        raise UsageError(f"A --crf of {crf} cannot be meant for {wanted}.", scale)
    if preset is not None and preset not in codec.presets:
        raise UsageError(
            f"There is no --preset {preset!r} for {wanted}.",
            f"use one of {', '.join(codec.presets)}" if codec.presets else "leave it out",
        )
    return codec
