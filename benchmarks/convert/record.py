"""Measure the speed of a conversion relative to its stages spread over all cores."""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ProgressReporter
from live_nst.conversion.video.convert import convert_video
from live_nst.conversion.video.reader import FrameReader
from live_nst.conversion.video.segment_writer import SegmentEncoder
from live_nst.conversion.video.task import VideoTask
from live_nst.runtime.machine import available_cores
from live_nst.sinks.recorder import Recorder
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.video.color import FromBgr, ToBgr
from tools.draw_demo.scene import DemoScene

MIN_SHARE = 0.9
FRAMES = 200


def main(argv: list[str]) -> int:
    """Print the results as JSON and return 1 if the promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks convert", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=384)
    arguments = parser.parse_args(argv)
    with (
        tempfile.TemporaryDirectory() as folder,
        StylizerCore(
            StylizerOptions(
                model="mobile", size=arguments.size, device="cpu", concurrency=available_cores()
            )
        ) as stylizer,
    ):
        video = write_demo_video(Path(folder, "video.mp4"))
        rounds = [
            one_round(video, Path(folder, "out.mp4"), stylizer) for _ in range(arguments.rounds)
        ]
    share = statistics.median(each["share"] for each in rounds)
    print(json.dumps({"cores": available_cores(), "rounds": rounds, "share": share}, indent=1))
    return int(share < MIN_SHARE)


def write_demo_video(path: Path) -> Path:
    """Record the demo at 1280x720."""
    from live_nst.types import Frame

    scene = DemoScene(1280, 720)
    with Recorder(path) as recorder:
        for number in range(FRAMES):
            recorder.write(Frame(scene.draw(number / 30), number, number / 30))
    return path


def one_round(video: Path, output: Path, stylizer: StylizerCore) -> dict[str, Any]:
    """Return the processor time of each stage per frame and the rate of the conversion."""
    output.unlink(missing_ok=True)
    task = VideoTask.open(video, output, ConvertOptions())
    frames: list[Any] = []
    costs = {"decode": cpu_seconds(lambda: frames.extend(FrameReader(task.info).frames()))}
    to_bgr = ToBgr(task.info.size, task.info.orientation)
    samples = frames[:: len(frames) // 40]
    images = [to_bgr(frame.av_frame) for frame in samples]
    costs["to bgr"] = cpu_seconds(
        lambda: for_each(to_bgr, [f.av_frame for f in samples]), len(samples)
    )
    stylized = [stylizer.infer(image) for image in images]
    costs["network"] = cpu_seconds(lambda: for_each(stylizer.infer, images), len(images))
    pairs = list(zip(images, stylized, strict=True))
    finished = [stylizer.postprocess(*pair) for pair in pairs]
    costs["finish"] = cpu_seconds(
        lambda: for_each(lambda pair: stylizer.postprocess(*pair), pairs), len(pairs)
    )
    encoding = task.encoder_settings(available_cores())
    from_bgr = FromBgr(encoding.pixels, encoding.color)
    costs["from bgr"] = cpu_seconds(lambda: for_each(from_bgr, finished), len(finished))
    costs["encode"] = cpu_seconds(
        lambda: encode(encoding, [from_bgr(i) for i in finished]), len(finished)
    )
    costs["encode"] -= costs["from bgr"]
    report = convert_video(task, stylizer, ProgressReporter())
    ideal = available_cores() / sum(costs.values())
    milliseconds = {stage: round(1000 * seconds, 2) for stage, seconds in costs.items()}
    share = report.fps / ideal
    return {
        "ms of cpu": milliseconds,
        "ideal fps": round(ideal, 1),
        "fps": round(report.fps, 1),
        "share": round(share, 3),
        "load": round(os.getloadavg()[0], 1),
    }


def encode(encoding: Any, av_frames: list[Any]) -> None:
    """Encode the frames as one segment."""
    encoder = SegmentEncoder(encoding, 0, 0)
    for number, av_frame in enumerate(av_frames):
        encoder.write(av_frame, number * round(1 / (30 * encoding.time_base)))
    encoder.flush()


def for_each(call: Callable[[Any], Any], items: Iterable[Any]) -> None:
    """Call a function with each item."""
    for item in items:
        call(item)


def cpu_seconds(work: Callable[[], None], frames: int = FRAMES) -> float:
    """Return the processor time per frame in seconds, over all threads of this process."""
    begin = time.process_time()
    work()
    return (time.process_time() - begin) / frames
