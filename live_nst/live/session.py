"""Run a live session from its options: open everything, run the pipeline, report."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from live_nst.live.actions import ActionHandler
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.display import WindowDisplay
from live_nst.live.options import LiveOptions, PipelineOptions, ViewState
from live_nst.live.pipeline import LivePipeline
from live_nst.live.sound import SoundWorker
from live_nst.live.stats import LiveReport, peak_rss_mb
from live_nst.live.streams import LiveStreams
from live_nst.masks.regions import EVERYWHERE
from live_nst.runtime.signals import handle_stop_signals, raise_interrupt
from live_nst.runtime.timing import SystemClock
from live_nst.sinks.base import Sink
from live_nst.sinks.recorder import Recorder
from live_nst.sinks.sound import SoundTrack
from live_nst.sinks.x11 import require_display
from live_nst.sources.base import SourceInfo
from live_nst.sources.factory import open_source
from live_nst.sources.sound import open_sound
from live_nst.styles.builtin import builtin_styles
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import BLEND_STYLES
from live_nst.types import DownloadProgress, Notify

_CONTENT_STYLE_SECONDS = 0.5  # between two computations of the content style
_QUICK_REFUSAL_SECONDS = 0.3  # most missing cameras are noticed within this time


def run_live(
    options: LiveOptions, notify: Notify, progress: DownloadProgress = lambda done, total: None
) -> LiveReport:
    """Run a session until it ends, and report on it.

    The first signal to stop ends it cleanly, a second one at once; see `runtime.signals`.

    Args:
        options: What to do.
        notify: Called with one sentence at a time, from any thread.
        progress: Called while a model is downloaded.

    Returns:
        The figures of the session.

    Raises:
        LiveNstError: Something cannot be opened or used, or broke.
        KeyboardInterrupt: A signal came before the pipeline started.
    """
    options.check()
    with ExitStack() as stack, handle_stop_signals(raise_interrupt) as stop:
        capture = CaptureWorker(partial(open_source, options.source, options.request))
        stack.callback(capture.close)
        began: list[float] = []  # when the pipeline started
        sound = _open_sound(options, lambda: _sound_origin(capture, began), notify, stack)
        recorder = _open_recorder(options, sound, notify, stack)
        if options.window:
            require_display()
        capture.start()
        capture.wait_opened(_QUICK_REFUSAL_SECONDS)
        sinks: list[Sink] = [recorder] if recorder else []
        if options.virtual_camera is not None:  # checked before the model takes its seconds
            sinks.append(_open_virtual_camera(options, _wait_opened(capture), notify, stack))
        stylizer_options = replace(options.stylizer, content_style_seconds=_CONTENT_STYLE_SECONDS)
        stylizer = stack.enter_context(
            StylizerCore(stylizer_options, notify=notify, progress=progress)
        )
        info = _wait_opened(capture)
        notify(f"Source {info}.")
        size = _describe_size(options, stylizer)
        notify(f"Running on {stylizer.device} with {stylizer.engine}, {size}.")
        stylizer.prepare((info.width, info.height), stylizer.size)
        pipeline = LivePipeline(
            capture,
            stylizer,
            _pipeline_options(options, stylizer),
            view=ViewState(mirror=options.mirror),
            sinks=sinks,
            notify=notify,
        )
        display: WindowDisplay | None = None

        def notify_all(sentence: str) -> None:
            notify(sentence)
            if display is not None:
                display.notify(sentence)

        streams = _open_streams(options, info, pipeline, sound, notify_all, stack)
        if options.window:
            display = _open_display(options, info, pipeline, stylizer, recorder, streams, sound)
        for url in options.streams:
            streams.start(url)
        stop.on_request = pipeline.stop
        began.append(time.monotonic())
        pipeline.run(display)
        return _report(pipeline, stylizer, capture, info)


def _open_sound(
    options: LiveOptions,
    origin: Callable[[], float | None],
    notify: Notify,
    stack: ExitStack,
) -> SoundTrack | None:
    if options.audio is None:
        return None
    worker = stack.enter_context(SoundWorker(partial(open_sound, options.audio), origin, notify))
    notify(f"Sound from the {worker.name}.")
    return worker.track


def _sound_origin(capture: CaptureWorker, began: Sequence[float]) -> float | None:
    """Return when the sound of a file begins: with a source that is a file, else with the show."""
    if not began or (capture.paused_until_read and capture.first_time is None):
        return None
    return capture.first_time if capture.paused_until_read else began[0]


def _open_recorder(
    options: LiveOptions, sound: SoundTrack | None, notify: Notify, stack: ExitStack
) -> Recorder | None:
    if options.record is None:
        return None
    recorder = Recorder(options.record, options.request.fps, sound=sound)
    stack.callback(recorder.close)
    if recorder.notice:
        notify(recorder.notice)
    return recorder


def _wait_opened(capture: CaptureWorker) -> SourceInfo:
    info = capture.wait_opened()
    assert info is not None  # without a limit it returns a value or raises
    return info


def _open_virtual_camera(
    options: LiveOptions, info: SourceInfo, notify: Notify, stack: ExitStack
) -> Sink:
    from live_nst.sinks.virtual_camera import VirtualCamera

    rate = info.fps or options.request.fps
    camera = VirtualCamera(options.virtual_camera or None, rate, (info.width, info.height))
    stack.callback(camera.close)
    notify(f"Feeding {camera.name} at {camera.size[0]}x{camera.size[1]}, {rate:g} fps.")
    return camera


def _open_streams(
    options: LiveOptions,
    info: SourceInfo,
    pipeline: LivePipeline,
    sound: SoundTrack | None,
    notify: Notify,
    stack: ExitStack,
) -> LiveStreams:
    """Return the streams of the session; none runs yet."""
    streams = LiveStreams(
        pipeline.add_sink,
        fps=info.fps or options.request.fps,
        bitrate=options.bitrate,
        encoder=options.encoder,
        sound=sound,
        notify=notify,
    )
    return stack.enter_context(streams)


def _describe_size(options: LiveOptions, stylizer: StylizerCore) -> str:
    if options.stylizer.size is None:
        return f"size {stylizer.size} at first, then as holds {options.request.fps:g} fps"
    return f"size {stylizer.size}"


def _pipeline_options(options: LiveOptions, stylizer: StylizerCore) -> PipelineOptions:
    return PipelineOptions(
        max_frames=options.frames,
        max_seconds=options.duration,
        fps=options.request.fps,
        automatic_size=options.stylizer.size is None,
        overlap=stylizer.device != "cpu",
        reuse_static=options.stylizer.stabilize != "off",
    )


def _open_display(
    options: LiveOptions,
    info: SourceInfo,
    pipeline: LivePipeline,
    stylizer: StylizerCore,
    recorder: Recorder | None,
    streams: LiveStreams,
    sound: SoundTrack | None,
) -> WindowDisplay:
    """Open the window, with its overlay and keys."""
    from live_nst.sinks.window import Window

    styles = options.stylizer.styles
    if len(styles) == 1:
        styles += tuple(name for name in builtin_styles() if name not in styles)
    handler = ActionHandler(
        pipeline,
        stylizer,
        styles,
        lambda sentence: display.notify(sentence),
        folder=Path(),
        recorder=recorder,
        sound=sound,
    )
    window = Window("live-nst", (info.width, info.height), options.fullscreen)
    figures = partial(_overlay_lines, pipeline, stylizer, streams)
    display = WindowDisplay(window, figures, handler.perform, SystemClock())
    return display


def _overlay_lines(
    pipeline: LivePipeline, stylizer: StylizerCore, streams: LiveStreams
) -> list[str]:
    stats, worker = pipeline.stats, pipeline.worker
    return [
        f"{stats.current_fps:.1f} fps   latency {1000 * stats.current_latency:.0f} ms   "
        f"dropped {pipeline.dropped}{'   static scene' if worker.is_static else ''}",
        "   ".join((stylizer.style, *_describe_look(stylizer))),
        f"{stylizer.model_name}   {stylizer.engine}   {stylizer.device}   "
        f"{_format_size(worker.network_size)}"
        f"{' auto' if worker.size_controller.automatic else ''}",
        *(f"stream {status.address} {status.state}" for status in streams.statuses()),
        "h help   q quit",
    ]


def _describe_look(stylizer: StylizerCore) -> list[str]:
    """Return the parts of the look that differ from the default, and the strength."""
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


def _format_size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _report(
    pipeline: LivePipeline, stylizer: StylizerCore, capture: CaptureWorker, info: SourceInfo
) -> LiveReport:
    stats, sizes = pipeline.stats, pipeline.worker.size_controller
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
        size=_format_size(pipeline.worker.network_size),
        automatic_size=sizes.automatic,
        frames_by_size={
            _format_size(size): frames for size, frames in sorted(sizes.frames_by_size.items())
        },
        peak_rss_mb=round(peak_rss_mb(), 1),
        source=info.name,
        style=stylizer.style,
        reconnects=capture.reopened,
    )
