"""The figures of a session as text: over the image while it runs, as a report at its end."""

from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.pipeline import LivePipeline
from live_nst.live.stats import LiveReport, peak_rss_mb
from live_nst.live.streams import LiveStreams
from live_nst.masks.regions import EVERYWHERE
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import BLEND_STYLES


def overlay_lines(
    pipeline: LivePipeline, stylizer: StylizerCore, streams: LiveStreams
) -> list[str]:
    """Return the lines that the window shows over the image."""
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


def make_report(
    pipeline: LivePipeline, stylizer: StylizerCore, capture: CaptureWorker
) -> LiveReport:
    """Return the figures of a session at its end."""
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
        source=capture.info.name if capture.info else "",
        style=stylizer.style,
        reconnects=capture.reopened,
    )
