"""Stand-ins that the tests of the live pipeline share. All times are the fake clock's."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from live_nst.engines.base import StylizedFrame
from live_nst.errors import SourceLostError
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.display import Display
from live_nst.live.pipeline import LivePipeline
from live_nst.sources.base import SourceInfo
from live_nst.styles.registry import StyleInput
from live_nst.styles.spec import StyleSpec
from live_nst.stylizer.compositing import compose
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.types import Closeable, Frame, Image, Size

PATIENCE = 10.0
"""Real seconds that a test waits for what must happen; only a failing test waits that long."""

INFO = SourceInfo("fake camera", 64, 48, 30.0)


def wait_until(condition: Callable[[], Any], what: str = "") -> None:
    """Wait, in real time, until `condition` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what or "it did not happen in time"
        time.sleep(0.0005)


_threads_of_others: set[threading.Thread] = set()


def disregard_threads() -> None:
    """Leave the threads that are alive now out of `own_threads`: they are another test's."""
    _threads_of_others.clear()
    _threads_of_others.update(threading.enumerate())


def own_threads() -> list[str]:
    """The names of this package's threads that this test has started and that are alive."""
    threads = set(threading.enumerate()) - _threads_of_others
    return [thread.name for thread in threads if thread.name.startswith("live-nst")]


def picture(number: int, size: tuple[int, int] = (64, 48)) -> Image:
    """A picture that carries its number, modulo 65536, in every pixel's blue and green."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[..., 0], image[..., 1] = number % 256, number // 256 % 256
    return image


def number_of(image: Image) -> int:
    """What `picture` wrote into it."""
    return int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])


def frame(number: int, time: float = 0.0) -> Frame:
    return Frame(picture(number), number, time)


class FakeClock:
    """Moves only by `advance`; a `sleep` of the pipeline takes a real moment and moves nothing.

    Attributes:
        looks: How often somebody slept: how often the pipeline looked around.
    """

    def __init__(self) -> None:
        self._time = 1000.0
        self._changed = threading.Condition()
        self.looks = 0

    def now(self) -> float:
        return self._time

    def sleep(self, seconds: float) -> None:
        with self._changed:
            self.looks += 1
            self._changed.notify_all()
        time.sleep(0.0002)

    def advance(self, seconds: float) -> None:
        self._time += seconds

    def wait_for_looks(self, count: int = 2) -> None:
        """Wait until the pipeline has looked around: after two, one whole round lies between."""
        with self._changed:
            until = self.looks + count
            assert self._changed.wait_for(lambda: self.looks >= until, PATIENCE)


class SteppedClock(FakeClock):
    """A sleep takes its time at once and is written down."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(max(0.0, seconds))


class FakeSource(Closeable):
    """A source that does what a script says, one item per read.

    Args:
        script: Frames to give; exceptions to raise; callables to call, whose result is an item in
            turn; None: the end. After the last item, reads block until the source is closed or
            its capture gives it up: `released` is set.
        info: What it says of itself.
    """

    def __init__(self, script: Iterable[Any] = (), info: SourceInfo = INFO) -> None:
        self._script = iter(script)
        self._info = info
        self.released = threading.Event()
        self.closed = False
        self.threads: set[int] = set()

    @property
    def info(self) -> SourceInfo:
        return self._info

    def read(self) -> Frame | None:
        self.threads.add(threading.get_ident())
        for item in self._script:
            while callable(item):
                item = item()
            if isinstance(item, BaseException):
                raise item
            return item
        assert self.released.wait(PATIENCE), "nobody released the source"
        raise SourceLostError("the fake camera is gone")

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed = True

    def __enter__(self) -> Self:
        self.threads.add(threading.get_ident())
        return super().__enter__()


class Openings:
    """Opens what it was given, one after the other; exceptions are raised.

    Attributes:
        count: How many openings were tried.
        opened: The sources that were opened.
        threads: The threads that tried.
    """

    def __init__(self, *items: FakeSource | BaseException) -> None:
        self._items = iter(items)
        self.count = 0
        self.opened: list[FakeSource] = []
        self.threads: set[int] = set()

    def __call__(self) -> FakeSource:
        self.count += 1
        self.threads.add(threading.get_ident())
        item = next(self._items, None) or FakeSource()
        if isinstance(item, BaseException):
            raise item
        self.opened.append(item)
        return item

    def release(self) -> None:
        """Let every source go that blocks in a read."""
        for source in self.opened:
            source.released.set()


class FrameFeeder:
    """A capture whose frames the test gives, each when it says so.

    Args:
        clock: Stamps them.

    Attributes:
        given: Number of frames given.
        source: The source of the capture.
        capture: The capture.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._items: list[Any] = []
        self._changed = threading.Condition()
        self.given = 0
        self.source = FakeSource(iter(self._next, StopIteration))
        self.capture = CaptureWorker(lambda: self.source, clock)

    def _next(self) -> Any:
        with self._changed:
            # Closing the capture must not have to wait for a frame.
            while not self._items:
                if self.capture.closing:
                    return SourceLostError("closed")
                self._changed.wait(0.005)
            return self._items.pop(0)

    def give(self, count: int = 1) -> None:
        """Give so many frames at once."""
        for _ in range(count):
            self.put(frame(self.given, self._clock.now()))
            self.given += 1

    def put(self, item: Any) -> None:
        """Give anything else: an exception, or None for the end."""
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def wait_captured(self) -> None:
        """Wait until all frames that were given are in the slot."""
        wait_until(lambda: self.capture.next_index == self.given, "frames were not captured")


@dataclass(frozen=True)
class Prefetched:
    """What `FakeStylizer.prefetch` returns."""

    image: Image

    @property
    def shape(self) -> tuple[int, ...]:
        return self.image.shape

    def numpy(self) -> Image:
        return self.image


def set_event() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


class FakeStylizer(StylizerCore):
    """Returns the image itself, with the number of the style in the red channel.

    Attributes:
        gate: `infer` waits for it; set by default.
        loading: `load` and `load_mask` wait for it; set by default.
        preparing: `prepare` waits for it; set by default.
        composing: `postprocess` waits for it; set by default.
        prefetching: `prefetch` waits for it; set by default.
        entered: Released whenever `infer` begins.
        load_entered: Set when `load` begins.
        stylized: (number of the image, style) of every run of the network.
        times: The times that `infer` was given.
        composed: The numbers of the images that `postprocess` was given.
        prefetched: (number of the image, name of the thread) of every `prefetch`.
        given: The number of what was prefetched for each `infer`, or None.
        prepared: (camera, size) of every size that was compiled by `prepare`.
        compiled_in_place: (camera, size) of those that were compiled by `infer` instead.
        selected: (style, fade, time) of every change of the style.
        failures: Raised by what concerns a style, a mask, or a size as a string.
    """

    styles: tuple[str, ...] = ()
    style = ""
    size = 384
    look = Look()
    stroke = 1.0
    device, engine, model_name, style_computations = "cpu", "fake 1.0", "fake", 1

    longest_compilation = 0.0  # type: ignore[assignment]

    def __init__(self, styles: tuple[str, ...] = ("starry", "wave", "mosaic")) -> None:
        self.styles = styles
        self.style = styles[0]
        self.gate, self.loading, self.preparing = set_event(), set_event(), set_event()
        self.composing, self.prefetching = set_event(), set_event()
        self.entered = threading.Semaphore(0)
        self.load_entered = threading.Event()
        self.stylized: list[tuple[int, str]] = []
        self.times: list[float] = []
        self.composed: list[int] = []
        self.prefetched: list[tuple[int, str]] = []
        self.given: list[int | None] = []
        self.prepared: list[tuple[Size, int]] = []
        self.compiled_in_place: list[tuple[Size, int]] = []
        self.selected: list[tuple[str, float, float]] = []
        self.failures: dict[str, BaseException] = {}
        self.prefetch_failure: BaseException | None = None
        self.infer_failure: BaseException | None = None
        self.compose_failure: BaseException | None = None

    def prefetch(self, image: Image) -> Prefetched:
        self.prefetched.append((number_of(image), threading.current_thread().name))
        assert self.prefetching.wait(PATIENCE), "nobody let it prefetch"
        if self.prefetch_failure is not None:
            raise self.prefetch_failure
        return Prefetched(image.copy())

    def infer(self, image: Image, time: float = 0.0, prefetched: Any = None) -> StylizedFrame:
        self.given.append(None if prefetched is None else number_of(prefetched.image))
        self.entered.release()
        assert self.gate.wait(PATIENCE), "nobody let it stylize"
        if self.infer_failure is not None:
            raise self.infer_failure
        self.stylized.append((number_of(image), self.style))
        self.times.append(time)
        key = ((image.shape[1], image.shape[0]), self.size)
        if not self.is_compiled(*key):
            self.compiled_in_place.append(key)
        result = image.copy()
        result[..., 2] = self.styles.index(self.style)
        return StylizedFrame(image, result)

    def postprocess(self, image: Image, stylized: StylizedFrame, time: float = 0.0) -> Image:
        assert self.composing.wait(PATIENCE), "nobody let it compose"
        if self.compose_failure is not None:
            raise self.compose_failure
        self.composed.append(number_of(image))
        return compose(image, stylized, self.look)

    def load(self, style: StyleInput, *, stroke: float | None = None) -> None:
        style = _label(style)
        self.load_entered.set()
        assert self.loading.wait(PATIENCE), "nobody let it load"
        if style in self.failures:
            raise self.failures[style]

    def select(
        self,
        style: StyleInput,
        *,
        stroke: float | None = None,
        fade: float = 0.0,
        time: float = 0.0,
    ) -> None:
        style = _label(style)
        self.stroke = self.stroke if stroke is None else stroke
        self.selected.append((style, fade, time))
        self.style = style

    def load_mask(self, only: str) -> None:
        assert self.loading.wait(PATIENCE), "nobody let it load"
        if only in self.failures:
            raise self.failures[only]

    def prepare(self, frame_size: Size, size: int) -> None:
        assert self.preparing.wait(PATIENCE), "nobody let it prepare"
        if str(size) in self.failures:
            raise self.failures[str(size)]
        self.prepared.append((frame_size, size))

    def is_compiled(self, frame_size: Size, size: int) -> bool:
        return (frame_size, size) in [*self.prepared, *self.compiled_in_place]

    def resize(self, size: int) -> None:
        self.size = size

    def close(self) -> None: ...


def _label(style: StyleInput) -> str:
    return style.label if isinstance(style, StyleSpec) else str(style)


class FakeSink:
    """Keeps what it is given.

    Attributes:
        gate: Writing waits for it; set by default.
        fail_at: The write, counted from 0, that fails with `failure`.
    """

    def __init__(self, name: str = "fake sink", rate: float | None = None) -> None:
        self.name = name
        self.rate = rate
        self.gate = threading.Event()
        self.gate.set()
        self.frames: list[Frame] = []
        self.times: list[float] = []
        self.closed = 0
        self.fail_at: int | None = None
        self.failure: BaseException = OSError("no failure was set")
        self.close_failure: BaseException | None = None
        self.on_write: Callable[[], None] = lambda: None
        self.entered = threading.Semaphore(0)

    @property
    def numbers(self) -> list[int]:
        return [number_of(frame.image) for frame in self.frames]

    def write(self, frame: Frame) -> None:
        self.entered.release()
        assert self.gate.wait(PATIENCE), "nobody let it write"
        if self.fail_at == len(self.frames):
            raise self.failure
        self.frames.append(frame)
        self.on_write()

    def close(self) -> None:
        self.closed += 1
        if self.close_failure is not None:
            raise self.close_failure


class FakeDisplay:
    """Keeps what it is shown: (number of the picture, its style's mark, notice).

    Attributes:
        indices: Of the frames that it was shown.
        on_poll: Called at every poll, in the thread that runs the pipeline.
        gate: Showing waits for it; set by default.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.shown: list[tuple[int, int, str]] = []
        self.indices: list[int] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.closed = False
        self.failure: BaseException | None = None
        self.on_poll: Callable[[], None] = lambda: None

    def show(self, frame: Frame, notice: str) -> None:
        assert self.gate.wait(PATIENCE), "nobody let it show"
        if self.failure is not None:
            raise self.failure
        self.threads.add(threading.get_ident())
        self.indices.append(frame.index)
        self.shown.append((number_of(frame.image), int(frame.image[0, 0, 2]), notice))

    def poll(self) -> None:
        self.threads.add(threading.get_ident())
        self.on_poll()
        self._clock.sleep(0)  # counts as a look

    def close(self) -> None:
        self.closed = True


class Running:
    """Runs a pipeline in a thread of its own, so that the test can drive it.

    with Running(pipeline) as running:
        ...
    running.error
    """

    def __init__(self, pipeline: LivePipeline, display: Display | None = None) -> None:
        self.pipeline = pipeline
        self._display = display
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="runs the pipeline")

    def _run(self) -> None:
        try:
            self.pipeline.run(self._display)
        except BaseException as exc:
            self.error = exc

    @property
    def thread_id(self) -> int | None:
        return self._thread.ident

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def wait(self) -> None:
        """Wait until it ends by itself."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the pipeline did not end"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.pipeline.stop()
        self._thread.join(PATIENCE)
        assert kind is not None or not self._thread.is_alive(), "the pipeline did not stop"
