"""The thread that stylizes: it takes the newest frame, runs the network and delivers the result."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace

import cv2

from live_nst.engines.base import StylizedFrame
from live_nst.live.background import BackgroundJobs, StyleChanger
from live_nst.live.latest_frame import FrameSkipPolicy, LatestSlot
from live_nst.live.options import PipelineOptions, ViewState
from live_nst.live.prefetch import FrameInput, FramePrefetcher, PreparedFrame
from live_nst.live.size_controller import SizeController
from live_nst.live.stats import LiveStats
from live_nst.runtime.timing import Clock
from live_nst.stabilizer.static_scene import StaticScene, update_static_scene
from live_nst.stylizer.compositing import draw_split_view
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Frame, Image

_POLL_SECONDS = 0.05  # how late a stop may be noticed


class StylizeWorker:
    """Stylizes the newest frame of a slot, again and again, in a thread of its own.

    With `PipelineOptions.overlap` two more threads work beside it: one prepares the next frame, one
    composes the frame before. Each frame still passes the same steps in the same order:

        prepare -> stylize -> compose -> deliver

    Args:
        source: Where captured frames appear.
        stylizer: Stylizes them.
        view: Read for every frame.
        stats: Gets the time that each step took.
        clock: Measures it.
        deliver: Called with every composed frame, in the thread that composed it. The second
            argument is false for a frozen frame that is delivered again because its look changed.
        options: How to run.

    Attributes:
        style_changer: Changes the style.
        size_controller: Changes the processing size.
        network_size: (width, height) in pixels of what the network saw last.
        failure: The error that ended a thread, if one did.
    """

    def __init__(
        self,
        source: LatestSlot[Frame],
        stylizer: StylizerCore,
        view: ViewState,
        stats: LiveStats,
        clock: Clock,
        deliver: Callable[[Frame, bool], None],
        options: PipelineOptions,
    ) -> None:
        self._source = source
        self._stylizer = stylizer
        self._view = view
        self._stats = stats
        self._clock = clock
        self._deliver = deliver
        self._options = options
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-nst stylize", daemon=True)
        self._input = FrameInput(source, self._mirror)
        self._composer: BackgroundJobs | None = None
        self._composing: Future[None] | None = None
        self._skip_policy = FrameSkipPolicy()
        self._scene: StaticScene | None = None
        self._stylized: StylizedFrame | None = None  # of the last run of the network
        self._last_frame: Frame | None = None
        self._frozen_frame: Frame | None = None
        self._redraw_until = 0.0
        self.style_changer = StyleChanger(stylizer, clock, self._redraw, self._fail)
        self.size_controller = SizeController(
            stylizer,
            options.fps,
            automatic=options.automatic_size,
            on_change=self.look_changed,
            on_failure=self._fail,
        )
        self.network_size = (0, 0)
        self.failure: BaseException | None = None

    @property
    def has_waiting_frame(self) -> bool:
        """Whether there is a frame that the worker has not begun with."""
        return not self._input.empty

    @property
    def replaced(self) -> int:
        """Number of frames that were taken from the source but replaced by newer ones."""
        return self._input.replaced

    @property
    def newest_captured(self) -> Frame | None:
        """The newest frame that the worker began with; None if there was none."""
        return self._last_frame

    @property
    def is_static(self) -> bool:
        """Whether nothing moves, so that the network runs for few frames only."""
        return self._scene is not None and self._scene.settled

    def start(self) -> None:
        """Start the threads."""
        if self._options.overlap:
            self._input = FramePrefetcher(self._source, self._prefetch, self._fail)
            self._composer = BackgroundJobs("live-nst compose", self._fail)
        self._thread.start()

    def look_changed(self) -> None:
        """Show a change of the look in a frozen frame, too."""
        self._redraw(0.0)

    @property
    def stopping(self) -> bool:
        """Whether `stop` or `close` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the thread to stop after the current frame; return at once."""
        self._stop.set()

    def close(self, timeout: float) -> None:
        """Finish the frames that were begun, then stop all threads.

        Args:
            timeout: Seconds to wait for each thread.
        """
        self.stop()
        self.style_changer.close()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._input.close(timeout)
        if self._composing is not None:
            wait([self._composing], timeout)
        if self._composer is not None:
            self._composer.close()
        self.size_controller.close()

    # What happens to a frame, from top to bottom.

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                prepared = self._input.take(_POLL_SECONDS, self._seconds_to_wait)
                if self._view.frozen:
                    self._show_frozen(prepared)
                elif prepared is not None:
                    self._frozen_frame = None
                    self._process(prepared, fresh=True)
        except BaseException as exc:
            self._fail(exc)

    def _seconds_to_wait(self, frame: Frame) -> float:
        return self._skip_policy.seconds_to_wait(self._clock.now() - frame.time)

    def _mirror(self, frame: Frame) -> PreparedFrame:
        if not self._view.mirror:
            return PreparedFrame(frame, frame.image)
        return PreparedFrame(frame, cv2.flip(frame.image, 1))  # type: ignore[arg-type]

    def _prefetch(self, frame: Frame) -> PreparedFrame:
        prepared = self._mirror(frame)
        return replace(prepared, prefetched=self._stylizer.prefetch(prepared.content))

    def _process(self, prepared: PreparedFrame, *, fresh: bool) -> None:
        frame = self._last_frame = prepared.frame
        start = self._clock.now()
        if fresh:
            self._stats.add_stage("wait", start - frame.time)
        reuse = fresh and self._can_reuse(prepared.content, start)
        if reuse:
            self._stats.add_repeated()
        else:
            self._stylized = self._stylize(prepared, start)
            self._stats.add_stage("stylize", self._clock.now() - start)
        stylized = self._stylized
        assert stylized is not None  # else nothing could be reused
        self._begin_compose(prepared, stylized, start, fresh=fresh)
        if fresh and not reuse:
            end = self._clock.now()
            self._skip_policy.add(frame, end - start)
            self.size_controller.add_frame(frame, stylized, start, end, is_static=self.is_static)

    def _can_reuse(self, content: Image, now: float) -> bool:
        """Return whether the last stylized frame can be shown for this one as well."""
        if not self._options.reuse_static or now < self._redraw_until:  # the look changes
            self._scene = None
            return False
        self._scene = update_static_scene(self._scene, content)
        return self._scene.can_reuse

    def _stylize(self, prepared: PreparedFrame, now: float) -> StylizedFrame:
        image = self.size_controller.to_prepared_size(prepared.content)
        prefetched = prepared.prefetched if image is prepared.content else None
        if self._composer is not None and self._stylized is not None:
            # A GPU would fetch the previous frame only after it has computed this one.
            self._stylized.fetch()
        stylized = self._stylizer.infer(image, now, prefetched)
        stylized.wait()
        return stylized

    def _begin_compose(
        self, prepared: PreparedFrame, stylized: StylizedFrame, start: float, *, fresh: bool
    ) -> None:
        """Compose here, or in the thread beside; there, at most one frame is under way."""

        def compose() -> None:
            self._compose(prepared, stylized, start, fresh=fresh)

        if self._composer is None:
            compose()
            return
        if self._composing is not None:
            self._composing.result()
        if self.failure is None:
            self._composing = self._composer.submit(compose)

    def _compose(
        self, prepared: PreparedFrame, stylized: StylizedFrame, start: float, *, fresh: bool
    ) -> None:
        begin = self._clock.now()
        stylized.fetch()
        image = self._stylizer.postprocess(prepared.content, stylized, start)
        if self._view.split:
            draw_split_view(prepared.content, image, self._view.split_at)
        self.network_size = stylized.size
        self._stats.add_stage("compose", self._clock.now() - begin)
        self._deliver(Frame(image, prepared.frame.index, prepared.frame.time), fresh)

    # A frozen frame goes the same way, again and again while its look changes.

    def _show_frozen(self, newest: PreparedFrame | None) -> None:
        if self._frozen_frame is None:
            self._frozen_frame = self._last_frame if newest is None else newest.frame
            if self._frozen_frame is None:
                return
            self._redraw(0.0)
        if self._clock.now() < self._redraw_until:
            frame = replace(self._frozen_frame, time=self._clock.now())
            self._process(self._mirror(frame), fresh=False)

    def _redraw(self, seconds: float) -> None:
        """Process a frozen frame again for so many seconds."""
        until = self._clock.now() + seconds + 2 * _POLL_SECONDS
        self._redraw_until = max(self._redraw_until, until)  # cut no fade short

    def _fail(self, error: BaseException) -> None:
        """Keep an error for the thread that runs the pipeline."""
        self.failure = error
