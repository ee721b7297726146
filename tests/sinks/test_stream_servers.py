"""Streams to real servers."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from live_nst.sinks.encoder import VideoEncoder
from live_nst.sinks.sound import SoundEncoder
from live_nst.sinks.stream import NetworkStream
from live_nst.sinks.stream_address import parse_stream_address
from tests.sinks.stream_servers import (
    Nginx,
    Show,
    checks,
    free_port,
    need,
    read_back,
    silent_listener,
    tls_proxy,
    wait_until,
)
from tests.sinks.test_recorder import bgr_by_bt709
from tests.sinks.test_sound import beeps, block, onsets


@pytest.fixture
def encoder() -> Iterator[VideoEncoder]:
    with VideoEncoder(30) as made:
        yield made


def open_stream(url: str, encoder: VideoEncoder) -> tuple[NetworkStream, list[str]]:
    said: list[str] = []
    return NetworkStream(parse_stream_address(url), encoder, notify=said.append), said


def check_pictures(pictures: list[av.VideoFrame], fps: float = 30.0) -> None:
    colors = bgr_by_bt709(pictures[-1])[8:40, 8:24].mean(axis=(0, 1))
    np.testing.assert_allclose(colors, (30, 40, 200), atol=6)
    instants = [picture.time for picture in pictures]
    assert np.median(np.diff(instants)) == pytest.approx(1 / fps, rel=0.1)


def test_hls(encoder: VideoEncoder, tmp_path: Path) -> None:
    stream, said = open_stream(str(tmp_path / "live.m3u8"), encoder)
    with stream, Show(encoder, checks):
        wait_until(lambda: stream.state == "live", "live")
        wait_until(lambda: (tmp_path / "live.m3u8").exists(), "the first segment")
    assert said == [f"The stream {tmp_path / 'live.m3u8'} is live."]
    pictures, sounds = read_back(tmp_path / "live.m3u8")
    check_pictures(pictures)
    assert sounds >= len(pictures)
    assert "#EXT-X-ENDLIST" in (tmp_path / "live.m3u8").read_text()


def test_udp(encoder: VideoEncoder, tmp_path: Path) -> None:
    received = tmp_path / "received.ts"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        stream, _ = open_stream(f"udp://127.0.0.1:{server.getsockname()[1]}", encoder)
        with stream, Show(encoder, checks):
            data = b""
            while len(data) < 25_000:
                datagram = server.recv(65536)
                assert len(datagram) <= 1316
                data += datagram
    received.write_bytes(data)
    pictures, sounds = read_back(received)
    check_pictures(pictures)
    assert sounds > 0


def test_nothing_listens(encoder: VideoEncoder) -> None:
    stream, said = open_stream(f"rtmp://127.0.0.1:{free_port()}/live/s3cr3t", encoder)
    with stream, Show(encoder, checks):
        wait_until(lambda: said, "a sentence")
        assert "nothing answers at that address" in said[0]
        assert stream.state == "connecting"
    assert "s3cr3t" not in f"{said} {stream.sentence}"


def test_rtmp(encoder: VideoEncoder, tmp_path: Path) -> None:
    server = Nginx(tmp_path / "nginx").start()
    try:
        stream, said = open_stream(server.url, encoder)
        with stream, Show(encoder, checks):
            wait_until(lambda: server.bytes_recorded > 10_000, "a recording")
        (recording,) = server.recordings
        pictures, sounds = read_back(recording)
        check_pictures(pictures)
        assert sounds >= len(pictures)
        assert said == [f"The stream rtmp://127.0.0.1:{server.port}/*** is live."]
    finally:
        server.kill()


def listen_with_ffmpeg(url: str, path: Path, *options: str) -> "subprocess.Popen[bytes]":
    """An `ffmpeg` that waits for a stream and writes it to a file."""
    command = [need("ffmpeg"), "-nostdin", "-loglevel", "error", *options, "-i", url, "-c", "copy"]
    return subprocess.Popen([*command, str(path)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheme", "options"), [("rtmp", ["-listen", "1"]), ("rtsp", ["-rtsp_flags", "listen"])]
)
def test_ffmpeg_listens(
    scheme: str, options: list[str], encoder: VideoEncoder, tmp_path: Path
) -> None:
    url = f"{scheme}://127.0.0.1:{free_port()}/live/s3cr3t"
    received = tmp_path / "received.mkv"
    server = listen_with_ffmpeg(url, received, *options)
    try:
        stream, said = open_stream(url, encoder)
        with stream, Show(encoder, checks):
            wait_until(lambda: stream.state == "live", "live")
            wait_until(lambda: encoder.size and len(said) and received.exists(), "a file")
            threading.Event().wait(2.0)
        server.wait(10)
        pictures, sounds = read_back(received)
        check_pictures(pictures)
        assert len(pictures) > 30
        assert sounds >= len(pictures)
    finally:
        server.kill()
        server.wait()


@pytest.mark.slow
@pytest.mark.parametrize("passphrase", ["", "s3cr3t-passphrase"])
def test_srt(passphrase: str, encoder: VideoEncoder, tmp_path: Path) -> None:
    port, udp = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    query = f"?mode=listener&passphrase={passphrase}" if passphrase else "?mode=listener"
    server = subprocess.Popen(
        [
            need("srt-live-transmit"),
            "-q",
            f"srt://127.0.0.1:{port}{query}",
            f"udp://127.0.0.1:{udp}",
        ]
    )
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", udp))
            receiver.settimeout(15)
            url = f"srt://127.0.0.1:{port}?streamid=s3cr3t-id"
            stream, said = open_stream(url + (passphrase and f"&passphrase={passphrase}"), encoder)
            with stream, Show(encoder, checks):
                data = b""
                while len(data) < 60_000:
                    data += receiver.recv(65536)
                assert "s3cr3t" not in list_processes()
        (tmp_path / "received.ts").write_bytes(data)
        pictures, sounds = read_back(tmp_path / "received.ts")
        check_pictures(pictures)
        assert sounds > 0
        assert said == [f"The stream srt://127.0.0.1:{port}/*** is live."]
    finally:
        server.kill()
        server.wait()


def list_processes() -> str:
    """The arguments of all processes but the server, which is given its passphrase openly."""
    lines = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True).stdout
    return "\n".join(line for line in lines.splitlines() if "srt-live-transmit" not in line)


class Interruption:
    """A stream to nginx with a recording beside it, which a test interrupts."""

    def __init__(self, folder: Path, bitrate: int = 8_000_000) -> None:
        self.server = Nginx(folder / "nginx")
        self.encoder = VideoEncoder(30, bitrate=bitrate)
        self.recorded = self.encoder.subscribe(10_000)  # what a recording beside it would get
        rng = np.random.default_rng(0)
        noise = [rng.integers(0, 256, (360, 640, 3), np.uint8) for _ in range(8)]
        self.show = Show(self.encoder, lambda index: noise[index % 8])
        self.said: list[str] = []
        self.stream: NetworkStream | None = None

    def __enter__(self) -> "Interruption":
        self.show.__enter__()
        return self

    def begin(self) -> NetworkStream:
        self.stream = NetworkStream(
            parse_stream_address(self.server.url), self.encoder, notify=self.said.append
        )
        return self.stream

    def wait_for(self, state: str, seconds: float = 20.0) -> float:
        """Return how many seconds it took."""
        assert self.stream is not None
        stream, start = self.stream, time.monotonic()
        wait_until(lambda: stream.state == state, f"{state}; {stream.sentence}", seconds)
        return time.monotonic() - start

    def wait_for_bytes(self) -> None:
        before = self.server.bytes_recorded
        wait_until(lambda: self.server.bytes_recorded > before + 100_000, "more data")

    def __exit__(self, *_: object) -> None:
        if self.stream is not None:
            self.stream.close()
        self.show.__exit__()
        self.encoder.close()
        self.server.kill()

    def check_show(self) -> None:
        """Nothing of the outage is seen in the frames of the show."""
        indexes = []
        while (frame := self.recorded.get(0)) is not None:
            indexes.append(frame.index)
        # A frame is repeated if the machine was too busy for the next one.
        assert list(dict.fromkeys(indexes)) == list(range(len(self.show.times)))
        assert self.recorded.dropped == 0


@pytest.mark.slow
def test_killed_server(tmp_path: Path) -> None:
    with Interruption(tmp_path) as test:
        test.server.start()
        test.begin()
        test.wait_for("live")
        test.wait_for_bytes()
        test.server.kill()
        assert test.wait_for("reconnecting") < 3
        time.sleep(5)
        test.server.start()
        assert test.wait_for("live") < 5
        test.wait_for_bytes()
        assert [s.rpartition("*** ")[2].partition(":")[0] for s in test.said] == [
            "is live.", "was lost", "is back."
        ]  # fmt: skip
    test.check_show()
    for recording in test.server.recordings[1:]:
        assert read_back(recording)[0]


@pytest.mark.slow
@pytest.mark.parametrize("bitrate", [400_000, 1_000_000, 8_000_000])
def test_frozen_server(bitrate: int, tmp_path: Path) -> None:
    with Interruption(tmp_path, bitrate) as test:
        test.server.start()
        test.begin()
        test.wait_for("live")
        test.wait_for_bytes()
        test.server.pause()
        test.wait_for("reconnecting", 10.0)
        time.sleep(5)
        test.server.resume()
        assert test.wait_for("live") < 5
        test.wait_for_bytes()
        assert "has taken nothing for 2 s" in test.said[1]
    test.check_show()


@pytest.mark.slow
def test_silent_server(tmp_path: Path) -> None:
    with Interruption(tmp_path) as test:
        with silent_listener(test.server.port):
            test.begin()
            wait_until(lambda: test.said, "a sentence")
            assert "the server does not answer" in test.said[0]
        test.server.start()
        assert test.wait_for("live") < 5
        test.wait_for_bytes()
    test.check_show()


@pytest.mark.slow
@pytest.mark.parametrize("case", ["right", "wrong name", "unknown authority"])
def test_certificates(
    case: str, encoder: VideoEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Nginx(tmp_path / "nginx").start()
    name = "other.example" if case == "wrong name" else "localhost"
    try:
        with tls_proxy(server.port, tmp_path, name) as port:
            if case != "unknown authority":
                monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
            stream, said = open_stream(f"rtmps://localhost:{port}/live/s3cr3t-key", encoder)
            with stream, Show(encoder, checks):
                wait_until(lambda: said, "a sentence")
                if case == "right":
                    assert said == [f"The stream rtmps://localhost:{port}/*** is live."]
                    wait_until(lambda: server.bytes_recorded > 10_000, "a recording")
                    assert "s3cr3t" not in list_processes()
                else:
                    assert "its certificate cannot be verified" in said[0]
        if case == "right":
            (recording,) = server.recordings
            assert recording.name.startswith("s3cr3t-key")
            check_pictures(read_back(recording)[0])
        else:
            assert not server.recordings
    finally:
        server.kill()


@pytest.mark.slow
def test_certificate_of_rtsp(encoder: VideoEncoder, tmp_path: Path) -> None:
    with tls_proxy(free_port(), tmp_path) as port:
        stream, said = open_stream(f"rtsps://localhost:{port}/live", encoder)
        with stream, Show(encoder, checks):
            wait_until(lambda: said, "a sentence")
    assert "its certificate cannot be verified" in said[0]


@pytest.mark.slow
def test_sound_in_step(tmp_path: Path) -> None:
    """Flashes and beeps at each full second of the clock arrive together."""
    track, stop = SoundEncoder(), threading.Event()

    def listen() -> None:  # a microphone that gives blocks of 10 ms
        heard = time.monotonic()
        while not stop.wait(heard + 0.01 - time.monotonic()):
            times = heard + np.arange(480) / 48_000
            track.write(block(beeps(times)), heard)
            heard += 0.01

    def flash(index: int) -> np.ndarray:
        white = time.monotonic() % 1.0 < 0.1
        return np.full((48, 64, 3), 255 if white else 0, np.uint8)

    server = Nginx(tmp_path / "nginx").start()
    thread = threading.Thread(target=listen)
    thread.start()
    try:
        with VideoEncoder(60) as encoder:
            stream = NetworkStream(parse_stream_address(server.url), encoder, track, fps=60)
            with stream, Show(encoder, flash, fps=60):
                wait_until(lambda: stream.state == "live", "live")
                time.sleep(6)
        (recording,) = server.recordings
    finally:
        stop.set()
        thread.join()
        server.kill()
    loud, heard, light, seen = [], [], [], []
    with av.open(str(recording)) as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                light.append(frame.to_ndarray(format="gray").mean() / 255)
                seen.append(frame.time)
            else:
                loud.append(np.abs(frame.to_ndarray()[0]))
                heard.append(frame.time + np.arange(frame.samples) / 48_000)
    flashes = onsets(np.array(light), np.array(seen))[1:]
    beeped = onsets(np.concatenate(loud), np.concatenate(heard))
    assert len(flashes) >= 4
    for time_of_flash in flashes:
        assert np.abs(beeped - time_of_flash).min() < 0.04
