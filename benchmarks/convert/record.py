"""How near a conversion comes to its stages, shared out perfectly over the cores."""

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
from live_nst.conversion.video.color import FromBgr, ToBgr
from live_nst.conversion.video.convert import VideoTask, available_cores, convert_video
from live_nst.conversion.video.reader import FrameReader
from live_nst.conversion.video.segment_writer import SegmentEncoder
from live_nst.sinks.recorder import Recorder
from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer.core import StylizerCore

PROMISE = 0.9
FRAMES = 200


def main(argv: list[str]) -> int:
    """Measure, print, and answer 1 if the promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks convert", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=384)
    arguments = parser.parse_args(argv)
    with (
        tempfile.TemporaryDirectory() as folder,
        StylizerCore(
            "mobile", size=arguments.size, device="cpu", concurrency=available_cores()
        ) as stylizer,
    ):
        film = draw_film(Path(folder, "film.mp4"))
        rounds = [
            one_round(film, Path(folder, "out.mp4"), stylizer) for _ in range(arguments.rounds)
        ]
    share = statistics.median(each["share"] for each in rounds)
    print(json.dumps({"cores": available_cores(), "rounds": rounds, "share": share}, indent=1))
    return int(share < PROMISE)


def draw_film(path: Path) -> Path:
    """The demo scene at 1280x720."""
    from live_nst.types import Frame

    scene = DemoVideo(1280, 720)
    with Recorder(path) as recorder:
        for number in range(FRAMES):
            recorder.write(Frame(scene.image_at(number / 30), number, number / 30))
    return path


def one_round(film: Path, output: Path, stylizer: StylizerCore) -> dict[str, Any]:
    """The stages alone, in processor time per frame; then the whole, in frames per second."""
    output.unlink(missing_ok=True)
    task = VideoTask.open(film, output, ConvertOptions())
    frames: list[Any] = []
    costs = {"decode": cost(lambda: frames.extend(FrameReader(task.info).frames()))}
    to_bgr = ToBgr(task.info.size, task.info.rotation)
    pictures = frames[:: len(frames) // 40]
    images = [to_bgr(frame.picture) for frame in pictures]
    costs["to bgr"] = cost(lambda: each(to_bgr, [f.picture for f in pictures]), len(pictures))
    painted = [stylizer.network(image) for image in images]
    costs["network"] = cost(lambda: each(stylizer.network, images), len(images))
    pairs = list(zip(images, painted, strict=True))
    finished = [stylizer.finish(*pair) for pair in pairs]
    costs["finish"] = cost(lambda: each(lambda pair: stylizer.finish(*pair), pairs), len(pairs))
    encoding = task.encoding(available_cores())
    from_bgr = FromBgr(encoding.pixels, encoding.color)
    costs["from bgr"] = cost(lambda: each(from_bgr, finished), len(finished))
    costs["encode"] = cost(lambda: encode(encoding, [from_bgr(i) for i in finished]), len(finished))
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


def encode(encoding: Any, pictures: list[Any]) -> None:
    """All of them, as one segment."""
    encoder = SegmentEncoder(encoding, 0, 0)
    for number, picture in enumerate(pictures):
        encoder.write(picture, number * round(1 / (30 * encoding.time_base)))
    encoder.finish(len(pictures), 0, 1, 0, "", False)


def each(call: Callable[[Any], Any], items: Iterable[Any]) -> None:
    """Call it with every item."""
    for item in items:
        call(item)


def cost(work: Callable[[], None], frames: int = FRAMES) -> float:
    """Seconds of processor time per frame, over all threads of this process."""
    begin = time.process_time()
    work()
    return (time.process_time() - begin) / frames
