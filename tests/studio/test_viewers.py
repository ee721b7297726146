"""Queues of viewers: a slow one loses messages, a stalled one is let go."""

import asyncio
import itertools
from typing import Any

import pytest

from live_nst.sinks.encoder import EncodedFrame
from live_nst.studio import viewers as viewers_module
from live_nst.studio.pictures import PictureViewer, as_part, encode_jpeg
from live_nst.studio.requests import RequestError
from live_nst.studio.video import VideoViewer, codec_string, describe_video
from live_nst.studio.viewers import Viewer, Viewers, send_all
from tests.live.fakes import picture


def run(viewer: Viewer[Any]) -> list[Any]:
    """Return everything that waits for a viewer, up to its end."""

    async def collect() -> list[Any]:
        got = []
        while (message := await viewer.get()) is not None:
            got.append(message)
        return got

    viewer.end()
    return asyncio.run(collect())


def test_viewer_loses_what_it_is_too_slow_for() -> None:
    viewer: Viewer[int] = Viewer(3)
    for number in range(5):
        viewer.put(number)
    assert viewer.lost == 3
    assert run(viewer) == [3, 4]
    viewer.put(9)
    assert run(viewer) == []


def test_video_begins_and_goes_on_at_a_keyframe() -> None:
    viewer = VideoViewer()
    viewer.put_frame(b"a", "form", False)
    viewer.put_frame(b"KEY", "form", True)
    for _ in range(40):  # more than may wait
        viewer.put_frame(b"b", "form", False)
    viewer.put_frame(b"KEY 2", "form", True)
    viewer.put_frame(b"c", "form 2", False)
    assert run(viewer) == [b"KEY 2", "form 2", b"c"]


def test_format_comes_before_the_first_frame() -> None:
    viewer = VideoViewer()
    viewer.put_frame(b"KEY", "form", True)
    viewer.put_frame(b"a", "form", False)
    assert run(viewer) == ["form", b"KEY", b"a"]


def test_stalled_viewer_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers_module, "STALL_SECONDS", 0.01)
    viewer: Viewer[int] = Viewer(3)
    viewer.put(1)

    async def never(message: int) -> None:
        await asyncio.sleep(3600)

    with pytest.raises(TimeoutError):
        asyncio.run(send_all(viewer, never))


def test_one_stalled_viewer_holds_no_other_back() -> None:
    async def show() -> list[int]:
        group: Viewers[int] = Viewers("it", 2)
        group.bind(asyncio.get_running_loop())
        stalled: Viewer[int] = Viewer(2)
        fast: Viewer[int] = Viewer(2)
        group.add(stalled)
        group.add(fast)
        with pytest.raises(RequestError):
            group.add(Viewer(1))
        got = []
        for number in range(10):
            group.post(number)
            message = await fast.get()
            assert message is not None
            got.append(message)
        group.remove(stalled)
        group.end()
        assert await fast.get() is None
        return got

    assert asyncio.run(show()) == list(range(10))


def test_posts_after_the_end_of_the_loop_are_ignored() -> None:
    group: Viewers[int] = Viewers("it", 2)
    group.post(1)  # before it has one

    async def bind() -> None:
        group.bind(asyncio.get_running_loop())
        group.add(Viewer(1))

    asyncio.run(bind())
    group.post(2)
    group.call(group.end)


def test_rate_of_pictures() -> None:
    viewer = PictureViewer(None, 10.0)
    due = [number for number in range(90) if viewer.is_due(100 + number / 30)]
    assert len(due) == 30
    assert {b - a for a, b in itertools.pairwise(due)} == {3}
    slow = PictureViewer(None, 60.0)
    assert all(slow.is_due(100 + number / 30) for number in range(30))  # every frame there is


def test_pictures_are_scaled_down_only() -> None:
    import cv2
    import numpy as np

    for width, expected in ((32, (24, 32)), (None, (48, 64)), (640, (48, 64))):
        data = np.frombuffer(encode_jpeg(picture(3), width), np.uint8)
        assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape[:2] == expected  # type: ignore[union-attr]
    assert as_part(b"x").endswith(b"\r\n\r\nx\r\n--live-nst-frame\r\n")


def test_codec_is_read_from_the_stream() -> None:
    sps = b"\0\0\0\1\x09\x10\0\0\0\1\x67\x4d\x40\x1f\xaa\0\0\1\x68"
    assert codec_string(sps) == "avc1.4D401F"
    assert codec_string(b"") == codec_string(b"\0\0\1\x65aaaa") == "avc1.42E02A"
    frame = EncodedFrame(sps, True, 0.0, 0, (64, 48))
    assert describe_video(frame) == '{"codec":"avc1.4D401F","width":64,"height":48}'
