"""Render the demo scene to the shipped video: `python -m tools.draw_demo`."""

import argparse
from pathlib import Path

import av
import cv2

from live_nst.sources.demo_video import FPS, KEYFRAME_INTERVAL, LOOP_SECONDS, VIDEO
from tools.draw_demo.scene import DemoScene

SIZE = (1280, 720)
QUALITY = 23
"""x264's constant rate factor. What 4:2:0 loses of the color is more than what this loses."""

_BT601 = 6  # FFmpeg's number of SMPTE 170M: the matrix of OpenCV's conversion
_LIMITED = 1  # FFmpeg's number of the range 16..235


def render(path: Path, size: tuple[int, int] = SIZE, preset: str = "slow") -> None:
    """Write one loop of the scene as H.264 in MP4.

    Args:
        path: The file to write.
        size: (width, height) in pixels, both even.
        preset: x264's preset.

    Raises:
        OSError: The file cannot be written.
    """
    scene = DemoScene(*size)
    # Key frames at fixed places: a reader of frame k knows where to start decoding.
    keys = f"keyint={KEYFRAME_INTERVAL}:min-keyint={KEYFRAME_INTERVAL}:scenecut=0"
    options = {"crf": str(QUALITY), "preset": preset, "x264-params": keys}
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT601
        context.color_range = _LIMITED
        for number in range(round(FPS * LOOP_SECONDS)):
            planes = cv2.cvtColor(scene.draw(number / FPS), cv2.COLOR_BGR2YUV_I420)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.colorspace, frame.color_range = number, _BT601, _LIMITED
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> None:
    """Render to the path that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.draw_demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=VIDEO, help="the file to write")
    path = parser.parse_args().out
    render(path)
    print(f"{path} ({path.stat().st_size // 1000} kB)")


if __name__ == "__main__":
    main()
