"""The command that renders the demo scene to a video."""

from pathlib import Path

import av

from live_nst.sources.demo_video import FPS, KEYFRAME_INTERVAL, LOOP_SECONDS
from tools.draw_demo.__main__ import render


def test_render(tmp_path: Path) -> None:
    path = tmp_path / "demo.mp4"
    render(path, (64, 36), "ultrafast")
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert [frame.pts * frame.time_base * FPS for frame in frames] == list(range(len(frames)))
    assert len(frames) == FPS * LOOP_SECONDS
    keys = [number for number, frame in enumerate(frames) if frame.key_frame]
    assert keys == list(range(0, len(frames), KEYFRAME_INTERVAL))
