"""The file pipeline: every frame, in order, with as much at once as the machine can do.

    reader thread      decode                                  -> futures, in order
    workers            to BGR, network                            (as many as the device takes)
    finishing thread   stabilize, enlarge, to the codec's form  -> finished frames
    writing thread     encode; segments to the disk
    caller's thread    looks on, tells the progress, breaks off

Everything between two stages is bounded, so memory does not grow with the film.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from live_nst.conversion.video.color import FromBgr, ToBgr
from live_nst.conversion.video.image_pool import ImagePool
from live_nst.conversion.video.reader import DecodedFrame, image_checksum
from live_nst.conversion.video.segment_writer import OutputFrame
from live_nst.conversion.video.segments import StylizerState
from live_nst.engines.base import StylizedFrame
from live_nst.runtime.memory import trim_heap
from live_nst.types import Image, Size

_IN_FLIGHT_BYTES = 256 << 20
_IN_FLIGHT = (4, 8)


class FramePainter(Protocol):
    """The two halves of a stylizer; see `live_nst.Stylizer`."""

    def network(self, image: Image, time: float = 0.0) -> StylizedFrame:
        """What needs nothing but this frame; called from several threads."""
        ...

    def finish(self, image: Image, painted: StylizedFrame, time: float = 0.0) -> Image:
        """What needs the frames before; called in order, from one thread."""
        ...


@dataclass(frozen=True, slots=True)
class PipelineStages:
    """What is done with each frame.

    Attributes:
        painter: Paints it.
        size: (width, height) of the pictures.
        turn: Degrees counterclockwise by which frames are turned upright.
        from_bgr: Gives pictures the encoder's form.
        state: The painter's state, asked for where `is_last` says that a segment ends.
        is_last: Whether the frame with this number ends a segment.
        write: Takes the frames, in order.
        workers: How many frames are in the network's hands at once.
    """

    painter: FramePainter
    size: Size
    rotation: int
    from_bgr: FromBgr
    state: Callable[[], StylizerState]
    is_last: Callable[[int], bool]
    write: Callable[[OutputFrame], None]
    workers: int

    @property
    def in_flight(self) -> int:
        """How many frames may wait between two stages."""
        fitting = _IN_FLIGHT_BYTES // (self.size[0] * self.size[1] * 6)
        # Never fewer than the network works on at once.
        return max(_IN_FLIGHT[0], self.workers + 1, min(_IN_FLIGHT[1], fitting))


@dataclass(frozen=True, slots=True)
class _Read:
    """A frame that the network is done with; see `SourceFrame`. The decoder has its memory back."""

    index: int
    pts: int
    end: int
    time: float
    image: Image
    painted: StylizedFrame


class Pipeline:
    """Runs frames through the stages, each in its own thread.

    Args:
        frames: The input, in order.
        stages: What is done with each frame.
    """

    def __init__(self, frames: Iterable[DecodedFrame], stages: PipelineStages) -> None:
        self._frames = frames
        self._stages = stages
        self._read: Channel[Future[_Read]] = Channel(stages.in_flight)
        self._finished: Channel[OutputFrame] = Channel(stages.in_flight)
        self._saved: Channel[int] = Channel(1)
        self._pool = ThreadPoolExecutor(stages.workers, "network")
        self._local = threading.local()
        self._pictures = ImagePool(stages.size)
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._done = threading.Event()

    def run(self, tick: Callable[[], None], interval: float = 0.1) -> None:
        """Work until the last frame is written.

        Args:
            tick: Called in this thread, every so often; what it raises breaks off the work.
            interval: Seconds between two calls.

        Raises:
            BaseException: What a stage or `tick` raised.
        """
        threads = [
            threading.Thread(target=self._stage, args=(stage,), name=stage.__name__.strip("_"))
            for stage in (self._reading, self._finishing, self._writing)
        ]
        for thread in threads:
            thread.start()
        try:
            while not self._done.wait(interval):
                tick()
        except BaseException as exc:
            self._break_off(exc)
            raise
        finally:
            for thread in threads:
                thread.join()
            self._pool.shutdown(cancel_futures=True)
        if self._error is not None:
            raise self._error

    def _stage(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except (ChannelAborted, CancelledError):
            pass
        except BaseException as exc:
            self._break_off(exc)

    def _break_off(self, error: BaseException) -> None:
        """Stop every stage; the first error is the one that counts."""
        with self._lock:
            self._error = self._error or error
        for channel in (self._read, self._finished, self._saved):
            channel.break_off()
        self._done.set()

    def _reading(self) -> None:
        for frame in self._frames:
            self._read.put(self._pool.submit(self._paint, frame))
            if self._stages.is_last(frame.index):
                # Nothing is painted ahead of a segment that is not safe yet: whatever happens, no
                # more than a segment has to be painted again.
                self._saved.get()
        self._read.end()

    def _paint(self, frame: DecodedFrame) -> _Read:
        to_bgr = getattr(self._local, "to_bgr", None)
        if to_bgr is None:
            stages = self._stages
            to_bgr = self._local.to_bgr = ToBgr(stages.size, stages.rotation, self._pictures)
        image = to_bgr(frame.picture)
        # Fetched here, in one of several threads: the one that finishes has enough to do.
        painted = self._stages.painter.network(image, frame.time).fetch()
        return _Read(frame.index, frame.pts, frame.end, frame.time, image, painted)

    def _finishing(self) -> None:
        stages = self._stages
        while (future := self._read.get()) is not None:
            read = future.result()
            picture = stages.from_bgr(stages.painter.finish(read.image, read.painted, read.time))
            last = stages.is_last(read.index)
            checksum, state = (image_checksum(read.image), stages.state()) if last else (0, {})
            self._finished.put(
                OutputFrame(picture, read.index, read.pts, read.end, checksum, state)
            )
        self._finished.end()

    def _writing(self) -> None:
        while (finished := self._finished.get()) is not None:
            self._stages.write(finished)
            if self._stages.is_last(finished.index):
                del finished
                trim_heap()  # nothing is on its way just now
                self._saved.put(1)
        self._done.set()


T = TypeVar("T")


class ChannelAborted(Exception):
    """The channel is of no use any more: whoever works on it stops."""


class Channel(Generic[T]):
    """Hands items on in order; both ends wait, and neither waits for ever.

    Args:
        capacity: How many items may wait.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._broken = False

    def put(self, item: T) -> None:
        """Hand on an item, waiting for room.

        Raises:
            BrokenOff: `break_off` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._broken or len(self._items) < self._capacity)
            if self._broken:
                raise ChannelAborted
            self._items.append(item)
            self._changed.notify_all()

    def get(self) -> T | None:
        """The next item, waiting for it; None when there will be none.

        Raises:
            BrokenOff: `break_off` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._broken or self._ended or self._items)
            if self._broken:
                raise ChannelAborted
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def end(self) -> None:
        """Say that nothing follows."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def break_off(self) -> None:
        """Wake both ends with `BrokenOff`; what waited is let go."""
        with self._changed:
            self._broken = True
            self._items.clear()
            self._changed.notify_all()
