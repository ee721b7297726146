"""The video codecs and containers that can be written, and their options."""

from dataclasses import dataclass
from pathlib import Path

from live_nst.errors import UsageError
from live_nst.files.output import join_words


@dataclass(frozen=True, slots=True)
class Codec:
    """One of FFmpeg's encoders.

    Attributes:
        encoder: FFmpeg's name of it.
        pixels: Pixel format for frames with even sides.
        odd_pixels: Pixel format for frames with an odd side.
        crf: Default constant quality; None if the encoder has no such option.
        crf_option: FFmpeg's name of that option.
        worst_crf: The largest value of that option.
        preset: Default speed.
        preset_option: FFmpeg's name of that option.
        presets: The values of that option.
        options: Other options that are always set.
        keeps_aspect: Whether the encoded stream itself contains the shape of the pixels.
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

# H.264 and H.265 in 4:2:0 store even sizes only, and their cropping counts in twos as well. In
# 4:4:4 every size is exact. VP9 and AV1 store any size in 4:2:0.
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
"""The encoders, by FFmpeg's names."""

ALIASES = {
    "h264": "libx264", "avc": "libx264", "x264": "libx264",
    "h265": "libx265", "hevc": "libx265", "x265": "libx265",
    "vp9": "libvpx-vp9", "av1": "libsvtav1", "nvenc": "h264_nvenc",
}  # fmt: skip
"""Other names of the encoders that `--codec` accepts."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container format.

    Attributes:
        muxer: FFmpeg's name of it.
        codecs: Names in `CODECS`; the first is the default.
        options: Options of the muxer.
    """

    muxer: str
    codecs: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()


_MP4 = (
    "libx264", "libx265", "libvpx-vp9", "libsvtav1", "h264_nvenc", "hevc_nvenc", "av1_nvenc",
    "libx264rgb",
)  # fmt: skip
_MOV = ("libx264", "libx265", "h264_nvenc", "hevc_nvenc", "libx264rgb")
_WEB = (("movflags", "+faststart"),)  # the index comes first, so that browsers start at once

CONTAINERS = {
    ".mp4": Container("mp4", _MP4, _WEB),
    ".m4v": Container("mp4", _MP4, _WEB),
    ".mov": Container("mov", _MOV, _WEB),
    ".mkv": Container("matroska", (*_MP4, "ffv1")),
    ".webm": Container("webm", ("libvpx-vp9", "libsvtav1", "av1_nvenc")),
    ".gif": Container("gif", ("libx264rgb",)),
    ".webp": Container("webp", ("libx264rgb",)),
}
"""The containers, by the suffixes of outputs. Frames of GIF and WebP are first stored in H.264."""

PICTURE_MUXERS = ("gif", "webp")
"""Containers of animated pictures, which have no sound and no choice of codecs."""


def container_for(path: Path) -> Container:
    """Return the container that the suffix of an output names.

    Raises:
        UsageError: Videos are not written in that format.
    """
    found = CONTAINERS.get(path.suffix.lower())
    if found is None:
        suffixes = [suffix for suffix in CONTAINERS if suffix != ".m4v"]
        raise UsageError(
            f"Invalid suffix: cannot write a video to '{path.name}'",
            f"use a name that ends in {join_words(suffixes, 'or')}",
        )
    return found


def choose_codec(path: Path, name: str | None, crf: int | None, preset: str | None) -> Codec:
    """Return the codec of an output, and check its options.

    Args:
        path: The output, whose suffix names the container.
        name: A name or alias of a codec; None for the container's default.
        crf: Constant quality.
        preset: Speed.

    Raises:
        UsageError: The container cannot store the codec, or the codec has no such option or value.
    """
    container = container_for(path)
    if container.muxer in PICTURE_MUXERS and (name or crf is not None or preset):
        kind = "A GIF" if container.muxer == "gif" else "An animated WebP"
        raise UsageError(f"{kind} has no --codec, --crf or --preset", "leave them out")
    wanted = (name or container.codecs[0]).lower()
    wanted = ALIASES.get(wanted, wanted)
    if wanted not in container.codecs:
        raise UsageError(
            f"Invalid codec {name!r} for '{path.name}'", f"use {join_words(container.codecs, 'or')}"
        )
    codec = CODECS[wanted]
    if crf is not None and (codec.crf is None or not 0 <= crf <= codec.worst_crf):
        scale = f"use 0 (best) to {codec.worst_crf}" if codec.crf is not None else "leave it out"
        raise UsageError(f"Invalid --crf {crf} for {wanted}", scale)
    if preset is not None and preset not in codec.presets:
        raise UsageError(
            f"Invalid --preset {preset!r} for {wanted}",
            f"use {join_words(codec.presets, 'or')}" if codec.presets else "leave it out",
        )
    return codec
