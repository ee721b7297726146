import json
import os
import time

import numpy as np
import psutil
import pytest

from live_nst.live.stats import LiveReport, LiveStats, peak_rss_mb


def test_steady_stream() -> None:
    stats = LiveStats()
    for number in range(101):
        captured = 50 + number / 25
        stats.add_frame(captured, captured + 0.030)
    assert stats.frames == 101
    assert stats.fps() == pytest.approx(25.0)
    assert stats.current_fps == pytest.approx(25.0)
    assert stats.current_latency == pytest.approx(0.030)
    assert stats.latency_ms() == {"p50": 30.0, "p95": 30.0, "p99": 30.0}


def test_latency_percentiles() -> None:
    latencies = np.random.default_rng(5).gamma(2.0, 0.02, 500)
    stats = LiveStats()
    for number, latency in enumerate(latencies):
        stats.add_frame(number, number + latency)
    wanted = {f"p{p}": 1000 * np.percentile(latencies, p) for p in (50, 95, 99)}
    assert stats.latency_ms() == pytest.approx(wanted, abs=0.006)
    assert stats.current_latency == pytest.approx(float(np.median(latencies[-60:])))


def test_fps_and_current_fps() -> None:
    stats = LiveStats()
    times = [*(0.1 * number for number in range(51)), *(5 + 0.5 * n for n in range(1, 11))]
    for moment in times:
        stats.add_frame(moment, moment)
    assert stats.current_fps == pytest.approx(2.0)
    assert stats.fps() == pytest.approx(60 / 10)


def test_without_frames() -> None:
    stats = LiveStats()
    assert (stats.frames, stats.fps(), stats.current_fps, stats.current_latency) == (0, 0, 0, 0)
    assert stats.latency_ms() == {"p50": 0.0, "p95": 0.0, "p99": 0.0}
    assert stats.stage_ms() == {}
    stats.add_frame(1.0, 1.1)
    assert stats.fps() == 0.0


def test_stage_ms() -> None:
    stats = LiveStats()
    for seconds in (0.010, 0.030, 0.020):
        stats.add_stage("stylize", seconds)
    stats.add_stage("compose", 0.0011)
    assert stats.stage_ms() == {"stylize": 20.0, "compose": 1.1}


def test_startup_seconds() -> None:
    stats = LiveStats()
    stats.add_frame(0.0, 1.0)
    first = stats.startup_seconds
    age = time.time() - psutil.Process(os.getpid()).create_time()
    assert 0 < first <= age + 0.05
    assert first > age - 5
    stats.add_frame(1.0, 2.0)
    assert stats.startup_seconds == first


def test_peak_rss_mb() -> None:
    now = psutil.Process().memory_info().rss / 1e6
    assert now * 0.9 < peak_rss_mb() < 100_000


def test_report_as_dict() -> None:
    report = LiveReport(
        frames=3, repeated=1, fps=2.5, dropped=1, latency_ms={"p50": 1.0},
        stage_ms={"stylize": 2.0}, style_computations=1, startup_seconds=4.0, model="mobile",
        engine="tensorflow 2", device="cpu", size="64x48", automatic_size=True,
        frames_by_size={"64x48": 3}, peak_rss_mb=512.0, source="demo", style="starry", reconnects=0,
    )  # fmt: skip
    values = json.loads(json.dumps(report.as_dict()))
    assert values["frames"] == 3 and values["latency_ms"] == {"p50": 1.0}
