"""Stylize the frames of a video: every frame, in order, with all of the machine.

    reading thread     decode                                   -> futures, in order
    network pool       convert to BGR, run the network             (as many as the device can use)
    finishing thread   stabilize, upscale, convert for the encoder -> OutputFrame
    writing thread     encode; store segments
    calling thread     report progress, cancel

All queues between the stages are bounded, so memory does not grow with the length of the video.
"""

import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from live_nst.conversion.video.reader import DecodedFrame, image_checksum
from live_nst.conversion.video.segment_writer import OutputFrame
from live_nst.engines.base import StylizedFrame
from live_nst.runtime.memory import trim_heap
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Image, Size
from live_nst.video.color import FromBgr, ToBgr
from live_nst.video.geometry import Orientation

_QUEUE_BYTES = 256 << 20  # of the images between two stages
_QUEUE_FRAMES = (4, 8)  # at least and at most

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PipelineStages:
    """What the pipeline does with each frame.

    Attributes:
        stylizer: Its `infer` is called from several threads, its `postprocess` in order from one.
        size: (width, height) of the upright images.
        orientation: How frames become upright.
        from_bgr: Converts images for the encoder.
        is_last: Returns whether the frame with this number ends a segment.
        write: Encodes and stores the frames, called in order.
        workers: Number of frames that the network runs on at the same time.
        first: The number of the first frame to write; those before it only warm the stylizer up.
        warm_up: Before each segment the stylizer forgets everything and sees this many frames
            again, so that no segment needs the one before; None to keep what it remembers.
    """

    stylizer: StylizerCore
    size: Size
    orientation: Orientation
    from_bgr: FromBgr
    is_last: Callable[[int], bool]
    write: Callable[[OutputFrame], None]
    workers: int
    first: int = 0
    warm_up: int | None = None

    @property
    def queue_length(self) -> int:
        """How many frames may wait between two stages; never fewer than the network runs on."""
        fitting = _QUEUE_BYTES // (self.size[0] * self.size[1] * 6)
        return max(_QUEUE_FRAMES[0], self.workers + 1, min(_QUEUE_FRAMES[1], fitting))


@dataclass(frozen=True, slots=True)
class _InferredFrame:
    """A frame that the network is done with; see `DecodedFrame`. The decoder's memory is free."""

    index: int
    pts: int
    end: int
    time: float
    image: Image
    stylized: StylizedFrame


class Pipeline:
    """Runs frames through the stages, each in its own thread.

    Args:
        frames: The input, in order.
        stages: What is done with each frame.
    """

    def __init__(self, frames: Iterable[DecodedFrame], stages: PipelineStages) -> None:
        self._frames = frames
        self._stages = stages
        self._inferred: Channel[Future[_InferredFrame]] = Channel(stages.queue_length)
        self._finished: Channel[OutputFrame] = Channel(stages.queue_length)
        self._stored: Channel[int] = Channel(1)
        self._pool = ThreadPoolExecutor(stages.workers, "network")
        self._local = threading.local()
        self._images = ImagePool(stages.size)
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._done = threading.Event()

    def run(self, tick: Callable[[], None], interval: float = 0.1) -> None:
        """Work until the last frame is written.

        Args:
            tick: Called in this thread every `interval` seconds; an exception stops the work.
            interval: Seconds between two calls.

        Raises:
            BaseException: What a stage or `tick` raised.
        """
        threads = [
            threading.Thread(target=self._run_stage, args=(stage,), name=stage.__name__.strip("_"))
            for stage in (self._reading, self._finishing, self._writing)
        ]
        for thread in threads:
            thread.start()
        try:
            while not self._done.wait(interval):
                tick()
        except BaseException as exc:
            self._abort(exc)
            raise
        finally:
            for thread in threads:
                thread.join()
            self._pool.shutdown(cancel_futures=True)
        if self._error is not None:
            raise self._error

    def _run_stage(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except (ChannelAborted, CancelledError):
            pass
        except BaseException as exc:
            self._abort(exc)

    def _abort(self, error: BaseException) -> None:
        """Stop all stages. The first error is the one that `run` raises."""
        with self._lock:
            self._error = self._error or error
        for channel in (self._inferred, self._finished, self._stored):
            channel.abort()
        self._done.set()

    def _reading(self) -> None:
        stages = self._stages
        for frame in self._frames:
            if frame.index < stages.first - (stages.warm_up or 0):
                continue
            self._inferred.put(self._pool.submit(self._infer, frame))
            if stages.is_last(frame.index) and frame.index >= stages.first:
                # The next segment begins when this one is on the disk, so that an interruption
                # never costs more than one segment.
                self._stored.get()
        self._inferred.end()

    def _infer(self, frame: DecodedFrame) -> _InferredFrame:
        stages = self._stages
        to_bgr = getattr(self._local, "to_bgr", None)
        if to_bgr is None:
            to_bgr = self._local.to_bgr = ToBgr(stages.size, stages.orientation, self._images)
        image = to_bgr(frame.av_frame)
        # Fetched from the device here, in one of several threads: the finishing thread is busier.
        stylized = stages.stylizer.infer(image, frame.time).fetch()
        return _InferredFrame(frame.index, frame.pts, frame.end, frame.time, image, stylized)

    def _finishing(self) -> None:
        stages = self._stages
        recent: deque[tuple[StylizedFrame, float]] = deque(maxlen=stages.warm_up or 0)
        while (future := self._inferred.get()) is not None:
            frame = future.result()
            if frame.index >= stages.first:
                if stages.warm_up is not None and stages.is_last(frame.index - 1):
                    self._warm_up(recent)
                self._finish(frame)
            recent.append((frame.stylized, frame.time))
        self._finished.end()

    def _warm_up(self, recent: Iterable[tuple[StylizedFrame, float]]) -> None:
        """Let the stylizer forget everything but the most recent frames."""
        stylizer = self._stages.stylizer
        stylizer.restore_state({})
        for stylized, time in recent:
            stylizer.observe(stylized, self._stages.size, time)

    def _finish(self, frame: _InferredFrame) -> None:
        stages = self._stages
        image = stages.stylizer.postprocess(frame.image, frame.stylized, frame.time)
        av_frame = stages.from_bgr(image)
        checksum, state = 0, {}
        if stages.is_last(frame.index):
            checksum = image_checksum(frame.image)
            if stages.warm_up is None:
                state = stages.stylizer.state_arrays()
        self._finished.put(
            OutputFrame(av_frame, frame.index, frame.pts, frame.end, checksum, state)
        )

    def _writing(self) -> None:
        while (frame := self._finished.get()) is not None:
            self._stages.write(frame)
            if self._stages.is_last(frame.index):
                del frame
                trim_heap()  # at this moment no frame is in the pipeline
                self._stored.put(1)
        self._done.set()


class ChannelAborted(Exception):
    """`Channel.abort` was called: the threads at both ends should stop."""


class Channel(Generic[T]):
    """A bounded queue between two threads, which any thread can abort.

    Args:
        capacity: How many items may wait.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._aborted = False

    def put(self, item: T) -> None:
        """Add an item; wait while the queue is full.

        Raises:
            ChannelAborted: `abort` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._aborted or len(self._items) < self._capacity)
            if self._aborted:
                raise ChannelAborted
            self._items.append(item)
            self._changed.notify_all()

    def get(self) -> T | None:
        """Return the next item, waiting for it; None after the last one.

        Raises:
            ChannelAborted: `abort` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._aborted or self._ended or self._items)
            if self._aborted:
                raise ChannelAborted
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def end(self) -> None:
        """Declare that no item follows."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Let `put` and `get` raise from now on, and release the items."""
        with self._changed:
            self._aborted = True
            self._items.clear()
            self._changed.notify_all()


class ImagePool:
    """Returns images whose memory is reused as soon as nothing refers to them. Thread-safe.

    Large blocks that one thread allocates and another frees leave gaps in the heap, which then
    grows for hours. Fresh memory from the system costs a millisecond an image.

    Args:
        size: (width, height) of the images.
    """

    def __init__(self, size: Size) -> None:
        self._shape = (size[1], size[0], 3)
        self._free: list[bytearray] = []  # its `append` and `pop` are atomic

    def __call__(self) -> Image:
        """Return an image to fill, BGR uint8 `[height, width, 3]`."""
        try:
            memory = self._free.pop()
        except IndexError:
            memory = bytearray(int(np.prod(self._shape)))
        # All views of it, and views of those, keep this array alive.
        owner = np.frombuffer(memory, np.uint8)
        weakref.finalize(owner, self._free.append, memory).atexit = False
        return owner.reshape(self._shape)
