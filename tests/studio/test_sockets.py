"""The WebSockets: events, video, and the camera of a page."""

import contextlib
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import av
import cv2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from live_nst.studio.video import HEADER, KEYFRAME, KIND_CAMERA, KIND_VIDEO
from tests.live.fakes import frame
from tests.studio.conftest import Socket, StudioHarness

CAMERA = {"kind": "camera", "codec": "jpeg", "width": 64, "height": 48, "fps": 30}


def states(socket: Socket) -> Iterator[Any]:
    while True:
        message = socket.receive_json()
        if message["type"] == "state":
            yield message["state"]


def test_events(studio: StudioHarness) -> None:
    with studio.connect("/api/events") as socket:
        seen = states(socket)
        first = next(seen)
        assert not first["session"]["running"] and first["secure"]
        studio.host.begin()
        assert any(state["session"]["running"] for state in islice(seen, 80))
        studio.client.patch("/api/settings", json={"strength": 0.5})
        assert any(state["settings"]["strength"] == 0.5 for state in islice(seen, 20))


def test_sentences(studio: StudioHarness) -> None:
    studio.start()
    with studio.connect("/api/events") as socket:
        socket.receive_json()
        studio.client.patch("/api/settings", json={"style": "wave"})
        texts: list[str] = []
        while "style wave" not in texts:
            texts.append(socket.receive_json().get("text", ""))


def test_video(studio: StudioHarness) -> None:
    studio.start()
    before = time.monotonic()
    with studio.connect("/api/video") as socket:
        form = socket.receive_json()
        assert form["codec"].startswith("avc1.4D") and (form["width"], form["height"]) == (64, 48)
        decoder: Any = av.CodecContext.create("h264", "r")
        times, pictures = [], 0
        for number in range(12):
            data = socket.receive_bytes()
            kind, flags, width, height, zero, captured, _ = HEADER.unpack_from(data)
            assert (kind, width, height, zero) == (KIND_VIDEO, 64, 48, 0)
            assert (flags & KEYFRAME) or number > 0
            times.append(captured)
            pictures += len(decoder.decode(av.Packet(data[HEADER.size :])))
        assert pictures >= 10
        assert times == sorted(times) and before - 5 < times[0] < time.monotonic()
        socket.send_json(type="time", client=12.5)
        answer = socket.receive_json()
        assert answer["client"] == 12.5 and abs(answer["server"] - time.monotonic()) < 5
        socket.send_json(type="keyframe")
        while not HEADER.unpack_from(socket.receive_bytes())[1] & KEYFRAME:
            pass
        assert studio.state()["viewers"] == 1
    studio.wait(lambda: studio.state()["viewers"] == 0)


def test_video_goes_on_in_the_next_session(studio: StudioHarness) -> None:
    studio.start()
    with studio.connect("/api/video") as socket:
        socket.receive_bytes()
        studio.client.put("/api/session", json={"engine": "tensorflow"})
        last = time.monotonic()
        while HEADER.unpack_from(socket.receive_bytes())[5] < last:
            pass


def test_frozen_picture_reaches_a_new_viewer(studio: StudioHarness) -> None:
    studio.start()
    studio.client.patch("/api/settings", json={"frozen": True})
    with studio.connect("/api/video") as socket:
        assert socket.receive_json()["width"] == 64
        assert HEADER.unpack_from(socket.receive_bytes())[1] & KEYFRAME


@pytest.mark.parametrize("path", ["/api/events", "/api/video", "/api/camera"])
def test_messages_that_no_page_sends(studio: StudioHarness, path: str) -> None:
    studio.start()
    for message in ("", "x", "[]", "3", "[" * 4000, "x" * 9999, b"\0"):
        with studio.connect(path) as socket:
            socket.send(message)
            assert socket.closing_code() == 1008
    if path == "/api/video":
        for text in ('{"type":"time","client":"x"}', '{"type":"time","client":1e999}', "{}"):
            with studio.connect(path) as socket:
                socket.send(text)
                assert socket.closing_code() == 1008
    with studio.connect(path) as socket:
        with contextlib.suppress(ConnectionClosed):  # it may be closed before all is sent
            socket.send(b"x" * 5_000_000)
        # What was not read yet may reset the connection before the code arrives.
        assert socket.closing_code() in (0, 1006, 1009)
    assert [note for note in studio.notes if "unexpectedly" in note] == []
    assert studio.state()["session"]["running"]


def test_too_many_viewers(studio: StudioHarness) -> None:
    studio.start()
    studio.parts.hubs.video.viewers._most = 1
    with studio.connect("/api/video") as first, studio.connect("/api/video") as second:
        first.receive_json()
        assert "viewers" in second.receive_json()["error"]
        assert second.closing_code() == 1013


# The camera of a page.


def packet(data: bytes, index: int = 0, flags: int = KEYFRAME, kind: int = KIND_CAMERA) -> bytes:
    return HEADER.pack(kind, flags, 64, 48, 0, time.monotonic(), index) + data


def jpeg_of(number: int) -> bytes:
    image = np.full((48, 64, 3), number, np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


def use_browser(studio: StudioHarness) -> None:
    studio.start()
    state = studio.client.put("/api/session", json={"source": "browser"}).json()
    assert state["session"]["source"]["id"] == "browser"


def answers_of(socket: Socket, count: int) -> list[Any]:
    return [socket.receive_json() for _ in range(count)]


def test_camera_of_a_page(studio: StudioHarness) -> None:
    use_browser(studio)
    frames = studio.state()["figures"]["frames"]
    with studio.connect("/api/camera") as socket:
        socket.send_json(**CAMERA)
        for index in range(5):
            socket.send(packet(jpeg_of(200), index))
            assert answers_of(socket, 1) == [{"ack": index}]
        studio.wait(lambda: studio.state()["figures"]["frames"] > frames)
        image = studio.parts.studio.session().control.newest
        assert image is not None and image.shape == (48, 64, 3)
        assert abs(int(image[5, 5, 0]) - 200) < 5
    studio.wait(lambda: "gone" in studio.state()["session"]["problem"])
    with studio.connect("/api/camera") as socket:  # it comes back at once
        socket.send_json(**(CAMERA | {"kind": "screen"}))
        socket.send(packet(jpeg_of(90)))
        assert answers_of(socket, 1) == [{"ack": 0}]
        studio.wait(lambda: studio.state()["session"]["problem"] == "")


def test_camera_of_a_page_as_h264(studio: StudioHarness) -> None:
    from live_nst.sinks.encoder import VideoEncoder

    use_browser(studio)
    encoder = VideoEncoder()
    reader = encoder.subscribe()
    for number in range(5):
        encoder.write(frame(number, time.monotonic()))
    with studio.connect("/api/camera") as socket:
        socket.send_json(**(CAMERA | {"codec": "h264"}))
        for index in range(5):
            encoded = reader.get(1.0)
            assert encoded is not None
            socket.send(packet(encoded.data, index, KEYFRAME if encoded.keyframe else 0))
        acks = [message["ack"] for message in answers_of(socket, 4)]
        assert acks == sorted(acks)
    encoder.close()


def test_camera_while_another_source_is_shown(studio: StudioHarness) -> None:
    studio.start()
    with studio.connect("/api/camera") as socket:
        socket.send_json(**CAMERA)
        assert "another source" in answers_of(socket, 1)[0]["error"]
        assert socket.closing_code() == 1013


def test_second_camera(studio: StudioHarness) -> None:
    use_browser(studio)
    with studio.connect("/api/camera") as first, studio.connect("/api/camera") as second:
        first.send_json(**CAMERA)
        first.send(packet(jpeg_of(1)))
        answers_of(first, 1)
        second.send_json(**CAMERA)
        assert "already" in answers_of(second, 1)[0]["error"]
        first.send(packet(jpeg_of(2), 1))
        assert answers_of(first, 1) == [{"ack": 1}]


@pytest.mark.parametrize(
    "start",
    [
        {"kind": "x"}, {"codec": "vp8"}, {"width": 0}, {"width": "64"}, {"width": 1e9},
        {"height": None}, {"height": True}, {"width": -4, "height": -4},
    ],
    ids=str,
)  # fmt: skip
def test_camera_that_says_nonsense(studio: StudioHarness, start: dict[str, Any]) -> None:
    use_browser(studio)
    with studio.connect("/api/camera") as socket:
        socket.send_json(**(CAMERA | start))
        assert socket.closing_code() == 1008


@pytest.mark.parametrize("codec", ["h264", "jpeg"])
def test_camera_that_sends_garbage(studio: StudioHarness, codec: str) -> None:
    use_browser(studio)
    generator = np.random.default_rng(1)
    with studio.connect("/api/camera") as socket:
        socket.send_json(**(CAMERA | {"codec": codec}))
        for index in range(100):
            data = generator.bytes(int(generator.integers(1, 3000)))
            start = b"\xff\xd8\xff" if codec == "jpeg" else b"\0\0\0\1\x67"
            socket.send(packet(start + data if index % 2 else data, index))
    with studio.connect("/api/camera") as socket:
        socket.send_json(**CAMERA)
        socket.send(packet(jpeg_of(7), 3))
        assert {"ack": 3} in answers_of(socket, 1)
    assert [note for note in studio.notes if "unexpectedly" in note] == []
    assert studio.state()["session"]["running"]


@pytest.mark.parametrize(
    "data",
    [b"", b"x", bytes(24), packet(b"x", kind=KIND_VIDEO)],
    ids=["empty", "short", "zeros", "video"],  # a packet has the time: no name for a test
)
def test_camera_with_a_wrong_header(studio: StudioHarness, data: bytes) -> None:
    use_browser(studio)
    with studio.connect("/api/camera") as socket:
        socket.send_json(**CAMERA)
        socket.send(data)
        assert socket.closing_code() == 1008
