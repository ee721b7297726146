"""What a live session is asked to do, and what the user changes while it runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from live_nst.errors import UsageError
from live_nst.sources.base import SourceRequest
from live_nst.stylizer.options import StylizerOptions

if TYPE_CHECKING:
    from live_nst.styles.registry import StyleInput
    from live_nst.styles.spec import StyleSpec

_SIDES = (16, 8192)  # pixels
_RATES = (1, 240)  # frames per second
_MAX_SECONDS = 1e9


def _default_stylizer_options() -> StylizerOptions:
    return StylizerOptions(stabilize="fast")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What a live session is asked to do.

    Attributes:
        stylizer: Model, styles and look. Without a size, the largest one is used that holds
            `request.fps`, or the frame rate of the source if that is lower.
        keys: The styles to switch between, in order. If empty: those of `stylizer`; after a single
            one, the built-in ones as well.
        source: See `live_nst.sources.factory.open_source`.
        request: Size and frame rate that a camera or the demo is asked for.
        mirror: Flip left and right.
        window: Show a window.
        fullscreen: Let the window fill the screen.
        record: Record to this file.
        virtual_camera: Write to this device; "" for the first one found, None for none.
        on_demand: Release the source while nobody reads the virtual camera.
        streams: Send to these addresses; see `live_nst.sinks.stream_address`. They hold keys, so
            they are left out of `repr`.
        bitrate: Bits per second of the streams; None to choose it by size and rate.
        encoder: The encoder of the streams; see `live_nst.sinks.h264.ENCODER_OPTIONS`.
        audio: The sound of streams and recordings: a file, or the name of an input device; None
            for silent streams, and recordings without a sound track.
        osc: Receive OSC messages at this "[HOST:]PORT"; "" for the usual port, None for none.
        metrics: Give figures to Prometheus at this port of this computer; "" for the usual one,
            None for none. Like `osc`, it is opened by `live_nst.remote.attach`.
        control: Let `live-nst ctl` and other programs control the session: "" through a socket, or
            a port of this computer; None for not. It is opened by `live_nst.studio.control`.
        frames: Stop after this number of shown frames.
        duration: Stop after this number of seconds.
        folder: Where pictures and recordings go that are asked for while it runs.
    """

    stylizer: StylizerOptions = field(default_factory=_default_stylizer_options)
    keys: tuple[StyleInput, ...] = ()
    source: str = field(default="0", repr=False)  # its address may hold a password
    request: SourceRequest = field(default_factory=SourceRequest)
    mirror: bool = False
    window: bool = True
    fullscreen: bool = False
    record: Path | None = None
    virtual_camera: str | None = None
    on_demand: bool = False
    streams: tuple[str, ...] = field(default=(), repr=False)
    bitrate: int | None = None
    encoder: str = "libx264"
    audio: str | None = None
    osc: str | None = None
    metrics: str | None = None
    control: str | None = None
    frames: int | None = None
    duration: float | None = None
    folder: Path = Path()

    def check(self) -> None:
        """Check all values before anything is opened.

        Raises:
            UsageError: A number is out of range, or the mask image cannot be read.
            StyleError: There is no such style, or its image cannot be read.
            StreamError: Something is missing here that a stream needs.
        """
        from live_nst.masks.image import read_mask_image
        from live_nst.styles.image import read_style_image
        from live_nst.styles.spec import as_spec

        for style in (*self.stylizer.styles, *self.keys):
            for part in as_spec(style).parts:
                read_style_image(part.path)
        mask_file = self.stylizer.look.mask_file
        if mask_file is not None:
            read_mask_image(mask_file)
        if self.frames is not None and self.frames < 1:
            raise UsageError(f"Invalid number of frames {self.frames}.", "use 1 or more")
        if self.duration is not None and not 0 < self.duration < _MAX_SECONDS:
            raise UsageError(
                f"Invalid duration {self.duration:g}.", "use a number of seconds above 0"
            )
        if self.on_demand and self.virtual_camera is None:
            raise UsageError(
                "Without a virtual camera nobody can read it on demand.",
                "use --on-demand with --virtual-camera",
            )
        _check_request(self.request)
        if self.streams or self.control is not None:  # `live-nst ctl` can start streams
            check_streams(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineOptions:
    """How a live pipeline runs, and when it ends.

    Attributes:
        max_frames: Stop after this number of shown frames; sinks get no more either.
        max_seconds: Stop after this number of seconds.
        fps: Frame rate that an automatic size holds.
        automatic_size: Choose the processing size by speed; otherwise it changes by hand only.
        overlap: Prepare the next frame and finish the one before in threads of their own, while the
            network runs. Use it where the network runs on a GPU. On a CPU the threads would
            compete for the same cores.
        reuse_static: While nothing moves, show the last stylized frame again instead of running the
            network. Use it with a stabilizer: without one, camera noise shows in every frame.
    """

    max_frames: int | None = None
    max_seconds: float | None = None
    fps: float = 30.0
    automatic_size: bool = False
    overlap: bool = False
    reuse_static: bool = False


@dataclass(slots=True)
class ViewState:
    """How frames are shown. `SessionControl` changes it, the pipeline's threads read it.

    Attributes:
        mirror: Flip left and right.
        split: Show the original left of the divider.
        split_at: Place of the divider: a share of the width, 0 to 1.
        frozen: Hold the current frame. Changes of the style still show in it.
    """

    mirror: bool = False
    split: bool = False
    split_at: float = 0.5
    frozen: bool = False


def check_streams(options: LiveOptions) -> None:
    """Check the streams of a session, and what is set for those that are started later.

    Raises:
        UsageError: An address is invalid, or given twice.
        StreamError: Something is missing here, or the bitrate is out of range.
    """
    from live_nst.sinks.h264 import check_bitrate, check_encoder
    from live_nst.sinks.stream_address import parse_stream_address
    from live_nst.sinks.stream_start import check_process

    addresses = [parse_stream_address(stream) for stream in options.streams]
    for number, address in enumerate(addresses):
        if address in addresses[:number]:
            raise UsageError(f"The stream {address} is given twice.", "give each address once")
        check_process(address)
    check_bitrate(options.bitrate)
    check_encoder(options.encoder)


def _check_request(request: SourceRequest) -> None:
    if not all(_SIDES[0] <= side <= _SIDES[1] for side in (request.width, request.height)):
        raise UsageError(
            f"Invalid source size {request.width}x{request.height}.",
            f"use {_SIDES[0]} to {_SIDES[1]} pixels each way, such as 1280x720",
        )
    if not _RATES[0] <= request.fps <= _RATES[1]:
        raise UsageError(
            f"Invalid frame rate {request.fps:g}.",
            f"use {_RATES[0]} to {_RATES[1]} frames per second, such as 30",
        )


def pipeline_options(options: LiveOptions, *, overlap: bool) -> PipelineOptions:
    """Return how the pipeline of a session runs; see `PipelineOptions`."""
    return PipelineOptions(
        max_frames=options.frames,
        max_seconds=options.duration,
        fps=options.request.fps,
        automatic_size=options.stylizer.size is None,
        overlap=overlap,
        reuse_static=options.stylizer.stabilize != "off",
    )


def styles_to_choose_from(options: LiveOptions) -> list[StyleSpec]:
    """Return the styles that were given; after a single one, the built-in styles as well."""
    from live_nst.styles.builtin import builtin_styles
    from live_nst.styles.spec import as_spec

    if options.keys:
        return [as_spec(style) for style in options.keys]
    styles = [as_spec(style) for style in options.stylizer.styles]
    if len(styles) == 1:
        styles += [as_spec(name) for name in builtin_styles() if name != styles[0].label]
    return styles


def parse_bitrate(text: str) -> int:
    """Return bits per second from a text such as "4M", "2500k" or "4000000".

    Raises:
        UsageError: The text has another form.
    """
    match = re.fullmatch(r"(\d{1,10}(?:\.\d{1,6})?)([kKmM]?)", text.strip())
    if match is None:
        raise UsageError(f"Invalid bitrate {text!r}", "write it as 4M or 2500k")
    return round(float(match[1]) * {"": 1, "k": 1e3, "m": 1e6}[match[2].lower()])
