"""A live session from its options: everything opened, run, and closed again."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from live_nst.errors import UsageError
from live_nst.live.actions import ActionHandler
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.display import WindowDisplay
from live_nst.live.keys import ViewState
from live_nst.live.pipeline import LivePipeline
from live_nst.live.stats import LiveReport, peak_rss_mb
from live_nst.masks.image import read_mask_image
from live_nst.runtime.signals import handle_stop_signals, raise_interrupt
from live_nst.runtime.timing import SystemClock
from live_nst.sinks.base import Sink
from live_nst.sinks.recorder import Recorder
from live_nst.sinks.x11 import require_display
from live_nst.sources.base import SourceInfo, SourceRequest
from live_nst.sources.factory import open_source
from live_nst.stabilizer import check_mode
from live_nst.styles.builtin import builtin_styles
from live_nst.styles.image import read_style_image
from live_nst.styles.spec import parse_style
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import BLEND_STYLES, EVERYWHERE, Look
from live_nst.stylizer.sizes import check_size, check_stroke
from live_nst.types import DownloadProgress, Notify

_HOLD_SECONDS = 0.5  # see `Stylizer`; what a room looks like changes no faster
_QUICK_REFUSAL = 0.3  # seconds in which most missing cameras are found out


@dataclass(frozen=True)
class LiveOptions:
    """What a live session is asked to do.

    Attributes:
        styles: What is switched through; of a single one, the built-in styles follow it.
        source: See `live_nst.sources.factory.open_source`.
        request: What is asked of a camera or the demo; its rate is also what `size` None holds.
        model: See `live_nst.Stylizer`.
        device: auto, cpu or gpu.
        engine: auto, tensorflow or openvino.
        precision: auto, float32, bfloat16 or float16.
        size: Long side of what the network sees, in pixels; None for the largest that holds
            `request.fps`, or the source's rate if that is lower.
        stabilize: off, fast or best.
        look: How the painted picture meets the camera's.
        stroke: Size of the brush strokes, 1 being their size in the style's picture.
        mirror: Flip left and right.
        window: Show a window.
        fullscreen: Let it fill the screen.
        record: Record to this file.
        virtual_camera: Feed this device; "" for the first there is, None for none.
        frames: Stop after so many shown frames.
        duration: Stop after so many seconds.
    """

    styles: tuple[str, ...] = ("starry",)
    source: str = "0"
    request: SourceRequest = field(default_factory=SourceRequest)
    model: str = "auto"
    device: str = "auto"
    engine: str = "auto"
    precision: str = "auto"
    size: int | None = None
    stabilize: str = "fast"
    look: Look = field(default_factory=Look)
    stroke: float = 1.0
    mirror: bool = False
    window: bool = True
    fullscreen: bool = False
    record: Path | None = None
    virtual_camera: str | None = None
    frames: int | None = None
    duration: float | None = None

    def check(self) -> None:
        """Refuse what cannot be meant, before anything is opened.

        Raises:
            UsageError: A number is out of range, or the mask picture cannot be read.
            StyleError: There is no such style, or its picture cannot be read.
        """
        for style in self.styles:
            for part in parse_style(style).parts:
                read_style_image(part.picture)
        if self.size is not None:
            check_size(self.size)
        check_stroke(self.stroke)
        check_mode(self.stabilize)
        if self.look.mask_file is not None:
            read_mask_image(self.look.mask_file)
        if self.frames is not None and self.frames < 1:
            raise UsageError(f"{self.frames} frames cannot be shown.", "use 1 or more")
        if self.duration is not None and not 0 < self.duration < 1e9:
            raise UsageError(
                f"A duration of {self.duration:g} s cannot be meant.", "use seconds above 0"
            )
        _check_request(self.request)


def _check_request(request: SourceRequest) -> None:
    sides, rates = (16, 8192), (1, 240)
    if not all(sides[0] <= side <= sides[1] for side in (request.width, request.height)):
        raise UsageError(
            f"A source of {request.width}x{request.height} pixels cannot be meant.",
            f"use {sides[0]} to {sides[1]} pixels each way, such as 1280x720",
        )
    if not rates[0] <= request.fps <= rates[1]:
        raise UsageError(
            f"A source of {request.fps:g} frames per second cannot be meant.",
            f"use {rates[0]} to {rates[1]}, such as 30",
        )


def run_live(
    options: LiveOptions, notify: Notify, progress: DownloadProgress | None = None
) -> LiveReport:
    """Run a session until it ends in one of its ways, and report on it.

    The first SIGINT or SIGTERM ends it cleanly, the second one at once; see `runtime.signals`.

    Args:
        options: What to do.
        notify: Called with one sentence at a time, from any thread.
        progress: Called with bytes done and in all while a model is fetched.

    Raises:
        LiveNstError: Something cannot be opened or used, or broke.
    """
    options.check()
    with ExitStack() as stack, handle_stop_signals(raise_interrupt) as stop:
        recorder = None
        if options.record is not None:
            recorder = Recorder(options.record, options.request.fps)
            stack.callback(recorder.close)
            if recorder.notice:
                notify(recorder.notice)
        if options.window:
            require_display()
        capture = CaptureWorker(partial(open_source, options.source, options.request))
        stack.callback(capture.close)
        capture.start()
        capture.wait_opened(_QUICK_REFUSAL)
        sinks: list[Sink] = [recorder] if recorder else []
        if options.virtual_camera is not None:  # refused before the model takes its seconds
            camera = _virtual_camera(options, _opened(capture), notify)
            stack.callback(camera.close)
            sinks.append(camera)
        stylizer = stack.enter_context(
            StylizerCore(
                options.model,
                options.styles,
                size=options.size,
                device=options.device,
                engine=options.engine,
                precision=options.precision,
                stabilize=options.stabilize,
                look=options.look,
                stroke=options.stroke,
                content_style_seconds=_HOLD_SECONDS,
                notify=notify,
                progress=progress,
            )
        )
        info = _opened(capture)
        notify(f"Source {info}.")
        notify(f"Running on {stylizer.device} with {stylizer.engine}, {_sizes(options, stylizer)}.")
        stylizer.prepare((info.width, info.height), stylizer.size)
        view = ViewState(mirror=options.mirror)
        pipeline = LivePipeline(
            capture,
            stylizer,
            view=view,
            sinks=sinks,
            max_frames=options.frames,
            max_seconds=options.duration,
            fps=options.request.fps,
            automatic_size=options.size is None,
            overlap=stylizer.device != "cpu",
            repeat=options.stabilize != "off",
            warn=notify,
        )
        if options.window:
            pipeline.display = _screen(options, info, pipeline, stylizer, recorder)
        stop.on_request = pipeline.stop
        pipeline.run()
        return _report(pipeline, stylizer, capture, info)


def _sizes(options: LiveOptions, stylizer: StylizerCore) -> str:
    if options.size is None:
        return f"size {stylizer.size} at first, then as holds {options.request.fps:g} fps"
    return f"size {stylizer.size}"


def _opened(capture: CaptureWorker) -> SourceInfo:
    info = capture.wait_opened()
    assert info is not None  # without a limit it returns it or raises
    return info


def _virtual_camera(options: LiveOptions, info: SourceInfo, notify: Notify) -> Sink:
    from live_nst.sinks.virtual_camera import VirtualCamera

    rate = info.fps or options.request.fps
    camera = VirtualCamera(options.virtual_camera or None, rate, (info.width, info.height))
    notify(f"Feeding {camera.name} at {camera.size[0]}x{camera.size[1]}, {rate:g} fps.")
    return camera


def _screen(
    options: LiveOptions,
    info: SourceInfo,
    pipeline: LivePipeline,
    stylizer: StylizerCore,
    recorder: Recorder | None,
) -> WindowDisplay:
    """The window with its overlay and keys."""
    from live_nst.sinks.window import Window

    styles = options.styles
    if len(styles) == 1:
        styles += tuple(name for name in builtin_styles() if name not in styles)
    commands = ActionHandler(
        pipeline, stylizer, styles, lambda s: screen.notify(s), folder=Path(), recorder=recorder
    )
    window = Window("live-nst", (info.width, info.height), options.fullscreen)
    screen = WindowDisplay(
        window, partial(_figures, pipeline, stylizer), commands.perform, SystemClock()
    )
    return screen


def _figures(pipeline: LivePipeline, stylizer: StylizerCore) -> list[str]:
    """The lines of the overlay."""
    stats = pipeline.stats
    return [
        f"{stats.current_fps:.1f} fps   latency {1000 * stats.current_latency:.0f} ms   "
        f"dropped {pipeline.dropped}{'   at rest' if pipeline.painter.resting else ''}",
        "   ".join((stylizer.style, *_look(stylizer))),
        f"{stylizer.model_name}   {stylizer.engine}   {stylizer.device}   {_size(pipeline)}"
        f"{' auto' if pipeline.painter.sizing.automatic else ''}",
        "h help   q quit",
    ]


def _look(stylizer: StylizerCore) -> list[str]:
    """What of the look is worth a word."""
    look = stylizer.look
    words = [f"strength {look.strength:.0%}"]
    if stylizer.stroke != 1:
        words.append(f"strokes {stylizer.stroke:.0%}")
    if look.blend == BLEND_STYLES:
        words[0] += " of styles"
    if look.keep_colors:
        words.append("camera's colors")
    if look.detail:
        words.append(f"detail {look.detail:.0%}")
    if look.only != EVERYWHERE:
        words.append(f"only {look.mask_file.name if look.mask_file else look.only}")
    return words


def _size(pipeline: LivePipeline) -> str:
    width, height = pipeline.painter.small_size
    return f"{width}x{height}"


def _frames_by_size(pipeline: LivePipeline) -> dict[str, int]:
    sizes = sorted(pipeline.painter.sizing.frames.items())
    return {f"{width}x{height}": frames for (width, height), frames in sizes}


def _report(
    pipeline: LivePipeline, stylizer: StylizerCore, capture: CaptureWorker, info: SourceInfo
) -> LiveReport:
    stats = pipeline.stats
    return LiveReport(
        frames=stats.frames,
        repeated=stats.repeated,
        fps=round(stats.fps(), 3),
        dropped=pipeline.dropped,
        latency_ms=stats.latency_ms(),
        stage_ms=stats.stage_ms(),
        style_computations=stylizer.style_computations,
        startup_seconds=round(stats.startup_seconds, 3),
        model=stylizer.model_name,
        engine=stylizer.engine,
        device=stylizer.device,
        size=_size(pipeline),
        automatic_size=pipeline.painter.sizing.automatic,
        frames_by_size=_frames_by_size(pipeline),
        peak_rss_mb=round(peak_rss_mb(), 1),
        source=info.name,
        style=stylizer.style,
        reconnects=capture.reopened,
    )
