"""The live pipeline: frames go from a source through the stylizer to a display and to sinks.

    CaptureWorker     source -> latest-frame slot                   one thread
    StylizeWorker     slot -> network -> compose                    one thread, or three
    FrameOutputs      -> slot of the display, queues of the sinks
    SinkWorker        queue -> sink                                 one thread per sink
    LivePipeline.run  slot of the display -> window and keys        the thread of the caller

The slots hold one frame: a newer frame replaces one that was not taken. Only the queues of the
sinks are longer, 8 frames, so that a slow disk costs no frame.
"""

from collections.abc import Sequence

from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.display import Display
from live_nst.live.latest_frame import LatestSlot
from live_nst.live.options import PipelineOptions, ViewState
from live_nst.live.outputs import FrameOutputs
from live_nst.live.stats import LiveStats
from live_nst.live.stylize_worker import StylizeWorker
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sinks.base import Sink
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Image, Notify

_POLL_SECONDS = 0.02  # between two looks at the keys while no frame comes
_IDLE_SECONDS = 0.05  # the same without a window: each look takes time from the network
_REDRAW_SECONDS = 0.1  # between two drawings of the overlay while no frame comes
_STYLIZE_TIMEOUT = 10.0  # seconds to finish a frame
_SINK_TIMEOUT = 20.0  # seconds to finish a recording


class LivePipeline:
    """Runs a live session.

    Args:
        capture: Reads the source; started before or not; closed at the end.
        stylizer: Stylizes frames; stays open.
        options: How to run, and when to end.
        view: How frames are shown.
        sinks: Written to in threads of their own, and closed at the end.
        clock: The time; None for that of the system.
        notify: Called with one sentence when the source is lost or comes back, or when a sink
            breaks and the session goes on without it.

    Attributes:
        stats: The measurements.
        view: How frames are shown.
        worker: Stylizes frames; changes of the style and the size go through it.
    """

    def __init__(
        self,
        capture: CaptureWorker,
        stylizer: StylizerCore,
        options: PipelineOptions | None = None,
        *,
        view: ViewState | None = None,
        sinks: Sequence[Sink] = (),
        clock: Clock | None = None,
        notify: Notify = lambda sentence: None,
    ) -> None:
        self._capture = capture
        self._options = options or PipelineOptions()
        self._clock = clock or SystemClock()
        self._notify = notify
        self._sinks = tuple(sinks)
        self.view = view or ViewState()
        self.stats = LiveStats()
        self._outputs = FrameOutputs(self.stats, self._clock, notify, self._options.max_frames)
        self.worker = StylizeWorker(
            capture.slot,
            stylizer,
            self.view,
            self.stats,
            self._clock,
            self._outputs.put,
            self._options,
        )
        # No Event: `stop` is called in a signal handler, which must not wait for a lock.
        self._stopped = False
        self._running = False
        self._notice = ""
        self._dropped_before = 0
        self._started = self._drawn = 0.0

    @property
    def newest(self) -> Image | None:
        """The newest stylized image without overlay, BGR uint8; None if there is none yet."""
        frame = self._outputs.newest
        return None if frame is None else frame.image

    @property
    def newest_captured(self) -> Image | None:
        """The newest frame that the network was given, as captured; None if there is none yet."""
        frame = self.worker.newest_captured
        return None if frame is None else frame.image

    @property
    def dropped(self) -> int:
        """Number of frames that were late, or replaced by newer ones before they were stylized."""
        return self._capture.dropped - self._dropped_before + self.worker.replaced

    def stop(self) -> None:
        """End the session soon. Any thread and any signal handler may call this."""
        self._stopped = True

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def add_sink(self, sink: Sink) -> None:
        """Write all further frames to a sink as well; while `run` runs."""
        self._outputs.add_sink(sink)

    def remove_sink(self, sink: Sink) -> None:
        """Write no further frames to a sink; it is finished and closed beside the stream."""
        self._outputs.remove_sink(sink)

    def is_writing(self, sink: Sink) -> bool:
        """Return whether a sink gets frames or will get some, or is being finished."""
        return self._outputs.is_writing(sink) or (not self._running and sink in self._sinks)

    def dropped_by_sinks(self) -> dict[str, int]:
        """Return how many frames each sink was too slow for, by the names of the sinks."""
        return self._outputs.dropped()

    @property
    def notice(self) -> str:
        """What is wrong with the source now; empty if nothing is."""
        return self._notice

    def run(self, display: Display | None = None) -> None:
        """Run until the source ends, a limit is reached, the display is closed, or `stop`.

        Args:
            display: Used in this thread and closed at the end; None for no window.

        Raises:
            LiveNstError: The source cannot be opened, or a sink broke.
            BaseException: The error that ended a thread.
        """
        self._dropped_before = self._capture.dropped  # while the model was loaded
        self._started = self._clock.now()
        try:
            if display is not None:
                self._outputs.display_slot = LatestSlot()
            for sink in self._sinks:
                self.add_sink(sink)
            self._running = True
            self._capture.begin()
            self.worker.start()
            while not self._is_over(display):
                self._check_source()
                self._check_workers()
                if display is None:
                    self._clock.sleep(_IDLE_SECONDS)
                else:
                    self._show(display)
            self.worker.close(_STYLIZE_TIMEOUT)
            self._show_last(display)
        finally:
            self._close(display)
        self._check_workers()
        if self._outputs.failure is not None:
            raise self._outputs.failure

    def _is_over(self, display: Display | None) -> bool:
        if self._stopped or self._limit_reached() or self._outputs.all_failed:
            return True
        if display is not None and display.closed:
            return True
        seconds = self._clock.now() - self._started
        if self._options.max_seconds is not None and seconds >= self._options.max_seconds:
            return True
        return self._capture.ended and not self.worker.has_waiting_frame

    def _limit_reached(self) -> bool:
        limit = self._options.max_frames
        return limit is not None and self.stats.frames >= limit

    def _check_source(self) -> None:
        """Update the notice about the source; tell the user once when it is lost or back."""
        notice = self._capture.check()
        if bool(notice) != bool(self._notice):
            self._notify(f"Source: {notice or 'it is back'}.")
        self._notice = notice

    def _check_workers(self) -> None:
        """Raise the error that ended a thread. A sink that broke raises nothing here."""
        for failure in (self._capture.failure, self.worker.failure):
            if failure is not None:
                raise failure
        self._outputs.check()

    def _show(self, display: Display) -> None:
        """Show the next frame, or after a while the last one again; handle keys."""
        assert self._outputs.display_slot is not None
        shown = self._outputs.display_slot.take(_POLL_SECONDS)
        start = self._clock.now()
        if shown is None:
            newest = self._outputs.newest
            if newest is not None and start - self._drawn >= _REDRAW_SECONDS:
                display.show(newest, self._notice)  # the overlay may have changed
                self._drawn = start
            display.poll()
            return
        frame, fresh = shown
        display.show(frame, self._notice)
        display.poll()  # the window draws while keys are polled
        self._drawn = now = self._clock.now()
        self.stats.add_stage("display", now - start)
        if fresh:
            self.stats.add_frame(frame.time, now)

    def _show_last(self, display: Display | None) -> None:
        """Show the frame that was stylized, and recorded, while the session ended."""
        slot = self._outputs.display_slot
        if display is None or slot is None or slot.empty:
            return
        if not display.closed and not self._limit_reached():
            self._show(display)

    def _close(self, display: Display | None) -> None:
        """Stop all threads in the order of the flow."""
        self._capture.close()
        self.worker.close(_STYLIZE_TIMEOUT)
        self._outputs.close(_SINK_TIMEOUT)
        if display is not None:
            display.close()
