"""Where stylized frames go: to the display, and to sinks in threads of their own."""

import threading
from collections import deque

from live_nst.errors import SinkError
from live_nst.live.latest_frame import LatestSlot
from live_nst.live.stats import LiveStats
from live_nst.runtime.timing import Clock
from live_nst.sinks.base import Sink
from live_nst.types import Frame, Notify

SINK_QUEUE_FRAMES = 8
"""Frames that may wait for a slow encoder: a quarter of a second. This costs no latency that anyone
sees, and no frame is lost when the encoder is slow for a moment."""


class FrameOutputs:
    """Hands each stylized frame to the display and to all sinks, without waiting for them.

    Args:
        stats: Counts frames where there is no display.
        clock: Times them, and sinks that have a rate.
        notify: Called when a sink breaks and the session goes on, or when a sink lost frames.
        max_frames: Number of frames that sinks get; None for no limit.

    Attributes:
        display_slot: The newest frame for the display, and whether it is fresh (false: a frozen
            frame that changed its look). None where there is no display.
        newest: The newest stylized frame.
        failure: The first error of a sink.
    """

    def __init__(
        self, stats: LiveStats, clock: Clock, notify: Notify, max_frames: int | None
    ) -> None:
        self._stats = stats
        self._clock = clock
        self._notify = notify
        self._max_frames = max_frames
        self._accepted = 0
        self._workers: tuple[SinkWorker, ...] = ()
        self._closing: tuple[SinkWorker, ...] = ()
        self._changing = threading.Lock()  # sinks are added by any thread, and removed by others
        self.display_slot: LatestSlot[tuple[Frame, bool]] | None = None
        self.newest: Frame | None = None
        self.failure: SinkError | None = None

    def put(self, frame: Frame, fresh: bool) -> None:
        """Hand on a frame; called by the thread that composed it.

        Args:
            frame: The frame.
            fresh: False for a frozen frame that is delivered again because its look changed.
        """
        # A slow display shows fewer frames than are stylized. Then sinks reach the limit first.
        accepted = self._max_frames is None or self._accepted < self._max_frames
        self.newest = frame
        if accepted:
            for worker in self._workers:
                worker.put(frame)
            self._accepted += fresh
        if self.display_slot is not None:
            self.display_slot.put((frame, fresh))
        elif accepted and fresh:
            self._stats.add_frame(frame.time, self._clock.now())

    def add_sink(self, sink: Sink) -> None:
        """Write all further frames to a sink as well, and close it in the end.

        Any thread may call this.
        """
        with self._changing:
            self._workers = (*self._workers, SinkWorker(sink, self._clock))

    def remove_sink(self, sink: Sink) -> None:
        """Write no further frames to a sink; it is finished and closed beside the stream."""
        for worker in self._workers:
            if worker.sink is sink:
                self._finish(worker)

    def is_writing(self, sink: Sink) -> bool:
        """Return whether a sink still gets frames, or is being finished."""
        workers = (*self._workers, *self._closing)
        return any(worker.sink is sink and worker.alive for worker in workers)

    def dropped(self) -> dict[str, int]:
        """Return how many frames each sink was too slow for, by the names of the sinks."""
        return {worker.sink.name: worker.dropped for worker in self._workers}

    def check(self) -> None:
        """Remove the sinks that broke, and keep the first error in `failure`.

        Raises:
            BaseException: An error that is no `SinkError`.
        """
        for worker in (*self._workers, *self._closing):
            failure, worker.failure = worker.failure, None
            if failure is None:
                continue
            if not isinstance(failure, SinkError):
                raise failure
            self.failure = self.failure or failure
            self._finish(worker)
            if not self.all_failed:
                self._notify(str(failure))

    @property
    def all_failed(self) -> bool:
        """Whether a sink broke and nothing else is left that shows frames."""
        return self.failure is not None and self.display_slot is None and not self._workers

    def close(self, timeout: float) -> None:
        """Finish and close all sinks.

        Args:
            timeout: Seconds to wait for each.
        """
        workers = (*self._workers, *self._closing)
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.join(timeout)
            if worker.dropped:
                self._notify(f"{worker.dropped} frames came too fast for the {worker.sink.name}.")

    def _finish(self, worker: "SinkWorker") -> None:
        worker.stop()
        with self._changing:
            self._workers = tuple(other for other in self._workers if other is not worker)
            if worker not in self._closing:
                self._closing = (*self._closing, worker)


class SinkWorker:
    """Writes frames to one sink in a thread of its own, at the sink's rate or as they come.

    Args:
        sink: Written to and closed by the thread.
        clock: Times the writing to a sink that has a rate.

    Attributes:
        sink: The sink.
        dropped: Number of frames that the sink was too slow for.
        failure: The error that ended the thread early, if one did.
    """

    def __init__(self, sink: Sink, clock: Clock) -> None:
        self.sink = sink
        self.dropped = 0
        self.failure: BaseException | None = None
        self._clock = clock
        self._queue: deque[Frame] = deque(maxlen=1 if sink.rate else SINK_QUEUE_FRAMES)
        self._changed = threading.Condition()
        self._stopping = False
        # A daemon, because a broken device may never return from a write.
        self._thread = threading.Thread(target=self._run, name=f"live-nst {sink.name}", daemon=True)
        self._thread.start()

    def put(self, frame: Frame) -> None:
        """Queue a frame without blocking. If the queue is full, drop the oldest one."""
        with self._changed:
            if len(self._queue) == self._queue.maxlen and not self.sink.rate:
                self.dropped += 1
            self._queue.append(frame)
            self._changed.notify()

    def stop(self) -> None:
        """Write the queued frames, then close the sink; return at once."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    @property
    def alive(self) -> bool:
        """Whether the thread runs: it writes frames, or closes the sink."""
        return self._thread.is_alive()

    def join(self, timeout: float) -> None:
        """Wait up to `timeout` seconds until the sink is closed."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            if self.sink.rate:
                self._write_at_rate()
            else:
                self._write_as_they_come()
        except BaseException as exc:  # kept for the thread that runs the pipeline
            self.failure = exc
        try:
            self.sink.close()
        except BaseException as exc:
            self.failure = self.failure or exc

    def _write_as_they_come(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._stopping)
                if not self._queue:
                    return
                frame = self._queue.popleft()
            self.sink.write(frame)

    def _write_at_rate(self) -> None:
        """Write the newest frame at the rate of the sink; again if there is no newer one."""
        frame: Frame | None = None
        due = self._clock.now()
        while True:
            with self._changed:
                if frame is None:
                    self._changed.wait_for(lambda: self._queue or self._stopping)
                    due = self._clock.now()
                if self._stopping:
                    return
                if self._queue:
                    frame = self._queue.popleft()
            if frame is not None:
                self.sink.write(frame)
            # After a delay the next write comes at once, but delays are not made up for in a burst.
            due = max(due + 1.0 / (self.sink.rate or 1.0), self._clock.now())
            self._clock.sleep(due - self._clock.now())
