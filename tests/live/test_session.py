"""A whole session with a fake source and a fake model: ends, signals, reports."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from live_nst.errors import (
    DeviceError,
    DisplayError,
    LiveNstError,
    RecordingError,
    SourceError,
    StyleError,
    UsageError,
)
from live_nst.live import run, session
from live_nst.live.options import LiveOptions
from live_nst.live.run import run_live
from live_nst.live.session import LiveSession
from live_nst.live.settings import SettingsChange
from live_nst.runtime.signals import STOP_SIGNALS
from live_nst.sources.base import SourceRequest
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Closeable, Frame
from tests.live.fakes import FakeSource, FakeStylizer, own_threads, picture, wait_until


class FakeModel(FakeStylizer):
    """A `Stylizer` that needs no model.

    Attributes:
        made: All that were made, in order.
    """

    made: "list[FakeModel]" = []  # noqa: RUF012
    failure: BaseException | None = None
    model_name, engine, device, style_computations = "fake", "nothing 1.0", "cpu", 1

    def __init__(self, options: StylizerOptions, **_: Any) -> None:
        super().__init__(tuple(str(style) for style in options.styles))
        self.options = options
        self.look, self.stroke = options.look, options.stroke
        self.closed = False
        if FakeModel.failure is not None:
            raise FakeModel.failure
        FakeModel.made.append(self)

    def __enter__(self) -> "FakeModel":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


class SessionHarness:
    """Runs sessions with fake sources."""

    def __init__(self) -> None:
        self.sources: list[FakeSource] = []
        self.asked: list[tuple[str, SourceRequest]] = []
        self.at: dict[int, Any] = {}
        self.failure: BaseException | None = None
        self.last = 100_000
        self.messages: list[str] = []

    def open(self, spec: str, request: SourceRequest) -> FakeSource:
        self.asked.append((spec, request))
        if self.failure is not None:
            raise self.failure
        self.sources.append(FakeSource(self._frames()))
        return self.sources[-1]

    def _frames(self) -> Iterator[Any]:
        for number in range(self.last):
            time.sleep(0.002)
            if number in self.at:
                self.at[number]()
            yield Frame(picture(number), number, time.monotonic())
        yield None

    def run(self, **options: Any) -> Any:
        """Run a session without a window; options of the stylizer are given as those of it."""
        return run_live(live_options(window=False, **options), self.messages.append)


def live_options(**options: Any) -> LiveOptions:
    names = {field.name for field in dataclasses.fields(StylizerOptions)}
    stylizer = {name: options.pop(name) for name in names & options.keys()}
    return LiveOptions(stylizer=StylizerOptions(**{"stabilize": "fast", **stylizer}), **options)


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionHarness]:
    scene = SessionHarness()
    monkeypatch.setattr(session, "open_source", scene.open)
    monkeypatch.setattr(session, "StylizerCore", FakeModel)
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    yield scene
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
    assert all(source.closed for source in scene.sources)
    assert all(model.closed for model in FakeModel.made)
    FakeModel.made.clear()
    FakeModel.failure = None


def times_of(path: Path) -> list[float]:
    """The times of the pictures of a recording, in seconds."""
    with av.open(str(path)) as container:
        return [float(picture.time or 0) for picture in container.decode(video=0)]


def test_report(harness: SessionHarness) -> None:
    request = SourceRequest(640, 360, 25.0)
    report = harness.run(source="demo", request=request, frames=12, styles=("wave", "starry"))
    assert harness.asked == [("demo", request)]
    assert report.frames == 12
    assert (report.model, report.engine, report.device) == ("fake", "nothing 1.0", "cpu")
    assert (report.style, report.style_computations) == ("wave", 1)
    assert (report.size, report.source, report.reconnects) == ("64x48", "fake camera", 0)
    assert report.fps > 0 and report.startup_seconds > 0 and report.peak_rss_mb > 10
    assert set(report.latency_ms) == {"p50", "p95", "p99"}
    assert set(report.stage_ms) == {"wait", "stylize", "compose"}
    assert any("fake camera: 64x48 at 30 fps" in line for line in harness.messages)
    assert any("cpu" in line and "nothing 1.0" in line for line in harness.messages)


def test_stylizer_options(harness: SessionHarness) -> None:
    harness.run(model="hub", device="gpu", size=512, frames=1)
    (model,) = FakeModel.made
    assert model.options.model == "hub"
    assert (model.options.device, model.options.size) == ("gpu", 512)
    assert model.prepared[0][0] == (64, 48)


def test_strength_and_mirror(harness: SessionHarness, tmp_path: Path) -> None:
    seen: list[Any] = []

    class Sink:
        name, rate = "eye", None

        def __init__(self, path: Path, fps: float, **_: Any) -> None:
            self.notice = ""

        def write(self, frame: Frame) -> None:
            seen.append(frame.image)

        def close(self) -> None:
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "Recorder", Sink)
        harness.run(
            frames=2, look=Look(strength=0.0), styles=("starry", "wave"), record=tmp_path / "o.mp4"
        )
    assert (seen[0] == seen[0][:, ::-1]).all()
    assert (seen[0][..., 2] == 0).all()


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_first_signal_finishes_the_recording(
    harness: SessionHarness, number: signal.Signals, tmp_path: Path
) -> None:
    harness.at[20] = lambda: os.kill(os.getpid(), number)
    report = harness.run(record=tmp_path / "o.mp4")
    times = times_of(tmp_path / "o.mp4")
    assert 10 <= len(times) <= report.frames  # so fast a source may outrun the encoder
    assert times == sorted(set(times))
    assert not own_threads()


SECOND_SIGNAL = """
import os, signal, sys, threading
from pathlib import Path
from live_nst.live import session
from tests.live.test_session import FakeModel, SessionHarness

scene = SessionHarness()
session.open_source, session.StylizerCore = scene.open, FakeModel
ask = lambda: os.kill(os.getpid(), signal.SIGINT)
# The network hangs, so that the clean end that the first signal asks for takes long.
scene.at[20] = lambda: FakeModel.made[-1].gate.clear()
scene.at[21] = ask
scene.at[22] = threading.Timer(0.4, ask).start
scene.run(record=Path(sys.argv[1]))
"""


def test_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", SECOND_SIGNAL, str(tmp_path / "o.mp4")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGINT, done.stderr
    assert done.stderr == ""
    assert (tmp_path / "o.mp4").exists()


def test_signal_while_the_model_loads(
    harness: SessionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)

    monkeypatch.setattr(session, "StylizerCore", load)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        harness.run()
    assert time.monotonic() - start < 5
    assert not own_threads()


def test_run_live_in_another_thread(harness: SessionHarness) -> None:
    reports: list[Any] = []
    thread = threading.Thread(target=lambda: reports.append(harness.run(frames=3)))
    thread.start()
    thread.join(10)
    assert reports[0].frames == 3


def test_end_of_the_source(harness: SessionHarness, tmp_path: Path) -> None:
    harness.last = 15
    report = harness.run(record=tmp_path / "o.mp4")
    assert 1 <= report.frames <= 15
    assert 1 <= len(times_of(tmp_path / "o.mp4")) <= report.frames


def test_duration(harness: SessionHarness) -> None:
    start = time.monotonic()
    harness.run(duration=0.1)
    assert 0.1 <= time.monotonic() - start < 5


def test_model_error_leaves_no_recording(harness: SessionHarness, tmp_path: Path) -> None:
    FakeModel.failure = DeviceError("TensorFlow finds no GPU that it can use.", "use --device cpu")
    with pytest.raises(DeviceError):
        harness.run(record=tmp_path / "o.mp4")
    assert list(tmp_path.iterdir()) == []


def test_earlier_recording_keeps_its_name_after_an_error(
    harness: SessionHarness, tmp_path: Path
) -> None:
    path = tmp_path / "o.mp4"
    harness.run(frames=3, record=path)
    content = path.read_bytes()
    harness.failure = SourceError("no such camera", "plug it in")
    with pytest.raises(SourceError):
        harness.run(frames=3, record=path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_source_error_before_the_model_loads(harness: SessionHarness) -> None:
    harness.failure = SourceError("no such camera", "plug it in")
    with pytest.raises(SourceError):
        harness.run()
    assert FakeModel.made == []


def test_failure_keeps_the_recording(harness: SessionHarness, tmp_path: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError("bug")

    harness.at[20] = fail
    with pytest.raises(ZeroDivisionError):
        harness.run(record=tmp_path / "o.mp4")
    assert times_of(tmp_path / "o.mp4")
    assert not own_threads()


def test_window_without_a_display(
    harness: SessionHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(DisplayError) as caught:
        run_live(live_options(record=tmp_path / "o.mp4"), harness.messages.append)
    assert "--no-window" in caught.value.hint
    assert harness.asked == [] and list(tmp_path.iterdir()) == []


def test_window_error_leaves_no_thread(
    harness: SessionHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise DisplayError("no window can be opened", "use `--no-window`")

    monkeypatch.setattr(run, "require_display", lambda: None)
    monkeypatch.setattr("live_nst.sinks.window.Window", refuse)
    with pytest.raises(DisplayError):
        run_live(live_options(record=tmp_path / "o.mp4"), harness.messages.append)
    assert not own_threads()
    assert list(tmp_path.iterdir()) == []


def test_virtual_camera(harness: SessionHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    from live_nst.sinks import virtual_camera

    made: list[Any] = []

    class Camera:
        name = "virtual camera /dev/video10"

        def __init__(self, device: str | None, fps: float, size: tuple[int, int]) -> None:
            self.device, self.rate, self.size = device, fps, size
            self.frames: list[Frame] = []
            self.closed = False
            made.append(self)

        def write(self, frame: Frame) -> None:
            self.frames.append(frame)

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr(virtual_camera, "VirtualCamera", Camera)
    harness.run(duration=0.3, virtual_camera="")
    (camera,) = made
    assert (camera.device, camera.rate, camera.size) == (None, 30.0, (64, 48))
    assert 3 <= len(camera.frames) <= 12  # at its own rate, though the source is much faster
    assert camera.closed

    monkeypatch.setattr(run, "require_display", lambda: None)
    monkeypatch.setattr("live_nst.sinks.window.Window", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_live(live_options(virtual_camera="/dev/video10"), harness.messages.append)
    assert made[1].device == "/dev/video10"
    assert made[1].closed


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"styles": ("nosuchstyle",)}, StyleError),
        ({"styles": ("starry", "missing.jpg")}, StyleError),
        ({"size": 63}, UsageError),
        ({"size": 4097}, UsageError),
        ({"stroke": 0.29}, UsageError),
        ({"stroke": 3.1}, UsageError),
        ({"stroke": float("nan")}, UsageError),
        ({"look": Look(only="missing.png")}, UsageError),
        ({"look": Look(only="persn")}, UsageError),
        ({"frames": 0}, UsageError),
        ({"frames": -3}, UsageError),
        ({"duration": 0.0}, UsageError),
        ({"duration": -1.0}, UsageError),
        ({"duration": float("inf")}, UsageError),
        ({"duration": float("nan")}, UsageError),
        ({"request": SourceRequest(15, 480, 30)}, UsageError),
        ({"request": SourceRequest(640, 8193, 30)}, UsageError),
        ({"request": SourceRequest(640, 480, 0.9)}, UsageError),
        ({"request": SourceRequest(640, 480, 241)}, UsageError),
        ({"request": SourceRequest(640, 480, float("nan"))}, UsageError),
        ({"record": Path("out.gif")}, UsageError),
        ({"record": Path("missing/out.mp4")}, RecordingError),
    ],
    ids=str,
)
def test_invalid_options(
    harness: SessionHarness, options: dict[str, Any], error: type[LiveNstError], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error) as caught:
        harness.run(**options)
    assert caught.value.message and caught.value.hint
    assert harness.asked == [] and FakeModel.made == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        {"size": 64}, {"size": 4096}, {"stroke": 0.3}, {"stroke": 3.0}, {"frames": 1},
        {"request": SourceRequest(16, 16, 1)}, {"request": SourceRequest(8192, 8192, 240)},
        {"styles": ("starry:0.7+wave:0.3",)},
    ],
    ids=str,
)  # fmt: skip
def test_limits_of_options(options: dict[str, Any]) -> None:
    live_options(**options).check()


def test_attached_things_see_the_session_and_are_closed(harness: SessionHarness) -> None:
    seen: list[Any] = []

    class Watcher(Closeable):
        def __init__(self, live: LiveSession) -> None:
            live.listen(seen.append)
            live.control.change(SettingsChange(strength=0.5))
            harness.at[30] = live.stop
            self.live = live

        def close(self) -> None:
            seen.append(("closed", self.live.pipeline.newest is not None))

    run_live(live_options(window=False), harness.messages.append, attach=[Watcher])
    assert seen == ["strength 50%", ("closed", True)]


def test_change_of_the_source(harness: SessionHarness) -> None:
    with LiveSession(live_options(window=False), harness.messages.append) as live:

        def change() -> None:  # the second source comes to this number as well
            threading.Thread(target=lambda: live.change_source("demo")).start()
            harness.at = {200: live.stop}

        harness.at[10] = change
        live.run()
        assert live.source == "demo" and len(harness.sources) == 2
        assert live.info.name == "fake camera"
    assert not own_threads()


def test_on_demand(harness: SessionHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyvirtualcam

    from live_nst.live import on_demand
    from tests.sinks.conftest import FakeBackend

    class Usage:
        """Nobody reads until the source was released."""

        is_exact, closed, looks = True, False, 0

        def wait(self, timeout: float) -> bool:
            time.sleep(0.01)
            self.looks += bool(harness.sources[0].closed)
            return self.looks > 20

        def close(self) -> None:
            self.closed = True

    usage = Usage()
    monkeypatch.setattr("live_nst.sinks.loopback_usage.watch_usage", lambda device: usage)
    monkeypatch.setattr(on_demand, "_RELEASE_SECONDS", 0.1)
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {})
    pyvirtualcam.register_backend("fake", FakeBackend)
    with LiveSession(
        live_options(window=False, virtual_camera="/dev/video7", on_demand=True),
        harness.messages.append,
    ) as live:
        threading.Thread(target=lambda: (wait_until(lambda: usage.looks > 20), live.stop())).start()
        live.run()
    assert len(harness.sources) == 2 and harness.sources[0].closed and usage.closed
    said = [message for message in harness.messages if "source is" in message]
    assert said == [
        "No program reads the virtual camera: the source is released.",
        "The source is used again.",
    ]
    FakeBackend.opened.clear()


def test_on_demand_needs_a_virtual_camera() -> None:
    with pytest.raises(UsageError, match="virtual camera"):
        live_options(on_demand=True).check()
