"""What tone mapping costs: HDR frames against SDR frames of 10 bits, in turns.

    python -m benchmarks.convert.hdr [--frames 60] [--size 1920x1080]

All have the same pixels and only other color tags. Each kind is converted to BGR as `convert` does,
one frame of each after the other, so that a busy machine slows all of them down alike.
"""

import argparse
import json
import os
import statistics
import sys
import time

import av

from live_nst.video.color import BT709, BT2020, HLG, LIMITED, PQ, ToBgr
from live_nst.video.geometry import Orientation
from tools.draw_demo.scene import DemoScene

PROMISE = 2.0
SCENES = 8
TAGS = {
    "SDR": (BT709, BT709, BT709),  # matrix, primaries, transfer function
    "HLG": (BT2020, BT2020, HLG),
    "PQ": (BT2020, BT2020, PQ),
}


def main(argv: list[str]) -> int:
    """Measure, print, and answer 1 if the promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convert.hdr", description=__doc__)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", default="1920x1080")
    arguments = parser.parse_args(argv)
    width, height = (int(side) for side in arguments.size.split("x"))
    frames = {kind: draw(width, height, tags) for kind, tags in TAGS.items()}
    converters = {kind: ToBgr((width, height), Orientation()) for kind in TAGS}
    first = {kind: cost(converters[kind], frames[kind][0]) for kind in TAGS}
    costs: dict[str, list[float]] = {kind: [] for kind in TAGS}
    for number in range(arguments.frames):
        for kind in TAGS:
            costs[kind].append(cost(converters[kind], frames[kind][number % SCENES]))
    medians = {kind: statistics.median(each) for kind, each in costs.items()}
    ratios = {kind: round(medians[kind] / medians["SDR"], 2) for kind in ("HLG", "PQ")}
    report = {
        "ms of cpu, first frame": {kind: round(each, 1) for kind, each in first.items()},
        "ms of cpu, median": {kind: round(each, 2) for kind, each in medians.items()},
        "ratio": ratios,
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(report, indent=1))
    return int(max(ratios.values()) > PROMISE)


def draw(width: int, height: int, tags: tuple[int, int, int]) -> list[av.VideoFrame]:
    """The demo scene at several times, in 4:2:0 with 10 bits and these tags."""
    scene, frames = DemoScene(width, height), []
    for number in range(SCENES):
        frame = av.VideoFrame.from_ndarray(scene.draw(number), format="bgr24")
        frame = frame.reformat(format="yuv420p10le", dst_colorspace=BT709, dst_color_range=LIMITED)
        frame.colorspace, frame.color_primaries, frame.color_trc = tags
        frame.color_range = LIMITED
        frames.append(frame)
    return frames


def cost(to_bgr: ToBgr, frame: av.VideoFrame) -> float:
    """Milliseconds of processor time, over all threads of this process."""
    begin = time.process_time()
    to_bgr(frame)
    return 1000 * (time.process_time() - begin)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
