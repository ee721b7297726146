"""The live pipeline: capture, paint and show overlap; the newest frame wins; nothing queues."""

from collections.abc import Callable, Sequence
from typing import Protocol

from live_nst.errors import SinkError
from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.keys import ViewState
from live_nst.live.latest_frame import LatestSlot
from live_nst.live.outputs import SinkWorker
from live_nst.live.stats import LiveStats
from live_nst.live.stylize_worker import StylizerLike, StylizeWorker
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sinks.base import Sink
from live_nst.types import Frame, Image

_TICK = 0.02  # seconds between looks at keys while no frame comes
_IDLE_TICK = 0.05  # without a window: every look takes a moment from the network's cores
_REDRAW_SECONDS = 0.1  # how late a notice or message may come and go while no frame comes
_PAINT_SECONDS = 10.0  # a frame that is being painted may take this long
_FLUSH_SECONDS = 20.0  # a recording may take this long to be finished


class Display(Protocol):
    """Shows frames and hears keys; used from the thread that calls `LivePipeline.run`."""

    def show(self, frame: Frame, notice: str) -> None:
        """Show a frame, with what people should know, which may be empty."""
        ...

    def poll(self) -> None:
        """Handle the keys pressed since the last call."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the window was closed."""
        ...

    def close(self) -> None:
        """Close the window. Calling it again does nothing."""
        ...


class LivePipeline:
    """Runs a session: a capture thread, a painting thread, a thread per sink, and the caller's.

    Args:
        capture: Started or not; closed at the end.
        stylizer: Paints; stays open.
        view: How frames are composed.
        sinks: Fed from threads of their own, and closed at the end.
        display: Shown to and polled in the thread that calls `run`; None for no window.
        max_frames: Stop after so many shown frames; no sink gets more.
        max_seconds: Stop after so many seconds.
        fps: The rate that an automatic size holds.
        automatic_size: Choose the processing size by speed; else it stays as it is.
        overlap: Finish frames in a thread of their own; see `Painter`.
        repeat: Show a painting again while nothing moves; see `Painter`.
        clock: Time.
        warn: Called with one sentence when the source is lost or back, or when a sink breaks
            and the session goes on without it.

    Attributes:
        stats: The measurements.
        painter: For changes of style and size.
    """

    def __init__(
        self,
        capture: CaptureWorker,
        stylizer: StylizerLike,
        *,
        view: ViewState | None = None,
        sinks: Sequence[Sink] = (),
        display: Display | None = None,
        max_frames: int | None = None,
        max_seconds: float | None = None,
        fps: float = 30.0,
        automatic_size: bool = False,
        overlap: bool = False,
        repeat: bool = False,
        clock: Clock | None = None,
        warn: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._capture = capture
        self._clock = clock or SystemClock()
        self.view = view or ViewState()
        self.stats = LiveStats()
        self.display = display
        self.painter = StylizeWorker(
            capture.slot, stylizer, self.view, self.stats, self._clock, self._deliver,
            fps=fps, automatic_size=automatic_size, overlap=overlap, repeat=repeat,
        )  # fmt: skip
        self._shown: LatestSlot[tuple[Frame, bool]] = LatestSlot()
        self._newest: Frame | None = None
        self._sinks = tuple(sinks)
        self._feeds: list[SinkWorker] = []
        self._closing_feeds: list[SinkWorker] = []
        self._max_frames = max_frames
        self._max_seconds = max_seconds
        self._warn = warn
        # No Event: a signal handler that sets one can wait for a lock that its own thread holds.
        self._stopped = False
        self._sink_failure: SinkError | None = None
        self._notice = ""
        self._replaced_before = 0
        self._delivered = 0
        self._started = self._drawn = 0.0

    @property
    def newest(self) -> Image | None:
        """The newest painted picture, without any overlay."""
        return None if self._newest is None else self._newest.image

    @property
    def dropped(self) -> int:
        """Captured frames that a newer one replaced before they could be painted."""
        return self._capture.slot.replaced - self._replaced_before + self.painter.replaced

    def stop(self) -> None:
        """End the session soon; may be called from any thread and from signal handlers."""
        self._stopped = True

    def add_sink(self, sink: Sink) -> None:
        """Feed another sink from now on; while `run` runs."""
        self._feeds = [*self._feeds, SinkWorker(sink, self._clock)]

    def remove_sink(self, sink: Sink) -> None:
        """Let a sink finish beside the stream."""
        for feed in self._feeds:
            if feed.sink is sink:
                self._let_finish(feed)

    def run(self) -> None:
        """Run until the source ends, a limit is reached, the window closes, or `stop`.

        Raises:
            LiveNstError: The source could not be opened, or a sink broke.
            BaseException: Whatever a thread died of.
        """
        self._replaced_before = self._capture.slot.replaced  # while the model was loaded
        self._started = self._clock.now()
        self._capture.begin()
        try:
            for sink in self._sinks:
                self.add_sink(sink)
            self.painter.start()
            while not self._is_over():
                notice = self._look_after_source()
                self._check_workers()
                if self.display is None:
                    self._clock.sleep(_IDLE_TICK)
                else:
                    self._show(self.display, notice)
            self.painter.close(_PAINT_SECONDS)
            self._show_last()
        finally:
            self._close()
        self._check_workers()
        if self._sink_failure is not None:
            raise self._sink_failure

    def _deliver(self, frame: Frame, fresh: bool) -> None:
        """Called by the painting thread with every painted frame."""
        # A slow display may show fewer frames than are painted: then the sinks are done first.
        wanted = self._max_frames is None or self._delivered < self._max_frames
        self._newest = frame
        if wanted:
            for feed in self._feeds:
                feed.put(frame)
            self._delivered += fresh
        if self.display is not None:
            self._shown.put((frame, fresh))
        elif wanted and fresh:
            self.stats.add_frame(frame.time, self._clock.now())

    def _show(self, display: Display, notice: str) -> None:
        shown = self._shown.take(_TICK)
        start = self._clock.now()
        if shown is not None:
            frame, fresh = shown
            display.show(frame, notice)
            display.poll()  # the window system draws while keys are polled
            self._drawn = now = self._clock.now()
            self.stats.add_stage("display", now - start)
            if fresh:
                self.stats.add_frame(frame.time, now)
        else:
            if self._newest is not None and start - self._drawn >= _REDRAW_SECONDS:
                # The last picture stays; what is written over it comes and goes.
                display.show(self._newest, notice)
                self._drawn = start
            display.poll()

    def _show_last(self) -> None:
        """Show what was painted, and recorded, while the session ended."""
        display = self.display
        if display is None or display.closed or self._shown.empty or self._limit_reached():
            return
        self._show(display, self._notice)

    def _limit_reached(self) -> bool:
        return self._max_frames is not None and self.stats.frames >= self._max_frames

    def _is_over(self) -> bool:
        if self._stopped or self._limit_reached():
            return True
        if self.display is not None and self.display.closed:
            return True
        seconds = self._clock.now() - self._started
        if self._max_seconds is not None and seconds >= self._max_seconds:
            return True
        return self._capture.ended and not self.painter.waiting

    def _look_after_source(self) -> str:
        """What people should know of the source now; changes are told once in words."""
        notice = self._capture.check()
        if bool(notice) != bool(self._notice):
            self._warn(f"Source: {notice or 'it is back'}.")
        self._notice = notice
        return notice

    def _check_workers(self) -> None:
        """Raise what a worker died of; a broken sink ends the session only if it was the last."""
        for failure in (self._capture.failure, self.painter.failure):
            if failure is not None:
                raise failure
        for feed in (*self._feeds, *self._closing_feeds):
            failure, feed.failure = feed.failure, None
            if failure is None:
                continue
            if not isinstance(failure, SinkError):
                raise failure
            self._sink_failure = self._sink_failure or failure
            self._let_finish(feed)
            if self.display is None and not self._feeds:
                self._stopped = True
            else:
                self._warn(str(failure))

    def _let_finish(self, feed: SinkWorker) -> None:
        """Give a sink no more frames; it writes what waits and closes beside the stream."""
        feed.stop()
        self._feeds = [other for other in self._feeds if other is not feed]
        if feed not in self._closing_feeds:
            self._closing_feeds.append(feed)

    def _close(self) -> None:
        """Stop every thread, in the order in which frames flow."""
        self._capture.close()
        self.painter.close(_PAINT_SECONDS)
        feeds = [*self._feeds, *self._closing_feeds]
        for feed in feeds:
            feed.stop()
        for feed in feeds:
            feed.join(_FLUSH_SECONDS)
            if feed.dropped:
                self._warn(f"{feed.dropped} frames came too fast for the {feed.sink.name}.")
        if self.display is not None:
            self.display.close()
