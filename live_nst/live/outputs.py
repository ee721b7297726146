"""Threads that carry stylized frames to sinks, so that no sink slows the stream."""

import threading
from collections import deque

from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sinks.base import Sink
from live_nst.types import Frame

SINK_QUEUE_FRAMES = 8
"""Frames that may wait for a slow encoder: a quarter of a second. Nobody watches a recording
live, so that waiting costs no latency, and a hiccup costs no frame."""


class SinkWorker:
    """Carries frames to one sink, from a thread of its own, at the sink's rate or as they come.

    Args:
        sink: Written to and closed by the thread.
        clock: Paces sinks that have a rate.

    Attributes:
        dropped: Frames that a slow sink never got.
        failure: What ended the feed early, if anything did.
    """

    def __init__(self, sink: Sink, clock: Clock | None = None) -> None:
        self.sink = sink
        self.dropped = 0
        self.failure: BaseException | None = None
        self._clock = clock or SystemClock()
        self._waiting: deque[Frame] = deque(maxlen=1 if sink.rate else SINK_QUEUE_FRAMES)
        self._changed = threading.Condition()
        self._stopping = False
        # A daemon, because a broken device may never return from a write.
        self._thread = threading.Thread(
            target=self._guard, name=f"live-nst {sink.name}", daemon=True
        )
        self._thread.start()

    def put(self, frame: Frame) -> None:
        """Offer a frame; never blocks. When too many wait, the oldest is dropped."""
        with self._changed:
            if len(self._waiting) == self._waiting.maxlen and not self.sink.rate:
                self.dropped += 1
            self._waiting.append(frame)
            self._changed.notify()

    def stop(self) -> None:
        """Let the thread write what waits and close the sink; returns at once."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    @property
    def alive(self) -> bool:
        """Whether the sink still takes frames or is being closed."""
        return self._thread.is_alive()

    def join(self, timeout: float) -> None:
        """Wait until the sink is closed."""
        self._thread.join(timeout)

    def _guard(self) -> None:
        """Run the feed and close the sink, keeping what goes wrong for the pipeline."""
        try:
            if self.sink.rate:
                self._run_at_rate(1.0 / self.sink.rate)
            else:
                self._run_as_they_come()
        except BaseException as exc:  # handed to the thread that runs the pipeline
            self.failure = exc
        try:
            self.sink.close()
        except BaseException as exc:
            self.failure = self.failure or exc

    def _run_as_they_come(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    return
                frame = self._waiting.popleft()
            self.sink.write(frame)

    def _run_at_rate(self, interval: float) -> None:
        frame: Frame | None = None
        due = self._clock.now()
        while True:
            with self._changed:
                if frame is None:
                    self._changed.wait_for(lambda: self._waiting or self._stopping)
                    due = self._clock.now()
                if self._stopping:
                    return
                if self._waiting:
                    frame = self._waiting.popleft()
            if frame is not None:
                self.sink.write(frame)
            # A device that is slower than the rate sets the pace: no catching up in a burst.
            due = max(due + interval, self._clock.now())
            self._clock.sleep(due - self._clock.now())
