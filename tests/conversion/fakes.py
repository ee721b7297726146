"""Stylizers that cost nothing and whose results are known."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from live_nst.engines.base import StylizedFrame
from live_nst.stylizer.look import Look
from live_nst.types import Image


class Negative:
    """Stands for a `StylizerCore`: returns the negative, and records what it is given.

    Args:
        on_frame: Called with the number of frames so far, from the thread that infers.
        depends_on_previous: Each frame depends on the one before, as with a stabilizer.
    """

    model_name = "negative"
    engine = "numpy"
    device = "cpu"
    size = 64
    styles = ("negative",)
    look = Look()

    def __init__(
        self,
        on_frame: Callable[[int], None] = lambda count: None,
        depends_on_previous: bool = False,
    ) -> None:
        self._depends_on_previous = depends_on_previous
        self.seen: list[float] = []
        self.finished: list[float] = []
        self._before: Image | None = None
        self.changes: list[tuple[Any, float]] = []
        self._on_frame = on_frame
        self._lock = threading.Lock()

    def select(
        self, style: Any, *, stroke: float | None = None, fade: float = 0.0, time: float = 0.0
    ) -> None:
        self.changes.append((style, time))

    def change_look(self, look: Look, *, fade: float = 0.0, time: float = 0.0) -> None:
        self.changes.append((look, time))

    def settings(self, styles: Sequence[Any]) -> dict[str, str]:
        return {"model": "negative", "styles": repr(list(styles))}

    def prepare(self, frame_size: tuple[int, int], size: int) -> None:
        pass

    def infer(self, image: Image, time: float = 0.0) -> StylizedFrame:
        with self._lock:
            self.seen.append(time)
            count = len(self.seen)
        self._on_frame(count)
        small = np.ascontiguousarray(image[::4, ::4])
        return StylizedFrame(small, 255 - small)

    def postprocess(self, image: Image, stylized: StylizedFrame, time: float = 0.0) -> Image:
        self.finished.append(time)
        if not self._depends_on_previous:
            return 255 - image
        self._before = 255 - image if self._before is None else self._before // 2 + image // 3
        return self._before

    def observe(self, stylized: StylizedFrame, size: tuple[int, int], time: float = 0.0) -> None:
        if self._depends_on_previous:
            image = 255 - np.full((size[1], size[0], 3), stylized.content.mean(), np.uint8)
            self._before = image if self._before is None else self._before // 2 + (255 - image) // 3

    def state_arrays(self) -> dict[str, np.ndarray]:
        return {} if self._before is None else {"before": self._before}

    def restore_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._before = arrays.get("before")


class InvertingStylizer:
    """Returns the negative of a still image."""

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Image:
        return 255 - image


class CopyingStylizer:
    """Returns a still image as it is."""

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Image:
        return image.copy()
