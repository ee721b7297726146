"""The measurements of a live session, and the report that `--stats` writes."""

import sys
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from live_nst.runtime.machine import process_age
from live_nst.runtime.timing import Histogram, RateMeter, RollingPercentiles


@dataclass(frozen=True, slots=True)
class LiveReport:
    """The figures of one session.

    Attributes:
        frames: Stylized frames that were shown, each counted once.
        repeated: Frames for which the last stylized frame was shown again, as nothing had moved.
        fps: Shown frames per second, from the first to the last.
        dropped: Frames that were late, or replaced by newer ones before they were stylized.
        latency_ms: Capture to display: percentiles "p50", "p95" and "p99" in milliseconds.
        stage_ms: Median milliseconds of "wait" (from the capture until the worker begins),
            "stylize", "compose" and "display".
        style_computations: How often the style part of the model ran; 0 if all styles were cached.
        startup_seconds: From the start of the process to the first shown frame.
        model: Name of the model.
        engine: Name and version of the engine.
        device: "cpu", or the name of the GPU.
        size: "WIDTHxHEIGHT" in pixels of what the network saw last.
        automatic_size: Whether the size was chosen by speed at the end.
        frames_by_size: Stylized frames by "WIDTHxHEIGHT" of what the network saw.
        peak_rss_mb: Largest resident set of the process, in megabytes.
        source: Name of the source.
        style: The style in use at the end.
        reconnects: How often the source was reopened.
    """

    frames: int
    repeated: int
    fps: float
    dropped: int
    latency_ms: dict[str, float]
    stage_ms: dict[str, float]
    style_computations: int
    startup_seconds: float
    model: str
    engine: str
    device: str
    size: str
    automatic_size: bool
    frames_by_size: dict[str, int]
    peak_rss_mb: float
    source: str
    style: str
    reconnects: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as `--stats` writes them."""
        return asdict(self)


_STAGES = ("wait", "stylize", "compose", "display")
_BOUNDS = (0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2, 0.3, 0.5, 1.0, 2.0)
"""Of the histograms, in seconds: dense around the interval of frames."""


class LiveStats:
    """Collects the measurements of a running session. Times are in seconds.

    Attributes:
        frames: Number of shown frames.
        repeated: Number of frames for which the last stylized frame was used again.
        startup_seconds: From the start of the process to the first shown frame.
        latency_histogram: All latencies since the start.
        stage_histograms: All durations of each stage since the start.
    """

    def __init__(self) -> None:
        self.frames = self.repeated = 0
        self.startup_seconds = 0.0
        self._first = self._last = 0.0
        self._rate = RateMeter()
        self._latency = RollingPercentiles()
        self._recent_latency = RollingPercentiles(capacity=60)
        self._stages = {stage: RollingPercentiles() for stage in _STAGES}
        self.latency_histogram = Histogram(_BOUNDS)
        self.stage_histograms = {stage: Histogram(_BOUNDS) for stage in _STAGES}

    def add_stage(self, stage: str, seconds: float) -> None:
        """Add the duration of one step of a frame."""
        self._stages[stage].add(seconds)
        self.stage_histograms[stage].add(seconds)

    def add_repeated(self) -> None:
        """Count a frame for which the last stylized frame was used again."""
        self.repeated += 1

    def add_frame(self, captured: float, shown: float) -> None:
        """Count a frame by the times when it was captured and shown."""
        if not self.frames:
            self._first = shown
            self.startup_seconds = process_age()
        self.frames += 1
        self._last = shown
        self._rate.tick(shown)
        self._latency.add(shown - captured)
        self._recent_latency.add(shown - captured)
        self.latency_histogram.add(shown - captured)

    @property
    def current_fps(self) -> float:
        """Shown frames per second in the last two seconds."""
        return self._rate.rate()

    @property
    def current_latency(self) -> float:
        """Median latency of the last 60 frames, in seconds."""
        return self._recent_latency.percentile(50)

    def fps(self) -> float:
        """Return shown frames per second over the whole session."""
        seconds = self._last - self._first
        return (self.frames - 1) / seconds if seconds > 0 else 0.0

    def latency_ms(self) -> dict[str, float]:
        """Return percentiles of the time from capture to display."""
        return {f"p{p}": round(1000 * self._latency.percentile(p), 2) for p in (50, 95, 99)}

    def stage_ms(self, percent: float = 50) -> dict[str, float]:
        """Return a percentile of each stage, by default the median; unused stages are left out."""
        return {
            stage: round(1000 * samples.percentile(percent), 2)
            for stage, samples in self._stages.items()
            if len(samples)
        }


def peak_rss_mb() -> float:
    """Return the largest resident set of this process until now, in megabytes."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 1e6
    import resource  # does not exist on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)  # bytes on macOS, else kilobytes
