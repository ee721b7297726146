"""The figures of a session for Prometheus."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from live_nst.live.session import LiveSession
from live_nst.runtime.extras import import_extra
from live_nst.runtime.timing import Histogram

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import HistogramMetricFamily, Metric

PREFIX = "live_nst_"

GetSession = Callable[[], LiveSession | None]
"""Returns the session that runs; None while there is none."""


def make_registry(get_session: GetSession) -> "CollectorRegistry":
    """Return a registry of its own with the figures of a session and of this process.

    Args:
        get_session: Called for every scrape.

    Raises:
        DeviceError: prometheus-client is not installed.
    """
    import_extra("prometheus_client", "studio", "--metrics")
    from prometheus_client import CollectorRegistry, ProcessCollector

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_SessionCollector(get_session))
    ProcessCollector(registry=registry)
    return registry


class _SessionCollector:
    """Reads a session whenever it is scraped: nothing is counted twice, and frames cost nothing."""

    def __init__(self, get_session: GetSession) -> None:
        self._get_session = get_session

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client.core import GaugeMetricFamily

        session = self._get_session()
        yield GaugeMetricFamily(
            PREFIX + "up", "Whether a session runs.", value=float(session is not None)
        )
        if session is not None:
            yield from _frames(session)
            yield from _times(session)
            yield from _setup(session)
            yield from _outputs(session)


def _frames(session: LiveSession) -> "Iterator[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    stats = session.pipeline.stats
    yield CounterMetricFamily(
        PREFIX + "frames", "Stylized frames that were shown.", value=stats.frames
    )
    yield CounterMetricFamily(
        PREFIX + "repeated_frames",
        "Frames for which the last stylized frame was shown again, as nothing had moved.",
        value=stats.repeated,
    )
    yield CounterMetricFamily(
        PREFIX + "dropped_frames",
        "Frames that were late, or replaced by newer ones before they were stylized.",
        value=session.pipeline.dropped,
    )
    yield GaugeMetricFamily(
        PREFIX + "fps", "Shown frames per second in the last two seconds.", value=stats.current_fps
    )


def _times(session: LiveSession) -> "Iterator[Metric]":
    from prometheus_client.core import HistogramMetricFamily

    stats = session.pipeline.stats
    latency = HistogramMetricFamily(PREFIX + "latency_seconds", "From the capture to the display.")
    _add(latency, [], stats.latency_histogram)
    yield latency
    stages = HistogramMetricFamily(
        PREFIX + "stage_seconds", "Duration of one step of a frame.", labels=["stage"]
    )
    for stage, histogram in stats.stage_histograms.items():
        _add(stages, [stage], histogram)
    yield stages


def _add(family: "HistogramMetricFamily", labels: list[str], histogram: Histogram) -> None:
    buckets, total = histogram.cumulative()
    bounds = [*(f"{bound:g}" for bound in histogram.bounds), "+Inf"]
    family.add_metric(labels, list(zip(bounds, buckets, strict=True)), total)


def _setup(session: LiveSession) -> "Iterator[Metric]":
    from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

    worker, stylizer = session.pipeline.worker, session.stylizer
    size = GaugeMetricFamily(
        PREFIX + "network_pixels", "Size of the image that the network sees.", labels=["side"]
    )
    for side, pixels in zip(("width", "height"), worker.network_size, strict=True):
        size.add_metric([side], pixels)
    yield size
    yield GaugeMetricFamily(
        PREFIX + "automatic_size",
        "Whether the size is chosen by speed.",
        value=float(worker.size_controller.automatic),
    )
    yield GaugeMetricFamily(
        PREFIX + "static_scene", "Whether nothing moves.", value=float(worker.is_static)
    )
    yield GaugeMetricFamily(
        PREFIX + "strength",
        "Strength of the style, 0 to 1.",
        value=session.control.settings.strength,
    )
    yield InfoMetricFamily(
        PREFIX + "session",
        "What runs.",
        value={
            "model": stylizer.model_name,
            "engine": stylizer.engine,
            "device": stylizer.device,
            "source": session.info.name,
            "style": session.control.settings.style.label,
        },
    )


def _outputs(session: LiveSession) -> "Iterator[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    yield GaugeMetricFamily(
        PREFIX + "source_up",
        "Whether the source gives frames.",
        value=float(not session.pipeline.notice),
    )
    yield CounterMetricFamily(
        PREFIX + "source_reopened", "How often the source was reopened.", value=session.reopened
    )
    up = GaugeMetricFamily(
        PREFIX + "output_up", "Whether an output gets frames.", labels=["output"]
    )
    up.add_metric(["recording"], float(session.control.recorder is not None))
    up.add_metric(["virtual camera"], float(session.virtual_camera is not None))
    yield up
    streams = GaugeMetricFamily(
        PREFIX + "stream_up", "Whether a stream is live.", labels=["stream", "address", "state"]
    )
    for stream in session.streams.statuses():
        is_live = float(stream.state == "live")
        streams.add_metric([str(stream.id), stream.address, stream.state], is_live)
    yield streams
    lost = CounterMetricFamily(
        PREFIX + "output_dropped_frames", "Frames that an output was too slow for.",
        labels=["output"],
    )  # fmt: skip
    for name, dropped in session.pipeline.dropped_by_sinks().items():
        lost.add_metric([name], dropped)
    yield lost
