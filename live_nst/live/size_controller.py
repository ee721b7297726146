"""The processing size of a session: chosen by hand or by speed, and changed without a stall."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import cv2

from live_nst.engines.base import StylizedFrame
from live_nst.errors import LiveNstError
from live_nst.live.adaptive_size import AdaptiveSize
from live_nst.live.keys import SIZE_STEPS
from live_nst.stylizer.sizes import network_size
from live_nst.types import Frame, Image, Size


class Resizable(Protocol):
    """What is needed of `live_nst.stylizer.core.StylizerCore`."""

    @property
    def size(self) -> int: ...  # noqa: D102

    def is_compiled(self, camera: Size, size: int) -> bool: ...  # noqa: D102

    def prepare(self, camera: Size, size: int) -> None: ...  # noqa: D102

    def resize(self, size: int) -> None: ...  # noqa: D102


class SizeController:
    """Lets every size be made ready beside the stream before it is used.

    `fit` and `painted` belong to the thread that paints; the others may be called from any.

    Args:
        stylizer: Paints.
        fps: The rate that `automatic` holds.
        automatic: Choose the size by speed from the start; else it stays until `use`.
        changed: Called from another thread when a size chosen by hand has come into use.
        died: Called from another thread with what ends the session.

    Attributes:
        frames: How many frames were painted, by the (width, height) that the network saw.
    """

    def __init__(
        self,
        stylizer: Resizable,
        fps: float,
        *,
        automatic: bool,
        changed: Callable[[], None],
        died: Callable[[BaseException], None],
    ) -> None:
        self._stylizer = stylizer
        self._automatic = automatic
        self._changed = changed
        self._died = died
        self._camera: Size | None = None
        self._next_camera: Size | None = None  # for which the network is made ready
        self._adaptive = AdaptiveSize(fps, SIZE_STEPS, stylizer.size, self._pixels)
        self._switching = threading.Lock()
        # One at a time, so that what is asked for last is what is used in the end.
        self._background = ThreadPoolExecutor(1, "live-nst sizes")
        self._preparing: Future[None] | None = None
        self.frames: dict[Size, int] = {}

    @property
    def automatic(self) -> bool:
        """Whether the size is chosen by speed."""
        return self._automatic

    def automate(self) -> None:
        """Choose the size by speed from now on."""
        with self._switching:
            self._automatic = True

    def use(self, size: int, failed: Callable[[LiveNstError], None]) -> Future[None]:
        """Change to `size` once the network is ready for it, and stay there.

        `failed` is called, in another thread, if the network cannot run at it.
        """
        with self._switching:
            self._automatic = False

        def prepare_and_switch() -> None:
            try:
                if self._camera is not None:
                    self._stylizer.prepare(self._camera, size)
            except LiveNstError as exc:
                failed(exc)
                return
            with self._switching:
                if self._automatic:  # changed their mind meanwhile
                    return
                self._stylizer.resize(size)
            self._changed()

        return self._submit(prepare_and_switch)

    def fit(self, image: Image) -> Image:
        """`image` in a size of camera for which the network is ready: nearly always itself.

        After a change of the camera's size it is brought to the former one until the network is
        ready for the new one: the stream goes on.
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
            self._submit(lambda: self._stylizer.prepare(camera, self._stylizer.size))
        return cv2.resize(image, self._camera, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]

    def painted(
        self,
        frame: Frame,
        painted: StylizedFrame,
        started: float,
        finished: float,
        *,
        alone: bool = False,
    ) -> None:
        """Learn from a painted frame, and change the size if that is better.

        From one that was painted `alone`, with others before and after it left out, nothing is
        learnt: a processor that rests in between takes longer for it.
        """
        width, height = painted.size
        self.frames[width, height] = self.frames.get((width, height), 0) + 1
        if alone or not self._automatic or frame.size != self._camera:
            return
        adaptive = self._adaptive
        if adaptive.size != self._stylizer.size:  # it was changed by hand before
            adaptive.reset(self._stylizer.size)
        preparing = self._preparing is not None and not self._preparing.done()
        adaptive.add(
            frame.index, frame.time, started, finished,
            pixels=width * height, preparing=preparing,
        )  # fmt: skip
        size, prepare = adaptive.choose(self._is_ready)
        if size != self._stylizer.size:
            with self._switching:
                if self._automatic:
                    self._stylizer.resize(size)
        if prepare and not preparing:
            self._preparing = self._submit(lambda: self._prepare(prepare[0]))

    def close(self) -> None:
        """Finish what is being prepared and begin nothing more."""
        self._background.shutdown(wait=True, cancel_futures=True)

    def _prepare(self, size: int) -> None:
        """Make ready a size that may be chosen; one that the network refuses never is."""
        assert self._camera is not None
        try:
            self._stylizer.prepare(self._camera, size)
        except LiveNstError:
            self._adaptive.exclude(size)

    def _is_ready(self, size: int) -> bool:
        assert self._camera is not None
        return self._stylizer.is_compiled(self._camera, size)

    def _pixels(self, size: int) -> int:
        width, height = network_size(self._camera or (1280, 720), size)
        return width * height

    def _submit(self, work: Callable[[], None]) -> Future[None]:
        def guarded() -> None:
            try:
                work()
            except BaseException as exc:  # handed to the thread that runs the pipeline
                self._died(exc)

        return self._background.submit(guarded)
