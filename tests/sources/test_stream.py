import http.server
import io
import itertools
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from live_nst.conversion.video.probe import probe
from live_nst.conversion.video.reader import FrameReader
from live_nst.errors import SourceError, SourceLostError
from live_nst.sources.stream import StreamSource
from live_nst.types import Frame
from live_nst.video.color import BT709, BT2020, FULL, HLG, LIMITED, ToBgr
from tests.sources.fakes import FakeClock, InThread, picture, write_sound, write_video

TENTHS = [number / 10 for number in range(10)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Ten lossless pictures, one each tenth of a second; picture n has the level 10 n."""
    path = tmp_path / "clip.mkv"
    write_video(str(path), TENTHS, rate=10)
    return path


def all_frames(source: StreamSource) -> list[Frame]:
    return list(iter(source.read, None))


def level(frame: Frame) -> int:
    return int(frame.image[-1, -1, 0])


# Files


def test_read_file_to_its_end(clip: Path) -> None:
    with StreamSource(str(clip), FakeClock()) as source:
        frames = all_frames(source)
        assert source.read() is None
    assert [frame.index for frame in frames] == list(range(10))
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.image, picture(10 * number))


def test_info(clip: Path) -> None:
    with StreamSource(str(clip), FakeClock()) as source:
        info = source.info
    assert (info.name, info.width, info.height, info.detail) == ("clip.mkv", 64, 48, "ffv1")
    assert info.fps == 10


def test_transparency_is_told(tmp_path: Path) -> None:
    for pixels, expected in (
        ("yuva444p", "ffv1, transparent parts become opaque"),
        ("bgra", "ffv1"),
    ):
        path = tmp_path / f"{pixels}.mkv"
        with av.open(str(path), "w") as out:
            stream = out.add_stream("ffv1", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
            opaque = np.full((48, 64, 4), 255, np.uint8)
            frame = av.VideoFrame.from_ndarray(opaque, format="bgra").reformat(format=pixels)
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        with StreamSource(str(path), FakeClock()) as source:
            assert source.info.detail == expected


@pytest.mark.parametrize("seconds", [TENTHS, [0.0, 0.1, 0.15, 0.9, 2.0]], ids=["constant", "vfr"])
def test_read_waits_for_timestamps(tmp_path: Path, seconds: list[float]) -> None:
    path = tmp_path / "clip.mkv"
    write_video(str(path), seconds)
    clock = FakeClock()
    with StreamSource(str(path), clock) as source:
        start = clock.time
        frames = all_frames(source)
    assert [frame.time - start for frame in frames] == pytest.approx(seconds, abs=0.002)
    assert clock.time == frames[-1].time, "the end must not be waited for"


def test_read_skips_late_frames(clip: Path) -> None:
    clock = FakeClock()
    with StreamSource(str(clip), clock) as source:
        assert source.read() is not None
        clock.time += 0.42
        late = source.read()
        after = source.read()
    assert late is not None and after is not None
    assert (late.index, level(late)) == (4, 40)
    assert (after.index, after.time) == (5, pytest.approx(100.5))


def test_read_with_slow_decoding(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    write_video(str(path), [number / 30 for number in range(90)], draw=lambda _: picture(9))
    with StreamSource(str(path), FakeClock(cost=0.04)) as source:
        frames = all_frames(source)
    gaps = [after.time - before.time for before, after in itertools.pairwise(frames)]
    assert len(frames) > 10
    assert max(gaps) < 1.0


def test_read_limits_the_wait_for_a_gap(
    tmp_path: Path,
) -> None:
    path = tmp_path / "clip.mkv"
    write_video(str(path), [0.0, 60.0, 60.1])
    with StreamSource(str(path), FakeClock()) as source:
        times = [frame.time for frame in all_frames(source)]
    assert 3 < times[1] - times[0] <= 5
    assert times[2] - times[1] == pytest.approx(0.1)


def test_file_url_with_escapes(clip: Path) -> None:
    path = clip.with_name("my clip.mkv")
    shutil.copy(clip, path)
    with StreamSource(path.as_uri(), FakeClock()) as source:
        assert source.info.name == "my clip.mkv"
        assert len(all_frames(source)) == 10


def test_file_name_like_a_protocol(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clip.parent)
    shutil.copy(clip, "foo:clip.mkv")
    with StreamSource("foo:clip.mkv", FakeClock()) as source:
        assert source.read() is not None


def turned_mp4(path: Path, matrix: list[int], aspect: Fraction | None = None) -> None:
    """An MP4 of one picture, with the track's display matrix set to [[a, b], [c, d]]."""
    write_video(
        str(path),
        [0.0, 0.1],
        codec="libx264",
        pixels="yuv444p",
        options={"crf": "1", "bf": "0"},
        aspect=aspect,
    )
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44
    for place, value in zip((0, 4, 12, 16), matrix, strict=True):
        data[start + place : start + place + 4] = (value << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("matrix", "corner", "upright"),
    [
        ([1, 0, 0, 1], "top left", True),
        ([0, 1, -1, 0], "top right", False),
        ([-1, 0, 0, -1], "bottom right", True),
        ([0, -1, 1, 0], "bottom left", False),
        ([-1, 0, 0, 1], "top right", True),
        ([1, 0, 0, -1], "bottom left", True),
        ([0, 1, 1, 0], "top left", False),
        ([0, -1, -1, 0], "bottom right", False),
        ([0, 0, 0, 0], "top left", True),
    ],
)
def test_read_rotates_and_mirrors(
    tmp_path: Path, matrix: list[int], corner: str, upright: bool
) -> None:
    """The matrix maps (x, y) to (a x + c y, b x + d y), y downwards: so says the MP4 standard."""
    path = tmp_path / "phone.mp4"
    turned_mp4(path, matrix)
    with StreamSource(str(path), FakeClock()) as source:
        frame = source.read()
        info = source.info
    assert frame is not None
    assert frame.size == (info.width, info.height) == ((64, 48) if upright else (48, 64))
    row = 2 if corner.startswith("top") else -3
    column = 2 if corner.endswith("left") else -3
    assert frame.image[row, column].tolist() == pytest.approx([255, 0, 0], abs=12)
    assert frame.image[-1 - row, -1 - column].tolist() == pytest.approx([0, 0, 0], abs=12)
    assert frame.image.flags.c_contiguous


@pytest.mark.parametrize(
    ("aspect", "size"),
    [(Fraction(16, 9), (114, 48)), (Fraction(8, 9), (64, 54)), (Fraction(1), (64, 48))],
)
def test_read_has_square_pixels(tmp_path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    path = tmp_path / "dvd.mov"
    write_video(str(path), TENTHS, codec="png", pixels="rgb24", aspect=aspect)
    with StreamSource(str(path), FakeClock()) as source:
        info, frames = source.info, all_frames(source)
    assert (info.width, info.height) == size
    assert [frame.size for frame in frames] == [size] * 10
    assert frames[0].image[size[1] // 8, size[0] // 8].tolist() == [255, 0, 0]
    assert frames[9].image[-1, -1].tolist() == [90, 90, 90]


def test_read_of_rotated_video_has_square_pixels(tmp_path: Path) -> None:
    path = tmp_path / "phone.mp4"
    turned_mp4(path, [0, 1, -1, 0], Fraction(4, 3))
    with StreamSource(str(path), FakeClock()) as source:
        assert (source.info.width, source.info.height) == (48, 85)


def coded(path: Path, size: tuple[int, int], aspect: Fraction, start: float) -> bytes:
    """A second of MPEG-TS, ten frames, from `start` seconds on."""
    write_video(
        str(path),
        [start + tenth for tenth in TENTHS],
        codec="libx264",
        pixels="yuv420p",
        container="mpegts",
        draw=lambda number: picture(10 * number, *size),
        options={"bf": "0", "crf": "1"},
        aspect=aspect,
    )
    return path.read_bytes()


@pytest.mark.parametrize("second_start", [0.0, 1.0, 3600.0], ids=["restarts", "goes on", "jumps"])
def test_read_plays_joined_files_without_a_break(tmp_path: Path, second_start: float) -> None:
    path = tmp_path / "joined.ts"
    first = coded(path, (64, 48), Fraction(1), 0.0)
    path.write_bytes(first + coded(path, (64, 48), Fraction(1), second_start))
    with StreamSource(str(path), FakeClock()) as source:
        frames = all_frames(source)
    assert [frame.index for frame in frames] == list(range(20))
    gaps = [after.time - before.time for before, after in itertools.pairwise(frames)]
    assert gaps == pytest.approx([0.1] * 19, abs=0.002)
    levels = [level(frame) for frame in frames]
    assert levels == pytest.approx(2 * list(range(0, 100, 10)), abs=5)
    assert levels[:10] == levels[10:] == sorted(levels[:10])


def test_size_and_pixel_shape_change(tmp_path: Path) -> None:
    path = tmp_path / "joined.ts"
    wide = coded(path, (64, 48), Fraction(4, 3), 0.0)
    narrow = coded(path, (64, 48), Fraction(1), 1.0)
    path.write_bytes(wide + narrow + coded(path, (96, 64), Fraction(1), 2.0))
    with StreamSource(str(path), FakeClock()) as source:
        sizes = [frame.size for frame in all_frames(source)]
    assert sizes == [(85, 48)] * 10 + [(64, 48)] * 10 + [(96, 64)] * 10


@pytest.mark.parametrize(
    ("size", "pixels", "tags"),
    [
        ((1280, 720), "yuv420p", None),
        ((320, 180), "yuv420p", None),
        ((320, 180), "yuv420p", (BT709, FULL, BT709, BT709)),
        ((320, 180), "yuv420p10le", (BT2020, LIMITED, BT2020, HLG)),
    ],
    ids=["untagged HD", "untagged SD", "full range", "HLG"],
)
def test_read_shows_the_colors_that_are_converted(
    tmp_path: Path, size: tuple[int, int], pixels: str, tags: tuple[int, int, int, int] | None
) -> None:
    path = tmp_path / "color.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "1"})
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        if tags:
            context = stream.codec_context
            context.colorspace, context.color_range = tags[:2]
            context.color_primaries, context.color_trc = tags[2:]
        out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(99, *size), format="bgr24")))
        out.mux(stream.encode(None))
    with StreamSource(str(path), FakeClock()) as source:
        shown = source.read()
    info = probe(path)
    stored = next(FrameReader(info).frames()).av_frame
    assert shown is not None
    np.testing.assert_array_equal(shown.image, ToBgr(info.size, info.orientation)(stored))


# Bad files


def test_metadata_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "old.mp4"
    with av.open(str(path), "w") as out:
        out.metadata["title"] = "Cafeteria"
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(0), format="bgr24")))
        out.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"Cafeteria", b"Caf\xe9teria"))
    with StreamSource(str(path), FakeClock()) as source:
        assert source.read() is not None


def test_read_truncated_file(clip: Path) -> None:
    data = clip.read_bytes()
    clip.write_bytes(data[: int(len(data) * 0.6)])
    with StreamSource(str(clip), FakeClock()) as source:
        frames = all_frames(source)
    assert 0 < len(frames) < 10
    assert [level(frame) for frame in frames] == [10 * frame.index for frame in frames]


def test_read_skips_damaged_frame(tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    write_video(str(path), TENTHS, codec="png", pixels="rgb24")
    pieces = path.read_bytes().split(b"\x89PNG")
    pieces[4] = bytes(len(pieces[4]))
    path.write_bytes(b"\x89PNG".join(pieces))
    with StreamSource(str(path), FakeClock()) as source:
        levels = [level(frame) for frame in all_frames(source)]
    assert levels == [0, 10, 20, 40, 50, 60, 70, 80, 90]


def make_missing(path: Path) -> None:
    pass


def make_folder(path: Path) -> None:
    path.mkdir()


def make_empty(path: Path) -> None:
    path.touch()


def make_text(path: Path) -> None:
    path.write_text("This is no video.\n" * 50)


def make_mp4_without_its_end(path: Path) -> None:
    write_video(str(path), TENTHS, codec="libx264", pixels="yuv420p", container="mp4")
    path.write_bytes(path.read_bytes()[:-400])


def make_sound(path: Path) -> None:
    write_sound(path.with_suffix(".wav"))
    path.with_suffix(".wav").rename(path)


def make_video_without_pictures(path: Path) -> None:
    write_video(str(path), [])


def make_half_a_picture(path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    write_video(str(path), [0.0], codec="libx264", pixels="yuv420p", draw=lambda _: noise)
    path.write_bytes(path.read_bytes()[:2500])


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("gone.mp4", make_missing, "no file"),
        ("clips.mp4", make_folder, "folder"),
        ("empty.mp4", make_empty, "empty"),
        ("text.mp4", make_text, "no video"),
        ("text.txt", make_text, "no video"),
        ("cut.mp4", make_mp4_without_its_end, "cut off"),
        ("sound.mp4", make_sound, "holds no video"),
        ("none.mkv", make_video_without_pictures, "cut off"),
        ("half.mkv", make_half_a_picture, "no complete frame"),
    ],
)
def test_unreadable_file(
    tmp_path: Path, name: str, make: Callable[[Path], None], words: str
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(SourceError, match=words) as caught:
        StreamSource(str(path), FakeClock())
    assert name in caught.value.message
    assert caught.value.hint


def test_cover_art_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as out:
        sound = out.add_stream("aac", rate=8000, layout="mono")
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        out.mux(sound.encode(silence))
        frame = av.VideoFrame.from_ndarray(picture(9), format="bgr24")
        out.mux(cover.encode(frame))
        out.mux(cover.encode(None))
    with pytest.raises(SourceError, match="holds no video"):
        StreamSource(str(path), FakeClock())


# The network


def closed_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("scheme", ["http", "rtsp", "tcp"])
def test_connection_refused(scheme: str) -> None:
    began = time.monotonic()
    with pytest.raises(SourceError, match="nothing answers") as caught:
        StreamSource(f"{scheme}://127.0.0.1:{closed_port()}/live")
    assert time.monotonic() - began < 2
    assert caught.value.hint


def test_errors_hide_the_password() -> None:
    with pytest.raises(SourceError) as caught:
        StreamSource(f"rtsp://me:geheim@127.0.0.1:{closed_port()}/live?pw=geheim")
    assert "geheim" not in str(caught.value)
    assert "rtsp://***@127.0.0.1" in str(caught.value)
    assert "/live?***" in str(caught.value)


def test_unknown_protocol() -> None:
    with pytest.raises(SourceError, match="not known") as caught:
        StreamSource("gopher2://example")
    assert "rtsp://" in caught.value.hint


def test_ffmpeg_prints_nothing(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_text(clip.with_suffix(".mp4"))
    with pytest.raises(SourceError):
        StreamSource(str(clip.with_suffix(".mp4")))
    data = clip.read_bytes()
    clip.write_bytes(data[:2000] + bytes(50) + data[2050:])
    with StreamSource(str(clip), FakeClock()) as source:
        all_frames(source)
    assert capfd.readouterr() == ("", "")


@contextmanager
def web(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on the loopback; gives the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class MjpegCamera(Quiet):
    """Sends twenty pictures, and hangs up."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(20):
            jpeg = cv2.imencode(".jpg", picture(10 * number))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")


class SilentCamera(Quiet):
    """Answers, and then never sends a thing."""

    over = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        self.over.wait(10)


def test_mjpeg_over_http() -> None:
    clock = FakeClock()
    frames: list[Frame] = []
    with web(MjpegCamera) as address, StreamSource(f"{address}/video", clock) as source:
        assert (source.info.width, source.info.height) == (64, 48)
        with pytest.raises(SourceLostError):
            frames.extend(iter(source.read, None))  # extend keeps what came before the loss
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert clock.time == 100.0, "a live stream must never be held back"
    levels = [level(frame) for frame in frames]
    assert len(levels) >= 15
    assert levels == pytest.approx([10 * (20 - len(levels) + n) for n in range(len(levels))], abs=3)


def test_timeout_of_silent_server() -> None:
    SilentCamera.over.clear()
    began = time.monotonic()
    with web(SilentCamera) as address:
        with pytest.raises(SourceError):
            StreamSource(f"{address}/video", timeout=0.3)
        assert time.monotonic() - began < 3
        SilentCamera.over.set()


def test_http_404() -> None:
    class Missing(Quiet):
        def do_GET(self) -> None:
            self.send_error(404)

    with web(Missing) as address, pytest.raises(SourceError, match="no such page"):
        StreamSource(f"{address}/video")


def test_file_over_http(clip: Path) -> None:
    class Film(Quiet):
        def do_GET(self) -> None:
            body = clip.read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    clock = FakeClock()
    with web(Film) as address, StreamSource(f"{address}/clip.mkv", clock) as source:
        frames = all_frames(source)
    assert [level(frame) for frame in frames] == [10 * number for number in range(10)]
    assert clock.time == pytest.approx(100.9, abs=0.01)


@pytest.fixture(scope="module")
def transport_stream() -> bytes:
    """Two seconds of MPEG-TS, a key frame every tenth of a second."""
    target = io.BytesIO()
    write_video(
        target,
        [number / 20 for number in range(40)],
        codec="libx264",
        pixels="yuv420p",
        container="mpegts",
        draw=lambda number: picture(5 * number),
        options={"tune": "zerolatency", "g": "2", "crf": "10"},
    )
    return target.getvalue()


@pytest.mark.parametrize(
    ("hangs_up", "words"),
    [(True, "ended"), (False, r"in time|no frame for")],
    ids=["ends", "stalls"],
)
def test_mpegts_over_tcp(transport_stream: bytes, hangs_up: bool, words: str) -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def send(stopping: threading.Event) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(transport_stream)
            if not hangs_up:
                stopping.wait(10)

    address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    with server, InThread(send), StreamSource(address, timeout=0.5) as source:
        frames = [source.read() for _ in range(10)]
        with pytest.raises(SourceLostError, match=words):
            list(iter(source.read, None))
    assert all(frame is not None and frame.size == (64, 48) for frame in frames)


def test_mpegts_over_udp(transport_stream: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def send(stopping: threading.Event) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not stopping.is_set():
                for start in range(0, len(transport_stream), 1316):
                    sender.sendto(transport_stream[start : start + 1316], ("127.0.0.1", port))
                    stopping.wait(0.002)

    with InThread(send), StreamSource(f"udp://127.0.0.1:{port}") as source:
        frames = [source.read() for _ in range(5)]
    assert all(frame is not None for frame in frames)
    assert len({level(frame) for frame in frames if frame}) > 1
