"""The whole pipeline, without window and recording, on the demo source."""

from functools import partial

from live_nst.live.capture import Capture
from live_nst.live.pipeline import LivePipeline
from live_nst.sources.base import SourceRequest
from live_nst.sources.demo import DemoSource
from live_nst.stylizer import Stylizer


def live_round(stylizer: Stylizer, source_fps: float, seconds: float) -> dict[str, float]:
    """Run the pipeline for `seconds` on a 1280x720 source, and give its figures."""
    capture = Capture(partial(DemoSource, SourceRequest(1280, 720, source_fps)))
    capture.start()
    capture.wait_opened()
    pipeline = LivePipeline(capture, stylizer, max_seconds=seconds)
    pipeline.run()
    stats = pipeline.stats
    return {
        "fps": stats.fps(),
        "dropped": float(pipeline.dropped),
        **stats.latency_ms(),
        **{f"{stage}_ms": ms for stage, ms in stats.stage_ms().items()},
    }
