"""The processing size of a session: chosen by hand or by speed, and changed without a stall."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

import cv2

from live_nst.engines.base import StylizedFrame
from live_nst.errors import LiveNstError
from live_nst.live.adaptive_size import AdaptiveSize
from live_nst.live.background import BackgroundJobs, OnError
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.sizes import network_size
from live_nst.types import Frame, Image, Size

SIZE_STEPS = (128, 192, 256, 320, 384, 448, 512, 640, 768, 960, 1280)
"""Longer sides, in pixels, that are chosen from."""

FEW_SIZE_STEPS = (192, 320, 512, 768, 1280)
"""Those that are chosen from where compiling takes long: each has about 2.5 times the pixels of the
one before."""

SLOW_COMPILATION = 8.0
"""Seconds from which on compiling takes long. A processor needs about one for the packaged model,
and a few if other programs use it. On a GPU "kernel compilation is a bottleneck in the model
loading process" (OpenVINO's page "GPU Device"), until the result is on the disk."""


class SizeController:
    """Compiles the network for a size beside the stream before the size is used.

    The stylize worker calls `to_prepared_size` and `add_frame`. Any thread may call the others.

    Args:
        stylizer: The stylizer whose size is changed.
        fps: Frame rate that an automatic size holds.
        automatic: Choose the size by speed from the start; otherwise it stays until `use`.
        on_change: Called in another thread when a size chosen by hand has come into use.
        on_failure: Called in another thread with an error that ends the session.

    Attributes:
        frames_by_size: Number of stylized frames by the (width, height) that the network saw.
    """

    def __init__(
        self,
        stylizer: StylizerCore,
        fps: float,
        *,
        automatic: bool,
        on_change: Callable[[], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._stylizer = stylizer
        self._automatic = automatic
        self._on_change = on_change
        self._camera: Size | None = None
        self._next_camera: Size | None = None  # for which the network is being compiled
        self._adaptive = AdaptiveSize(fps, SIZE_STEPS, stylizer.size, self._pixels)
        self._switching = threading.Lock()  # between "is it automatic?" and the change of the size
        self._has_few_steps = False
        self._excluded: set[int] = set()
        self._jobs = BackgroundJobs("live-nst sizes", on_failure)
        self._preparing: Future[None] | None = None
        self.frames_by_size: dict[Size, int] = {}

    @property
    def automatic(self) -> bool:
        """Whether the size is chosen by speed."""
        return self._automatic

    @property
    def preparing(self) -> bool:
        """Whether a size that may be chosen by speed is being compiled."""
        return self._preparing is not None and not self._preparing.done()

    def use_automatic(self) -> None:
        """Choose the size by speed from now on."""
        with self._switching:
            self._automatic = True

    def use(self, size: int, on_error: OnError) -> Future[None]:
        """Compile the network for a size, then use it until another one is asked for.

        Args:
            size: Longer side in pixels.
            on_error: Called in another thread if the network cannot run at this size.
        """
        with self._switching:
            self._automatic = False

        def prepare_and_switch() -> None:
            if self._camera is not None:
                self._stylizer.prepare(self._camera, size)
            with self._switching:
                if self._automatic:  # chosen meanwhile
                    return
                self._stylizer.resize(size)
            self._on_change()

        return self._jobs.submit(prepare_and_switch, on_error)

    def to_prepared_size(self, image: Image) -> Image:
        """Return an image in a camera size for which the network is compiled.

        This is `image` itself, unless the camera has changed its size. Then its images are resized
        to the former size until the network is compiled for the new one, so that the stream goes
        on.
        """
        camera = (image.shape[1], image.shape[0])
        if camera == self._camera:
            return image
        if self._camera is None or self._stylizer.is_compiled(camera, self._stylizer.size):
            self._camera, self._next_camera = camera, None
            self._adaptive.reset(self._stylizer.size)
            return image
        if camera != self._next_camera:
            self._next_camera = camera
            self._jobs.submit(lambda: self._stylizer.prepare(camera, self._stylizer.size))
        return cv2.resize(image, self._camera, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]

    def add_frame(
        self,
        frame: Frame,
        stylized: StylizedFrame,
        start: float,
        end: float,
        *,
        is_static: bool = False,
    ) -> None:
        """Learn from the time that a frame took, and change the size if another one is better.

        Args:
            frame: The frame.
            stylized: What the network made of it.
            start: When the worker began with it, in seconds.
            end: When the worker could begin with the next one, in seconds.
            is_static: Whether the network runs for few frames only. Nothing is learned from such a
                frame: a processor that was idle before takes longer for it.
        """
        width, height = stylized.size
        self.frames_by_size[width, height] = self.frames_by_size.get((width, height), 0) + 1
        if is_static or not self._automatic or frame.size != self._camera:
            return
        adaptive = self._adaptive
        self._limit_steps()
        if adaptive.size != self._stylizer.size:  # it was changed by hand before
            adaptive.reset(self._stylizer.size)
        adaptive.add(
            frame.index, frame.time, start, end, pixels=width * height, preparing=self.preparing
        )
        decision = adaptive.choose(self._is_ready)
        if decision.size != self._stylizer.size:
            with self._switching:
                if self._automatic:
                    self._stylizer.resize(decision.size)
        if decision.prepare and not self.preparing:
            self._preparing = self._jobs.submit(lambda: self._prepare(decision.prepare[0]))

    def close(self) -> None:
        """Finish the current compilation and start no other."""
        self._jobs.close()

    def _limit_steps(self) -> None:
        """Choose from few sizes once compiling has taken long."""
        slow = self._stylizer.longest_compilation > SLOW_COMPILATION
        if slow and not self._has_few_steps:
            self._has_few_steps = True
            self._adaptive.choose_from([s for s in FEW_SIZE_STEPS if s not in self._excluded])

    def _prepare(self, size: int) -> None:
        """Compile a size that may be chosen; exclude it if the network cannot run at it."""
        assert self._camera is not None
        try:
            self._stylizer.prepare(self._camera, size)
        except LiveNstError:
            self._excluded.add(size)
            self._adaptive.exclude(size)

    def _is_ready(self, size: int) -> bool:
        assert self._camera is not None
        return self._stylizer.is_compiled(self._camera, size)

    def _pixels(self, size: int) -> int:
        width, height = network_size(self._camera or (1280, 720), size)
        return width * height
