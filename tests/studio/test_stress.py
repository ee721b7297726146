"""Many viewers, and viewers that come and go: what they leave behind."""

import gc
import socket
import threading
import time

import httpx
import psutil
import pytest

from tests.studio.conftest import StudioHarness

pytestmark = pytest.mark.slow


def test_a_thousand_viewers_leave_nothing_behind(studio: StudioHarness) -> None:
    studio.start()
    process = psutil.Process()

    def visit(count: int) -> None:
        for number in range(count):
            if number % 4 == 0:
                with studio.connect("/api/events") as events:
                    events.receive_json()
            elif number % 4 == 1:
                with studio.connect("/api/video") as video:
                    video.receive_bytes()
            elif number % 4 == 2:
                with studio.client.stream("GET", "/stream.mjpeg?width=32") as pictures:
                    next(pictures.iter_raw())
            else:  # one that goes without a word
                host, port = studio.address.split(":")
                with socket.create_connection((host, int(port))) as connection:
                    connection.sendall(b"GET /stream.mjpeg HTTP/1.1\r\nHost: " + host.encode())
        studio.wait(lambda: studio.state()["viewers"] == 0)

    def used() -> tuple[int, int, int]:
        gc.collect()
        time.sleep(1.0)
        return threading.active_count(), process.num_fds(), process.memory_info().rss

    visit(100)
    threads, descriptors, memory = used()
    visit(1000)
    after = used()
    assert after[0] <= threads + 2
    assert after[1] <= descriptors + 5
    assert after[2] <= memory + 20e6, f"{(after[2] - memory) / 1e6:.1f} MB more"
    assert studio.state()["session"]["running"]


def test_thirty_viewers_are_served_alike(studio: StudioHarness) -> None:
    studio.start()
    counts = [0] * 30
    stop = threading.Event()
    encodings = studio.parts.studio.session().streams.encoder
    encoded: list[int] = []
    encode = encodings._encode

    def counted(frame: object) -> None:
        encoded.append(1)
        encode(frame)  # type: ignore[arg-type]

    encodings._encode = counted  # type: ignore[method-assign,assignment]

    def view(number: int) -> None:
        with studio.connect("/api/video") as viewer:
            while not stop.is_set():
                viewer.receive_bytes()
                counts[number] += 1

    threads = [threading.Thread(target=view, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    studio.wait(lambda: studio.state()["viewers"] == 30)
    frames = studio.state()["figures"]["frames"]
    time.sleep(5)
    shown = studio.state()["figures"]["frames"] - frames
    stop.set()
    for thread in threads:
        thread.join(10)
    assert shown > 50
    assert len(encoded) < 3 * sum(counts) / 30 + 200  # once each, not once for each viewer
    assert min(counts) > 0.5 * max(counts)


def test_slow_uploads_stall_nobody(studio: StudioHarness) -> None:
    studio.start()
    host, port = studio.address.split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(20)]
    for connection in slow:
        connection.sendall(
            f"POST /api/styles HTTP/1.1\r\nHost: {studio.address}\r\nContent-Type: image/png\r\n"
            "Content-Length: 1000000\r\n\r\nx".encode()
        )
    with studio.connect("/api/video") as viewer:
        for _ in range(30):
            viewer.receive_bytes()
    assert httpx.get(f"http://{studio.address}/api/state").status_code == 200
    for connection in slow:
        connection.close()
