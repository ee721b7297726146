"""The source rests while nobody reads the virtual camera."""

from collections.abc import Iterator
from typing import Any

import pytest

from live_nst.errors import SourceError
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.on_demand import REST_NOTICE, Debounce, OnDemand
from tests.live.fakes import (
    FakeClock,
    FakeSource,
    Openings,
    SteppedClock,
    frame,
    own_threads,
    wait_until,
)


def test_debounce() -> None:
    switch = Debounce(2.0, 3.0, True)
    seen = [
        (now, switch.update(value, now))
        for now, value in (
            (0.0, True), (1.0, False), (3.9, False), (3.95, True), (4.0, False), (6.9, False),
            (7.0, False), (8.0, True), (9.9, True), (9.95, False), (10.0, True), (12.0, True),
        )
    ]  # fmt: skip
    assert [now for now, state in seen if not state] == [7.0, 8.0, 9.9, 9.95, 10.0]


class FakeUsage:
    """A device that is read when the test says so; every look takes a quarter of a second."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.used = True
        self.closed = False

    def wait(self, timeout: float) -> bool:
        self._clock.advance(timeout)
        return self.used

    def close(self) -> None:
        self.closed = True


class FakeCamera:
    def __init__(self) -> None:
        self.resting = False

    def rest(self) -> None:
        self.resting = True

    def wake(self) -> None:
        self.resting = False


class Scene:
    """A capture of sources that never end, watched on demand."""

    def __init__(self, is_exact: bool) -> None:
        self.clock = SteppedClock()
        self.sources = [FakeSource([frame(0), frame(1)]) for _ in range(5)]
        self.openings = Openings(*self.sources)
        self.capture = CaptureWorker(self.openings, self.clock)
        self.usage, self.camera = FakeUsage(self.clock), FakeCamera()
        self.needed = False
        self.messages: list[str] = []
        self.watcher = OnDemand(
            self.usage, is_exact, self.capture, self.camera,
            lambda: self.needed, self.messages.append, self.clock,
        )  # fmt: skip
        self.capture.start()
        self.capture.wait_opened()
        self.wait_frames(2)

    def wait_frames(self, count: int) -> None:
        wait_until(lambda: self.capture.next_index >= count)

    def look(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.25)):
            self.watcher.step()

    def release(self) -> None:
        """Let reads return that wait for a frame."""
        self.openings.release()

    @property
    def open_sources(self) -> int:
        return sum(not source.closed for source in self.openings.opened)


@pytest.fixture(params=[True, False], ids=["event", "inotify"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    scene = Scene(request.param)
    yield scene
    scene.release()
    scene.watcher.close()
    scene.capture.close()
    assert scene.usage.closed
    wait_until(lambda: not own_threads())


def test_rest_and_wake(scene: Scene) -> None:
    scene.look(1)
    assert not scene.camera.resting and scene.capture.check() == ""
    scene.usage.used = False
    scene.look(2.5)
    assert not scene.camera.resting  # it may only have changed its settings
    scene.look(1)
    assert scene.camera.resting and scene.capture.check() == REST_NOTICE
    assert scene.messages == ["No program reads the virtual camera: the source is released."]
    scene.release()
    wait_until(lambda: scene.open_sources == 0)
    scene.look(60)  # nothing is taken for a stall
    assert scene.capture.check() == REST_NOTICE and scene.openings.count == 1

    scene.usage.used = True
    scene.look(2.5)
    assert not scene.camera.resting
    scene.wait_frames(4)  # indexes go on
    assert scene.openings.count == 2 and scene.capture.reopened == 0
    assert scene.capture.check() == ""
    assert scene.messages[1:] == ["The source is used again."]


def test_who_only_looks(scene: Scene) -> None:
    scene.usage.used = False
    scene.look(4)
    scene.usage.used = True
    scene.look(1)
    exact = scene.watcher._debounce._seconds[True] == 0
    assert scene.camera.resting != exact
    scene.usage.used = False
    scene.look(4)
    assert scene.camera.resting


def test_recording_needs_frames(scene: Scene) -> None:
    scene.needed = True
    scene.usage.used = False
    scene.look(10)
    assert not scene.camera.resting
    scene.needed = False
    scene.look(4)
    assert scene.camera.resting
    scene.needed = True
    scene.look(0.25)
    assert not scene.camera.resting


def test_close_while_resting(scene: Scene) -> None:
    scene.usage.used = False
    scene.look(4)
    scene.release()
    scene.capture.close()
    scene.capture.wake()  # too late
    wait_until(lambda: scene.open_sources == 0)
    assert scene.openings.count == 1 and not scene.capture.ended


def test_source_that_is_gone_when_it_is_needed(scene: Scene) -> None:
    scene.openings._items = iter([SourceError("the camera is gone"), scene.sources[4]])
    scene.usage.used = False
    scene.look(4)
    scene.release()
    scene.usage.used = True
    scene.look(3)
    wait_until(lambda: scene.openings.count == 3)  # it tries again, as with any lost source
    scene.wait_frames(4)


def test_error_of_the_device_lets_the_source_on() -> None:
    scene = Scene(True)

    def fail(timeout: float) -> Any:
        raise OSError("the device is gone")

    scene.usage.used = False
    scene.look(4)
    scene.usage.wait = fail  # type: ignore[method-assign]
    scene.watcher.start()
    wait_until(lambda: len(scene.messages) == 2)
    assert scene.messages[1] == "--on-demand ended: the device is gone"
    assert not scene.camera.resting
    scene.release()
    scene.watcher.close()
    scene.capture.close()
