"""The thread that paints: newest frame in, composed frame out to the display and the sinks."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Protocol

import cv2

from live_nst.engines.base import DeviceImage, StylizedFrame
from live_nst.errors import LiveNstError
from live_nst.live.keys import ViewState
from live_nst.live.latest_frame import FrameSkipPolicy, LatestSlot
from live_nst.live.overlap import FramePrefetcher, PrefetchedFrame, SingleSlotExecutor
from live_nst.live.size_controller import Resizable, SizeController
from live_nst.live.stats import LiveStats
from live_nst.runtime.timing import Clock
from live_nst.stabilizer.static_scene import StaticScene, update_static_scene
from live_nst.styles.registry import StyleInput
from live_nst.stylizer.compositing import draw_split_view
from live_nst.stylizer.look import Look
from live_nst.types import Frame, Image

FADE_SECONDS = 0.6
_WAIT = 0.05  # seconds; how long a stop may go unnoticed


class StylizerLike(Resizable, Protocol):
    """What the painter needs of `live_nst.stylizer.core.StylizerCore`."""

    look: Look

    def prefetch(self, image: Image) -> DeviceImage | None: ...  # noqa: D102

    def network(  # noqa: D102
        self, image: Image, time: float = 0.0, prefetched: DeviceImage | None = None
    ) -> StylizedFrame: ...

    def finish(self, image: Image, painted: StylizedFrame, time: float = 0.0) -> Image: ...  # noqa: D102

    def load(self, style: StyleInput, *, stroke: float | None = None) -> None: ...  # noqa: D102

    def select(  # noqa: D102
        self,
        style: StyleInput,
        *,
        stroke: float | None = None,
        fade: float = 0.0,
        time: float = 0.0,
    ) -> None: ...

    def load_mask(self, only: str) -> None: ...  # noqa: D102


class StylizeWorker:
    """Paints the newest frame of `source`, again and again, in a thread of its own.

    Args:
        source: Where captured frames appear.
        stylizer: Paints them.
        view: Read for every frame.
        stats: Told how long the stages took.
        clock: Measures them.
        deliver: Called with every painted frame, in the thread that finished it, and whether it
            is a fresh one (false: a frozen frame painted anew because the look changed).
        fps: The rate that an automatic size holds.
        automatic_size: Choose the size by speed from the start.
        overlap: Finish a frame in a second thread while the network runs the next, and make the
            newest ready in a third. It pays where the network runs elsewhere; on one and the same
            processor they hinder each other.
        repeat: Show a painting again while nothing moves, and rest the network. For a stylizer
            that steadies: of any other, the camera's noise shows in every painting.

    Attributes:
        sizing: For changes of the processing size.
        small_size: (width, height) of what the network gave last.
        failure: What the thread died of, if it did.
    """

    def __init__(
        self,
        source: LatestSlot[Frame],
        stylizer: StylizerLike,
        view: ViewState,
        stats: LiveStats,
        clock: Clock,
        deliver: Callable[[Frame, bool], None],
        *,
        fps: float,
        automatic_size: bool,
        overlap: bool = False,
        repeat: bool = False,
    ) -> None:
        self._source = source
        self._stylizer = stylizer
        self._view = view
        self._stats = stats
        self._clock = clock
        self._deliver = deliver
        self._stop = threading.Event()
        self._held: Frame | None = None
        self._held_until = 0.0
        self._last: Frame | None = None
        self._pace = FrameSkipPolicy()
        self._repeat = repeat
        self._stillness: StaticScene | None = None
        self._thread = threading.Thread(target=self._run, name="live-nst painter", daemon=True)
        self._overlap = overlap
        self._relay: SingleSlotExecutor | None = None
        self._staging: FramePrefetcher | None = None
        self._painted: StylizedFrame | None = None
        # One at a time, so that what is asked for last is what shows in the end.
        self._background = ThreadPoolExecutor(1, "live-nst preparing")
        self.sizing = SizeController(
            stylizer, fps, automatic=automatic_size, changed=self.look_changed, died=self._die
        )
        self.small_size = (0, 0)
        self.failure: BaseException | None = None

    @property
    def resting(self) -> bool:
        """Whether nothing moves, so that only a few frames are painted."""
        stillness = self._stillness
        return stillness is not None and stillness.settled

    def start(self) -> None:
        """Begin to paint."""
        if self._overlap:
            self._relay = SingleSlotExecutor("live-nst finisher", self._die)
            self._staging = FramePrefetcher(self._source, self._make_ready, self._die)
        self._thread.start()

    @property
    def waiting(self) -> bool:
        """Whether there is a frame that was not begun to be painted."""
        return not (self._source if self._staging is None else self._staging).empty

    @property
    def replaced(self) -> int:
        """How many frames were taken from the source, but a newer one came before their turn."""
        return 0 if self._staging is None else self._staging.replaced

    def close(self, timeout: float) -> None:
        """Stop after the frame that is being painted."""
        self._stop.set()
        self._background.shutdown(wait=True, cancel_futures=True)
        if self._thread.is_alive():
            self._thread.join(timeout)
        if self._staging is not None:
            self._staging.close(timeout)
        if self._relay is not None:
            self._relay.close(timeout)
        self.sizing.close()

    def select(
        self,
        style: StyleInput,
        failed: Callable[[LiveNstError], None],
        *,
        stroke: float | None = None,
    ) -> Future[None]:
        """Change the style without stalling the stream: it is prepared beside it, then fades in.

        Args:
            style: The style.
            failed: Called, in another thread, if it cannot be used.
            stroke: Size of its strokes; None leaves it.
        """

        def prepare_and_fade() -> None:
            self._stylizer.load(style, stroke=stroke)
            # Asked for the time only now: the fade begins when the style is ready.
            now = self._clock.now()
            self._stylizer.select(style, stroke=stroke, fade=FADE_SECONDS, time=now)
            self._repaint(FADE_SECONDS)

        return self._background.submit(self._guard, prepare_and_fade, failed)

    def paint_only(self, only: str, failed: Callable[[LiveNstError], None]) -> Future[None]:
        """Change where is painted, once the mask is ready; see `Look.only`.

        `failed` is called, in another thread, if the mask cannot be used.
        """

        def load_and_change() -> None:
            self._stylizer.load_mask(only)
            self._stylizer.look = replace(self._stylizer.look, only=only)
            self.look_changed()

        return self._background.submit(self._guard, load_and_change, failed)

    def _guard(self, work: Callable[[], None], failed: Callable[[LiveNstError], None]) -> None:
        """Work beside the painting thread; what goes wrong unexpectedly ends the session."""
        try:
            work()
        except LiveNstError as exc:
            failed(exc)
        except BaseException as exc:
            self._die(exc)

    def _die(self, error: BaseException) -> None:
        """Hand what went wrong to the thread that runs the pipeline."""
        self.failure = error

    def _repaint(self, seconds: float) -> None:
        """Paint a frozen frame anew, for as long as its look changes."""
        until = self._clock.now() + seconds + 2 * _WAIT
        self._held_until = max(self._held_until, until)  # a change cuts no fade short

    def look_changed(self) -> None:
        """Tell that the look is another one, so that a frozen frame shows it."""
        self._repaint(0.0)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                frame, ready = self._take()
                if self._view.frozen:
                    self._paint_held(frame)
                elif frame is not None:
                    self._held = None
                    self._paint(ready or self._mirrored(frame), fresh=True)
        except BaseException as exc:
            self._die(exc)

    def _take(self) -> tuple[Frame | None, PrefetchedFrame | None]:
        """The newest frame, and the same made ready where a thread does that."""
        if self._staging is None:
            return self._source.take(_WAIT, self._patience), None
        ready = self._staging.take(_WAIT, lambda newest: self._patience(newest.frame))
        return (None if ready is None else ready.frame), ready

    def _patience(self, frame: Frame) -> float:
        return self._pace.patience(self._clock.now() - frame.time)

    def _mirrored(self, frame: Frame) -> PrefetchedFrame:
        """The frame as it is to be seen."""
        if not self._view.mirror:
            return PrefetchedFrame(frame, frame.image)
        return PrefetchedFrame(frame, cv2.flip(frame.image, 1))  # type: ignore[arg-type]

    def _make_ready(self, frame: Frame) -> PrefetchedFrame:
        """The same, and staged."""
        ready = self._mirrored(frame)
        return replace(ready, prefetched=self._stylizer.prefetch(ready.content))

    def _paint_held(self, frame: Frame | None) -> None:
        if self._held is None:
            self._held = frame or self._last
            if self._held is None:
                return
            self._repaint(0.0)
        if self._clock.now() < self._held_until:
            now = self._clock.now()
            held = Frame(self._held.image, self._held.index, now)
            self._paint(self._mirrored(held), fresh=False)

    def _paint(self, ready: PrefetchedFrame, *, fresh: bool) -> None:
        clock, frame, content = self._clock, ready.frame, ready.content
        self._last = frame
        start = clock.now()
        if fresh:
            self._stats.add_stage("wait", start - frame.time)
        painted = self._painted if fresh and self._looks_the_same(content, start) else None
        again = painted is not None
        if painted is None:
            painted = self._run_network(ready, start)
            self._stats.add_stage("stylize", clock.now() - start)
        else:
            self._stats.add_repeated()
        finish = partial(self._finish, frame, content, painted, start, fresh=fresh)
        if self._relay is None:
            finish()
        else:
            self._relay.hand_over(finish)
        if fresh and not again:
            finished = clock.now()
            self._pace.add(frame, finished - start)
            self.sizing.painted(frame, painted, start, finished, alone=self.resting)

    def _run_network(self, ready: PrefetchedFrame, start: float) -> StylizedFrame:
        fitting = self.sizing.fit(ready.content)
        prefetched = ready.prefetched if fitting is ready.content else None
        if self._relay is not None and self._painted is not None:
            # What is fetched once the device has begun with this frame may have to wait for it.
            self._painted.fetch()
        self._painted = painted = self._stylizer.network(fitting, start, prefetched)
        painted.wait()
        return painted

    def _looks_the_same(self, content: Image, now: float) -> bool:
        """Whether the last painting will do for a frame."""
        if not self._repeat or now < self._held_until:  # its look changes
            self._stillness = None
            return False
        self._stillness = update_static_scene(self._stillness, content)
        return self._stillness.can_reuse

    def _finish(
        self, frame: Frame, content: Image, painted: StylizedFrame, start: float, *, fresh: bool
    ) -> None:
        begun = self._clock.now()
        painted.fetch()
        image = self._stylizer.finish(content, painted, start)
        if self._view.split:
            draw_split_view(content, image)
        self.small_size = painted.size
        self._stats.add_stage("compose", self._clock.now() - begun)
        self._deliver(Frame(image, frame.index, frame.time), fresh)
