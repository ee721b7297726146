"""The settings of an output's encoder, which are the same for every segment."""

import os
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error
import cv2
from av.codec.context import Flags

from live_nst.conversion.video.codecs import Codec
from live_nst.errors import ConversionError
from live_nst.types import Size
from live_nst.video.color import ColorTags

_SEGMENT_FRAMES, _MAX_SEGMENT_FRAMES = 96, 384
_MAX_KEYFRAME_INTERVAL = 240  # frames
_AVX_512F = 13  # CV_CPU_AVX_512F of OpenCV's interface


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """The settings of an output's encoder.

    Attributes:
        codec: The encoder.
        size: (width, height) in pixels.
        time_base: Seconds per tick of the frames' timestamps.
        rate: Expected frames per second, for rate control.
        aspect: Shape of a pixel: width divided by height.
        color: How colors are encoded.
        crf: Constant quality.
        preset: Speed.
        threads: Number of the encoder's threads, on which its output depends.
        segment_frames: Number of frames in a segment.
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
            # same frames then give different streams. AVX2 is as fast.
            options["x264-params"] = "asm=avx2"
        return options

    def configure(self, context: av.VideoCodecContext) -> None:
        """Set the properties of an encoder that is not open yet."""
        context.width, context.height = self.size
        context.pix_fmt = self.pixels
        context.time_base = self.time_base
        context.framerate = self.rate
        context.sample_aspect_ratio = self.aspect
        context.gop_size = min(self.segment_frames, _MAX_KEYFRAME_INTERVAL)
        context.thread_count = self.threads
        context.colorspace = 0 if self.pixels.startswith(("bgr", "rgb")) else self.color.matrix
        context.color_range = self.color.range
        context.color_primaries = self.color.primaries
        context.color_trc = self.color.transfer
        context.flags |= Flags.global_header

    def open(self) -> av.VideoCodecContext:
        """Return a new, open encoder.

        Raises:
            ConversionError: The encoder is not available, or refuses the settings.
        """
        os.environ.setdefault("SVT_LOG", "1")  # else SVT-AV1 prints its settings
        try:
            context = av.VideoCodecContext.create(self.codec.encoder, "w")
            assert isinstance(context, av.VideoCodecContext)
            self.configure(context)
            context.options = self.options
            context.open()
        except (av.FFmpegError, ValueError) as exc:
            raise self._open_error() from exc
        return context

    def as_dict(self) -> dict[str, object]:
        """Return what determines the output, in plain values; stored with its segments."""
        return {
            "codec": self.codec.encoder,
            "crf": self.crf,
            "preset": self.preset,
            "pixel format": self.pixels,
            "encoder options": dict(self.codec.options),
            "frame size": list(self.size),
            "aspect": str(self.aspect),
            "colour": list(self.color.as_tuple()),  # so spelled in the stores of earlier versions
            "segment frames": self.segment_frames,
        }

    def _open_error(self) -> ConversionError:
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
    """Return the number of frames in a segment, which is also how many an interruption can cost.

    The next segment is begun when the last one is on the disk. Segments are longer on faster
    machines, so that these do not spend their time waiting. A segment is held in memory: segments
    of lossless codecs stay short.

    Args:
        codec: The encoder.
        threads: Number of its threads.
    """
    if codec.pixels.startswith("bgr"):
        return _SEGMENT_FRAMES
    return _SEGMENT_FRAMES * min(max(1, threads // 2), _MAX_SEGMENT_FRAMES // _SEGMENT_FRAMES)
